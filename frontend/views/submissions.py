"""Hand in an archive, follow its run, read its log and result."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import conditional_page, require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.selectors import find_team, teams_of
from accounts.services import ensure_personal_team
from competitions.errors import (
    CompetitionError,
    DuplicateSubmission,
    IllegalTransition,
    NotATeamMember,
    NotFound,
    PhaseClosed,
    TooManyFinals,
)
from competitions.selectors import competitions as competition_selectors
from competitions.selectors import submissions as selectors
from competitions.selectors.actions import actions_on
from competitions.selectors.competitions import CompetitionView, PhaseView
from competitions.selectors.finals import finals
from competitions.selectors.flags import review_of
from competitions.selectors.uploads import UploadView, content_of, get_upload
from competitions.services.finals import choose_final, drop_final
from competitions.services.submissions import Upload, create_submission
from frontend.explain import explain
from frontend.filters import filter_submissions
from frontend.forms import SubmitForm
from frontend.progress import log_context, outputs_context, progress_context, result_context
from frontend.uploads import upload_texts
from frontend.viewer import signed_in_user


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Take in an archive; what is refused stays on the form with code, sentence and advice."""
    competition = competition_selectors.get_competition(slug, request.user)
    phase = competition_selectors.find_phase(competition, request.GET.get("phase"))
    user = signed_in_user(request)
    ensure_personal_team(user=user)
    form = SubmitForm(request.POST or None, request.FILES or None, teams=teams_of(user))
    problem = None
    if form.is_valid():
        try:
            made = _create(phase, user, form)
        except CompetitionError as error:
            problem = error
        else:
            messages.success(request, _("The archive was received and checked."))
            return redirect("submission", made)
    return _submit_page(request, competition, phase, form, problem)


@never_cache
@login_required
@require_safe
def submission_list(request: HttpRequest) -> HttpResponse:
    """List what the viewer's teams have handed in, as far as the address asks for it."""
    user = signed_in_user(request)
    found = selectors.submissions_of(user)
    chosen = finals(found, user)
    filtered = filter_submissions(found, request.GET, chosen.chosen)
    context = {"has_any": bool(found), "filtered": filtered, "finals": chosen}
    return render(request, "frontend/submission_list.html", context)


@never_cache
@require_safe
def submission(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Show where a submission stands, its outputs and scores, and what the viewer may do with it."""
    found = selectors.get_submission(submission_id, request.user)
    context = progress_context(found, timezone.now()) | outputs_context(found) | result_context(found)
    context["actions"] = actions_on(found, request.user)
    context["finals"] = finals([found], request.user)
    context["review"] = review_of(found)
    if found.can_manage:
        context |= log_context(found, is_tail=True)
    return render(request, "frontend/submission.html", context)


@cache_control(private=True, no_cache=True)
@conditional_page
@require_safe
def submission_progress(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Answer a page that asks for news; at the end of the run it has the page load itself anew, once."""
    if not request.headers.get("HX-Request"):
        return redirect("submission", submission_id)
    found = selectors.get_submission(submission_id, request.user)
    context = progress_context(found, timezone.now())
    if request.GET.get("shown", "") != str(found.n_outputs):
        context |= outputs_context(found) | {"has_new_outputs": True}
    response = render(request, "frontend/_partials/progress.html", context)
    if not found.run.is_live:
        response["HX-Refresh"] = "true"
    return response


@cache_control(private=True, no_cache=True)
@require_safe
def submission_log(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Show the log of the latest run: as a page, as a part of one, or as plain text."""
    found = selectors.get_submission(submission_id, request.user)
    context = log_context(found, is_tail="tail" in request.GET)
    if "raw" in request.GET:
        return HttpResponse(str(context["log_text"]), content_type="text/plain; charset=utf-8")
    is_part = bool(request.headers.get("HX-Request"))
    template = "frontend/_partials/log.html" if is_part else "frontend/submission_log.html"
    return render(request, template, context)


@login_required
@require_POST
def submission_final(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Choose a submission to be ranked by, or take the choice back."""
    user = signed_in_user(request)
    try:
        if "drop" in request.POST:
            drop_final(submission_id=submission_id, user=user)
            messages.success(request, _("The choice was taken back."))
        else:
            choose_final(submission_id=submission_id, user=user)
            messages.success(request, _("Chosen: your team is ranked by this submission."))
    except (IllegalTransition, PhaseClosed, TooManyFinals) as error:
        told = explain(error)
        messages.error(request, f"{told.sentence} {told.fix}".strip())
    return redirect("submission", submission_id)


def _create(phase: PhaseView, user: User, form: SubmitForm) -> UUID:
    """Hand the form over to the service and return the key of the submission."""
    fields = form.cleaned_data
    team = find_team(user, fields["team"])
    if team is None:
        raise NotATeamMember
    content, size = fields["archive"], fields["archive"].size if fields["archive"] else 0
    if not content:
        content, size = content_of(fields["upload"], user)
    upload = Upload(content, size, note=fields["note"], allow_duplicate=fields["allow_duplicate"])
    return create_submission(phase_pk=phase.pk, team=team, user=user, upload=upload).pk


def _arrived(form: SubmitForm, user: User) -> UploadView | None:
    """Return the upload that the form names, if it is still there: its file need not be sent again."""
    try:
        found = get_upload(UUID(form["upload"].value() or ""), user)
    except (ValueError, NotFound):
        return None
    return found if found.state == "finished" else None


def _submit_page(
    request: HttpRequest,
    competition: CompetitionView,
    phase: PhaseView,
    form: SubmitForm,
    problem: CompetitionError | None,
) -> HttpResponse:
    """Show the form with what was typed; a file that was not sent in parts has to be chosen again."""
    user = signed_in_user(request)
    teams = teams_of(user)
    context = {
        "competition": competition,
        "phase": phase,
        "form": form,
        "problem": explain(problem) if problem else None,
        "offers_duplicate": isinstance(problem, DuplicateSubmission),
        "arrived": _arrived(form, user),
        "upload_texts": upload_texts(),
        "quotas": list(zip(teams, competition_selectors.quotas(phase, teams, user), strict=True)),
    }
    status = 400 if problem or form.errors else 200
    return render(request, "frontend/submit.html", context, status=status)
