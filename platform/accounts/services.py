"""Every write to users, teams and tokens."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import ApiToken, Membership, Team, User
from accounts.selectors import find_team, working_tokens

TOKEN_PREFIX = "pst_"
ALL_SCOPES = tuple(ApiToken.Scope.values)


@transaction.atomic
def create_user(*, username: str, password: str | None, email: str = "", is_staff: bool = False) -> User:
    """Create a user together with the team of one that submits in their name; a given address counts as checked."""
    user = User(username=username, email=email, is_staff=is_staff, is_superuser=is_staff)
    user.set_password(password)
    user.full_clean()
    user.save()
    if email:
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
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


def issue_token(
    *, user: User, name: str, scopes: Collection[str] = ALL_SCOPES, days: int | None = None
) -> tuple[ApiToken, str]:
    """Create a token and return it with its key, which cannot be shown again; without `days` it never expires."""
    key = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user=user,
        name=name,
        key_sha256=_hash(key),
        hint=key[-4:],
        scopes=" ".join(scope for scope in ALL_SCOPES if scope in scopes),
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    token.full_clean()
    token.save()
    return token, key


def use_token(*, key: str) -> ApiToken | None:
    """Return the token with that key if it works, or None; note the use at most once a minute."""
    token = working_tokens().select_related("user").filter(key_sha256=_hash(key)).first()
    if token is None:
        return None
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def revoke_token(*, user: User, token_id: int) -> bool:
    """Make one of the user's tokens useless; say whether it was of use."""
    tokens = working_tokens().filter(pk=token_id, user=user)
    return bool(ApiToken.objects.filter(pk__in=tokens.values("pk")).update(revoked_at=timezone.now()))


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
