"""Take in the pictures of a competition: few at once, many by a worker while the page tells how far it is."""

from pathlib import Path

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from competitions.errors import CompetitionError
from competitions.selectors import drafts as selectors
from competitions.selectors.surveys import survey_of
from competitions.services import intake, surveys
from competitions.setting_up import Step
from competitions.storage import open_file
from frontend.organizer_forms import ArchiveForm, FolderForm
from frontend.setup_pages import refusal_context, step_context
from frontend.viewer import signed_in_user


@never_cache
@login_required
@require_POST
def data_upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a zip in; its report stands on the page afterwards, and so does what the zip itself is refused for."""
    user = signed_in_user(request)
    selectors.get_draft_row(slug, user)  # before the file is looked at
    form = ArchiveForm(request.POST, request.FILES)
    if not form.is_valid():
        return _data_page(request, slug, None, form=form)
    archive = form.cleaned_data["archive"]
    try:
        is_done = surveys.hand_in_zip(slug=slug, user=user, content=archive, size=archive.size)
    except CompetitionError as error:
        return _data_page(request, slug, error, form=form)
    if is_done:
        _tell_done(request)
    return redirect("setup", slug, Step.DATA)


@never_cache
@login_required
@require_POST
def data_folder(request: HttpRequest, slug: str) -> HttpResponse:
    """Take in a folder of the server, for staff."""
    user = signed_in_user(request)
    form = FolderForm(request.POST)
    if not form.is_valid():
        return _data_page(request, slug, None, folder_form=form)
    try:
        intake.take_in_folder(slug=slug, user=user, folder=Path(form.cleaned_data["folder"]))
    except CompetitionError as error:
        return _data_page(request, slug, error, folder_form=form)
    _tell_done(request)
    return redirect("setup", slug, Step.DATA)


@never_cache
@login_required
@require_safe
def data_progress(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer a page that asks how far the survey is; at its end the page loads itself anew, once."""
    if not request.headers.get("HX-Request"):
        return redirect("setup", slug, Step.DATA)
    survey = survey_of(slug, request.user)
    response = render(request, "frontend/_partials/data_survey.html", {"survey": survey, "slug": slug})
    if survey is None:
        _tell_done(request)
    if survey is None or not survey.is_live:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def data_again(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a survey whose worker is lost to another one."""
    try:
        surveys.start_again(slug=slug, user=signed_in_user(request))
    except CompetitionError as error:
        return _data_page(request, slug, error)
    return redirect("setup", slug, Step.DATA)


@login_required
@require_POST
def data_stop(request: HttpRequest, slug: str) -> HttpResponse:
    """Throw away the files that are being looked at."""
    surveys.stop(slug=slug, user=signed_in_user(request))
    return redirect("setup", slug, Step.DATA)


@login_required
@cache_control(private=True, max_age=3600, immutable=True)
@require_safe
def report_thumbnail(request: HttpRequest, slug: str, sha256: str) -> HttpResponse:
    """Serve a small picture of the report to the organizers."""
    with open_file(selectors.thumbnail(slug, sha256, request.user)) as file:
        response = HttpResponse(file.read(), content_type="image/webp")
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _tell_done(request: HttpRequest) -> None:
    messages.success(request, _("Every file was looked at: the report tells what was found."))


def _data_page(
    request: HttpRequest, slug: str, problem: CompetitionError | None, **forms: object
) -> HttpResponse:
    user = signed_in_user(request)
    context = step_context(selectors.get_draft(slug, user), Step.DATA, user) | forms
    return render(request, "frontend/organize/data.html", context | refusal_context(problem), status=400)
