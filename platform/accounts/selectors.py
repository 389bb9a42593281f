"""Every read of users, teams and tokens."""

from accounts.models import ApiToken, Team, User


def teams_of(user: User) -> list[Team]:
    """List the teams that the user may submit for, the team of one first."""
    return list(user.teams.order_by("-is_personal", "name"))


def find_team(user: User, slug: str | None) -> Team | None:
    """Return the user's team with that slug (without a slug: the team of one), or None."""
    teams = user.teams.all()
    return teams.filter(slug=slug).first() if slug else teams.filter(is_personal=True).first()


def tokens_of(user: User) -> list[ApiToken]:
    """List the user's tokens that still work, newest first."""
    return list(user.api_tokens.filter(revoked_at=None).order_by("-created_at"))
