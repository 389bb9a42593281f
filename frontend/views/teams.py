"""Teams: start one, invite by link, join, leave, and who may do what in it."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import memberships, selectors
from accounts.errors import TeamError
from accounts.models import Membership, Team
from frontend.forms import TeamForm
from frontend.viewer import signed_in_user

ROLES = {"make_owner": Membership.Role.OWNER, "make_member": Membership.Role.MEMBER}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team_list(request: HttpRequest) -> HttpResponse:
    """List the viewer's teams, and start another."""
    user = signed_in_user(request)
    form = TeamForm(request.POST or None)
    if form.is_valid():
        try:
            return redirect("team", memberships.start_team(user=user, name=form.cleaned_data["name"]).slug)
        except TeamError as error:
            form.add_error("name", _sentence(error))
    rows = [(team, selectors.members_of(team)) for team in selectors.teams_of(user)]
    status = 400 if form.errors else 200
    return render(request, "frontend/teams/list.html", {"form": form, "rows": rows}, status=status)


@never_cache
@login_required
@require_safe
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who belongs to a team; owners also see its invitations."""
    found = _team(request, slug)
    can_manage = selectors.is_owner(signed_in_user(request), found) and not found.is_personal
    links = [
        (row, request.build_absolute_uri(reverse("team_join", args=[selectors.token_of(row)])))
        for row in (selectors.invitations_of(found) if can_manage else [])
    ]
    members = selectors.members_of(found)
    context = {"team": found, "members": members, "can_manage": can_manage, "links": links}
    return render(request, "frontend/teams/team.html", context)


@login_required
@require_POST
def team_invite(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a link by which others join."""
    found, user = _team(request, slug), signed_in_user(request)
    if _is_done(request, partial(memberships.invite, team=found, user=user)):
        messages.success(request, _("Here is the link; send it to whom you want in the team."))
    return redirect("team", slug)


@login_required
@require_POST
def invitation_revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Make a link useless."""
    found, user = _team(request, slug), signed_in_user(request)
    revoke = partial(memberships.revoke_invitation, team=found, user=user, invitation_id=invitation_id)
    if _is_done(request, revoke):
        messages.success(request, _("The link no longer works."))
    return redirect("team", slug)


@login_required
@require_POST
def team_leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the viewer out of a team."""
    found, user = _team(request, slug), signed_in_user(request)
    if not _is_done(request, partial(memberships.leave, team=found, user=user)):
        return redirect("team", slug)
    messages.success(request, _("You have left {team}.").format(team=found.name))
    return redirect("team_list")


@login_required
@require_POST
def member_change(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Change what a member may do, or take the member out."""
    found, user = _team(request, slug), signed_in_user(request)
    role = next((role for name, role in ROLES.items() if name in request.POST), None)
    if role is not None:
        _is_done(request, partial(memberships.set_role, team=found, user=user, member_id=user_id, role=role))
    elif "remove" in request.POST:
        _is_done(request, partial(memberships.remove_member, team=found, user=user, member_id=user_id))
    is_in = found.memberships.filter(user=user).exists()
    return redirect("team", slug) if is_in else redirect("team_list")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team_join(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whoever comes by a link whether to join, then do it."""
    problem = None
    if request.method == "POST":
        try:
            joined = memberships.join(token=token, user=signed_in_user(request))
        except TeamError as error:
            problem = _sentence(error)
        else:
            messages.success(request, _("You belong to {team} now.").format(team=joined.name))
            return redirect("team", joined.slug)
    context = {"invitation": selectors.find_invitation(token), "problem": problem}
    status = 400 if problem else 200
    return render(request, "frontend/teams/join.html", context, status=status)


def _team(request: HttpRequest, slug: str) -> Team:
    found = selectors.find_team(signed_in_user(request), slug)
    if found is None:
        raise Http404
    return found


def _is_done(request: HttpRequest, change: Callable[[], object]) -> bool:
    """Carry a change of a team out; what is refused stands on the next page, with what to do."""
    try:
        change()
    except TeamError as error:
        messages.error(request, _sentence(error))
        return False
    return True


def _sentence(error: TeamError) -> str:
    """Say a refusal in the reader's language, with what to do."""
    return f"{_(error.message)} {_(error.fix) if error.fix else ''}".strip()
