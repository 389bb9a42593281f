"""Who belongs to a team: links that expire, limits, and that no team is left without an owner."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.errors import (
    InvitationInvalid,
    LastOwner,
    NoSuchMember,
    NotAnOwner,
    TeamIsFull,
    TeamOfOne,
    TooManyTeams,
)
from accounts.memberships import (
    MOST_MEMBERS,
    MOST_TEAMS,
    invite,
    join,
    leave,
    remove_member,
    revoke_invitation,
    set_role,
    start_team,
)
from accounts.models import Membership, Team, User
from accounts.selectors import invitations_of, token_of
from accounts.services import create_user

OWNER, MEMBER = Membership.Role.OWNER, Membership.Role.MEMBER


@pytest.fixture
def atelier(researcher: User) -> Team:
    """A team that the researcher owns."""
    return start_team(user=researcher, name="Atelier")


def add(team: Team, owner: User, user: User) -> None:
    join(token=token_of(invite(team=team, user=owner)), user=user)


def test_a_link_makes_a_member_once(atelier: Team, researcher: User, stranger: User) -> None:
    token = token_of(invite(team=atelier, user=researcher))
    assert join(token=token, user=stranger) == join(token=token, user=stranger) == atelier
    assert Membership.objects.get(team=atelier, user=stranger).role == MEMBER
    join(token=token, user=researcher)
    assert Membership.objects.get(team=atelier, user=researcher).role == OWNER


def test_a_link_expires_and_can_be_taken_back(atelier: Team, researcher: User, stranger: User) -> None:
    first, second = (invite(team=atelier, user=researcher) for _ in range(2))
    revoke_invitation(team=atelier, user=researcher, invitation_id=first.pk)
    assert invitations_of(atelier) == [second]
    with pytest.raises(InvitationInvalid):
        join(token=token_of(first), user=stranger)
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        assert invitations_of(atelier) == []
        with pytest.raises(InvitationInvalid):
            join(token=token_of(second), user=stranger)


def test_only_owners_manage(atelier: Team, researcher: User, stranger: User) -> None:
    add(atelier, researcher, stranger)
    for forbidden in (
        lambda: invite(team=atelier, user=stranger),
        lambda: revoke_invitation(team=atelier, user=stranger, invitation_id=1),
        lambda: remove_member(team=atelier, user=stranger, member_id=researcher.pk),
        lambda: set_role(team=atelier, user=stranger, member_id=stranger.pk, role=OWNER),
    ):
        with pytest.raises(NotAnOwner):
            forbidden()


def test_no_team_is_left_without_an_owner(atelier: Team, researcher: User, stranger: User) -> None:
    add(atelier, researcher, stranger)
    for refused in (
        lambda: leave(team=atelier, user=researcher),
        lambda: remove_member(team=atelier, user=researcher, member_id=researcher.pk),
        lambda: set_role(team=atelier, user=researcher, member_id=researcher.pk, role=MEMBER),
    ):
        with pytest.raises(LastOwner):
            refused()
    set_role(team=atelier, user=researcher, member_id=stranger.pk, role=OWNER)
    leave(team=atelier, user=researcher)
    with pytest.raises(LastOwner):
        leave(team=atelier, user=stranger)


def test_a_team_of_one_takes_nobody_and_lets_nobody_go(researcher: User, team: Team) -> None:
    with pytest.raises(TeamOfOne):
        invite(team=team, user=researcher)
    with pytest.raises(TeamOfOne):
        leave(team=team, user=researcher)


def test_who_is_no_member_is_neither_removed_nor_promoted(
    atelier: Team, researcher: User, stranger: User
) -> None:
    with pytest.raises(NoSuchMember):
        remove_member(team=atelier, user=researcher, member_id=stranger.pk)
    with pytest.raises(NoSuchMember):
        leave(team=atelier, user=stranger)


def test_teams_and_members_are_limited(researcher: User, stranger: User) -> None:
    teams = [start_team(user=researcher, name=f"Team {n}") for n in range(MOST_TEAMS)]
    with pytest.raises(TooManyTeams):
        start_team(user=researcher, name="One more")
    token = token_of(invite(team=teams[0], user=researcher))
    for n in range(MOST_MEMBERS - 1):
        join(token=token, user=create_user(username=f"member{n}", password=None))
    with pytest.raises(TeamIsFull):
        join(token=token, user=stranger)
