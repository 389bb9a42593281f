"""People: everybody has a team of one, tokens are stored as hashes and can be taken back."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import ApiToken, Membership, User
from accounts.selectors import find_team, teams_of, tokens_of
from accounts.services import (
    create_team,
    create_user,
    ensure_personal_team,
    issue_token,
    revoke_token,
    use_token,
)

pytestmark = pytest.mark.django_db


def test_a_new_user_owns_a_team_of_one() -> None:
    user = create_user(username="Rosalba", password="a long password 1")
    (team,) = teams_of(user)
    assert (team.name, team.slug, team.is_personal) == ("Rosalba", "rosalba", True)
    assert Membership.objects.get().role == "owner"


def test_two_names_that_differ_in_case_only_are_one_name() -> None:
    create_user(username="Rosalba", password="a long password 1")
    with pytest.raises(ValidationError):
        create_user(username="rosalba", password="a long password 1")
    assert User.objects.count() == 1


def test_equal_team_names_get_different_slugs(researcher: User) -> None:
    slugs = [create_team(name="Venice", owner=researcher).slug for _ in range(3)]
    assert slugs == ["venice", "venice-2", "venice-3"]
    assert create_team(name="威尼斯", owner=researcher).slug == "team"


def test_a_user_finds_own_teams_only(researcher: User, stranger: User) -> None:
    team = create_team(name="Venice", owner=researcher)
    assert find_team(researcher, "venice") == team
    assert find_team(stranger, "venice") is None
    personal = find_team(researcher, None)
    assert personal is not None
    assert personal.is_personal


def test_a_member_is_in_a_team_once(researcher: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=researcher, team=researcher.teams.get())


def test_a_token_works_until_it_is_revoked_and_is_stored_as_a_hash(researcher: User) -> None:
    token, key = issue_token(user=researcher, name="laptop")
    assert use_token(key=key) == token
    assert key not in str(ApiToken.objects.values().get())
    assert tokens_of(researcher) == [token]
    revoke_token(user=researcher, token_id=token.pk)
    assert use_token(key=key) is None
    assert tokens_of(researcher) == []


def test_nobody_revokes_anothers_token(researcher: User, stranger: User) -> None:
    token, key = issue_token(user=researcher, name="laptop")
    assert not revoke_token(user=stranger, token_id=token.pk)
    assert use_token(key=key) == token


def test_a_token_works_until_it_expires(researcher: User) -> None:
    token, key = issue_token(user=researcher, name="ci", days=30)
    assert token.expires_at is not None
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert use_token(key=key) == token
    ApiToken.objects.update(expires_at=timezone.now())
    assert use_token(key=key) is None
    assert tokens_of(researcher) == []


def test_a_token_has_the_scopes_it_was_given_and_by_default_all(researcher: User) -> None:
    every, _ = issue_token(user=researcher, name="laptop")
    some, _ = issue_token(user=researcher, name="ci", scopes=["submit", "read", "root"])
    assert every.scopes == "read submit organize"
    assert (some.scopes, some.allows("read"), some.allows("organize")) == ("read submit", True, False)
    with pytest.raises(ValidationError):
        issue_token(user=researcher, name="useless", scopes=[])


def test_an_account_of_the_command_line_gets_one_team_of_one() -> None:
    user = User.objects.create_superuser(username="Root", password="a long password 1")
    assert find_team(user, None) is None
    first, second = ensure_personal_team(user=user), ensure_personal_team(user=user)
    assert first == second == find_team(user, None)
    assert (first.name, first.is_personal, Membership.objects.get().role) == ("Root", True, "owner")


def test_the_longest_username_has_a_team_too() -> None:
    user = create_user(username="n" * 150, password="a long password 1")
    assert user.teams.get().name == "n" * 100
