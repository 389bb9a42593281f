"""Every read of users, teams and tokens."""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ApiToken, Membership, Team, TeamInvitation, User

SALT = "team invitation"


def teams_of(user: User) -> list[Team]:
    """List the teams that the user may submit for, the team of one first."""
    return list(user.teams.order_by("-is_personal", "name"))


def find_team(user: User, slug: str | None) -> Team | None:
    """Return the user's team with that slug (without a slug: the team of one), or None."""
    teams = user.teams.all()
    return teams.filter(slug=slug).first() if slug else teams.filter(is_personal=True).first()


def members_of(team: Team) -> list[Membership]:
    """List who belongs to a team, owners first."""
    return list(team.memberships.select_related("user").order_by("-role", "user__username"))


def is_owner(user: User, team: Team) -> bool:
    """Say whether the user manages the team."""
    return team.memberships.filter(user=user, role=Membership.Role.OWNER).exists()


def invitations_of(team: Team) -> list[TeamInvitation]:
    """List the links by which one can join a team now, newest first."""
    return list(_valid_invitations().filter(team=team).order_by("-pk"))


def token_of(invitation: TeamInvitation) -> str:
    """Return what stands in the link: signed, so that nobody makes one up."""
    return signing.dumps(invitation.pk, salt=SALT)


def find_invitation(token: str) -> TeamInvitation | None:
    """Return the invitation of a link if it is valid now, or None."""
    try:
        key = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return _valid_invitations().select_related("team").filter(pk=key).first()


def awaits_address_check(user: User) -> bool:
    """Say whether the user still has to prove a mail address, where the site demands that of whoever has one."""
    if settings.ACCOUNT_EMAIL_VERIFICATION != "mandatory":
        return False
    addresses = EmailAddress.objects.filter(user=user)
    return not addresses.filter(verified=True).exists() and (bool(user.email) or addresses.exists())


def _valid_invitations() -> QuerySet[TeamInvitation]:
    return TeamInvitation.objects.filter(revoked_at=None, expires_at__gt=timezone.now())


def working_tokens() -> QuerySet[ApiToken]:
    """Tokens that are neither revoked nor expired, of users who may sign in."""
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return ApiToken.objects.filter(unexpired, revoked_at=None, user__is_active=True)


def tokens_of(user: User) -> list[ApiToken]:
    """List the user's tokens that still work, newest first."""
    return list(working_tokens().filter(user=user).order_by("-created_at", "-pk"))
