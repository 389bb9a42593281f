"""What is decided of a submission, on its page or the organizers': run again, cancel, disqualify, reinstate.

The services know who may.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from competitions.errors import IllegalTransition, InvalidInput
from competitions.selectors.submissions import get_submission, get_submission_of_run
from competitions.services import moderation
from competitions.services.submissions import cancel_submission, retry_submission
from frontend.forms import ReasonForm
from frontend.viewer import signed_in_user


@login_required
@require_POST
def submission_retry(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Queue a cancelled or broken run anew for its team."""
    retry_submission(submission_id=submission_id, user=signed_in_user(request))
    messages.success(request, _("The submission was queued anew."))
    return redirect("submission", submission_id)


@login_required
@require_POST
def submission_rerun(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Queue a submission anew for its organizers."""
    moderation.rerun(submission_id=submission_id, user=signed_in_user(request))
    messages.success(request, _("The submission was queued anew."))
    return _back(request, submission_id)


@login_required
@require_POST
def submission_cancel(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """End the live run of a submission that the viewer may manage."""
    try:
        cancel_submission(submission_id=submission_id, user=signed_in_user(request))
        messages.success(request, _("The run was cancelled."))
    except IllegalTransition:
        messages.info(request, _("The run had already ended."))
    return _back(request, submission_id)


@login_required
@require_POST
def run_cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """End one live run of any purpose for its organizers."""
    submission = get_submission_of_run(run_id, request.user)
    try:
        moderation.cancel_run(run_id=run_id, user=signed_in_user(request))
        messages.success(request, _("The run was cancelled."))
    except IllegalTransition:
        messages.info(request, _("The run had already ended."))
    return redirect("submission", submission.id)


@login_required
@require_POST
def submission_disqualify(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Take a submission off the board."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(fields={name: " ".join(map(str, found)) for name, found in form.errors.items()})
    moderation.disqualify(submission_id=submission_id, user=signed_in_user(request), **form.cleaned_data)
    messages.success(request, _("The submission was disqualified."))
    return _back(request, submission_id)


@login_required
@require_POST
def submission_reinstate(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Put a submission back onto the board."""
    moderation.lift(submission_id=submission_id, user=signed_in_user(request))
    messages.success(request, _("The submission was reinstated."))
    return _back(request, submission_id)


def _back(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Return to the page whose button it was."""
    if "from_organizer" in request.POST:
        return redirect("organizer", get_submission(submission_id, request.user).competition)
    return redirect("submission", submission_id)
