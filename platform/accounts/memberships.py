"""Every write to who belongs to a team: starting, inviting, joining, leaving, roles."""

from datetime import timedelta

from django.db import transaction
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
from accounts.models import Membership, Team, TeamInvitation, User
from accounts.selectors import find_invitation
from accounts.services import create_team

MOST_TEAMS = 10  # for one person, beside the team of one
MOST_MEMBERS = 20
INVITATION_DAYS = 7


@transaction.atomic
def start_team(*, user: User, name: str) -> Team:
    """Create a team that the user owns.

    Raises:
        TooManyTeams: the user belongs to as many as one may.
    """
    _check_room_for_team(user)
    return create_team(name=name, owner=user)


@transaction.atomic
def invite(*, team: Team, user: User) -> TeamInvitation:
    """Make a link by which others join.

    Raises:
        NotAnOwner, TeamOfOne: the user may not, or the team takes nobody.
    """
    _check_owner(team, user)
    invitation = TeamInvitation(
        team=team, made_by=user, expires_at=timezone.now() + timedelta(days=INVITATION_DAYS)
    )
    invitation.full_clean()
    invitation.save()
    return invitation


@transaction.atomic
def revoke_invitation(*, team: Team, user: User, invitation_id: int) -> None:
    """Make a link useless; one that is useless already stays so.

    Raises:
        NotAnOwner, TeamOfOne: the user may not.
    """
    _check_owner(team, user)
    team.invitations.filter(pk=invitation_id, revoked_at=None).update(revoked_at=timezone.now())


@transaction.atomic
def join(*, token: str, user: User) -> Team:
    """Become a member by a link; who is one already stays what they are.

    Raises:
        InvitationInvalid: forged, expired or taken back.
        TooManyTeams, TeamIsFull: there is no room.
    """
    invitation = find_invitation(token)
    if invitation is None:
        raise InvitationInvalid
    team = _locked(invitation.team)
    if not team.memberships.filter(user=user).exists():
        _check_room_for_team(user)
        if team.memberships.count() >= MOST_MEMBERS:
            raise TeamIsFull
        Membership.objects.create(team=team, user=user)
    return team


@transaction.atomic
def leave(*, team: Team, user: User) -> None:
    """Take oneself out of a team; what was submitted stays the team's.

    Raises:
        TeamOfOne: nobody leaves that.
        LastOwner: nobody would be left who can manage it.
    """
    if team.is_personal:
        raise TeamOfOne
    _take_out(_member(_locked(team), user.pk))


@transaction.atomic
def remove_member(*, team: Team, user: User, member_id: int) -> None:
    """Take a member out of a team.

    Raises:
        NotAnOwner, TeamOfOne: the user may not.
        NoSuchMember, LastOwner: there is nobody to take out, or nobody would be left who can manage it.
    """
    _check_owner(team, user)
    _take_out(_member(_locked(team), member_id))


@transaction.atomic
def set_role(*, team: Team, user: User, member_id: int, role: Membership.Role) -> None:
    """Make a member an owner, or an owner a member.

    Raises:
        NotAnOwner, TeamOfOne: the user may not.
        NoSuchMember, LastOwner: there is nobody to change, or nobody would be left who can manage it.
    """
    _check_owner(team, user)
    member = _member(_locked(team), member_id)
    if role is not Membership.Role.OWNER:
        _check_other_owner(member)
    member.role = role
    member.full_clean()
    member.save(update_fields=["role"])


def _locked(team: Team) -> Team:
    """Hold the team: of two owners who leave at once, the second is refused."""
    return Team.objects.select_for_update().get(pk=team.pk)


def _member(team: Team, user_id: int) -> Membership:
    member = team.memberships.filter(user=user_id).first()
    if member is None:
        raise NoSuchMember
    return member


def _take_out(member: Membership) -> None:
    _check_other_owner(member)
    member.delete()


def _check_other_owner(member: Membership) -> None:
    owners = member.team.memberships.filter(role=Membership.Role.OWNER)
    if member.role == Membership.Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise LastOwner


def _check_owner(team: Team, user: User) -> None:
    if team.is_personal:
        raise TeamOfOne
    if not team.memberships.filter(user=user, role=Membership.Role.OWNER).exists():
        raise NotAnOwner


def _check_room_for_team(user: User) -> None:
    User.objects.select_for_update().get(pk=user.pk)
    if user.teams.filter(is_personal=False).count() >= MOST_TEAMS:
        raise TooManyTeams
