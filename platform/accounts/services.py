"""Every write to users, teams and tokens."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import ApiToken, Membership, Team, User
from accounts.selectors import find_team

TOKEN_PREFIX = "pst_"


@transaction.atomic
def create_user(*, username: str, password: str | None, email: str = "", is_staff: bool = False) -> User:
    """Create a user together with the team of one that submits in the user's name."""
    user = User(username=username, email=email, is_staff=is_staff, is_superuser=is_staff)
    user.set_password(password)
    user.full_clean()
    user.save()
    ensure_personal_team(user=user)
    return user


@transaction.atomic
def ensure_personal_team(*, user: User) -> Team:
    """Return the user's team of one; accounts made by the admin or by `createsuperuser` get theirs here."""
    team = find_team(user, None)
    if team is None:
        User.objects.select_for_update().get(pk=user.pk)  # two requests at once make one team
        team = find_team(user, None) or create_team(name=_team_name(user), owner=user, is_personal=True)
    return team


@transaction.atomic
def create_team(*, name: str, owner: User, is_personal: bool = False) -> Team:
    """Create a team with its first member as the owner."""
    team = Team(name=name, slug=_free_slug(name), is_personal=is_personal)
    team.full_clean()
    team.save()
    Membership.objects.create(team=team, user=owner, role=Membership.Role.OWNER)
    return team


def issue_token(*, user: User, name: str) -> tuple[ApiToken, str]:
    """Create a token and return it with its key, which cannot be shown again."""
    key = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(user=user, name=name, key_sha256=_hash(key), hint=key[-4:])
    token.full_clean()
    token.save()
    return token, key


def use_token(*, key: str) -> User | None:
    """Return the user that a token key stands for, or None; note the use at most once a minute."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(key_sha256=_hash(key), revoked_at=None, user__is_active=True)
        .first()
    )
    if token is None:
        return None
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def revoke_token(*, user: User, token_id: int) -> None:
    """Make one of the user's tokens useless."""
    ApiToken.objects.filter(pk=token_id, user=user, revoked_at=None).update(revoked_at=timezone.now())


def _team_name(user: User) -> str:
    longest = Team._meta.get_field("name").max_length
    return user.username[:longest]


def _hash(key: str) -> str:
    # The keys are 256 random bits, so a plain hash cannot be reversed by guessing.
    return hashlib.sha256(key.encode()).hexdigest()


def _free_slug(name: str) -> str:
    base = slugify(name)[:50] or "team"
    taken = set(Team.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug for slug in [base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))] if slug not in taken
    )
