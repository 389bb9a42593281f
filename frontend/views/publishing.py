"""Take in the pictures of a competition, try its set-up out, and publish it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from competitions.errors import CompetitionError
from competitions.selectors import drafts as selectors
from competitions.services import intake, publishing
from competitions.setting_up import Step
from competitions.storage import open_file
from frontend.explain import explain
from frontend.organizer_forms import ArchiveForm, FolderForm, ReasonToPublishForm
from frontend.setup_pages import step_context, trial_context
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
        return _data_page(request, slug, user, None, form=form)
    archive = form.cleaned_data["archive"]
    take_in = partial(intake.take_in_zip, slug=slug, user=user, content=archive, size=archive.size)
    return _taken_in(request, slug, take_in, form=form)


@never_cache
@login_required
@require_POST
def data_folder(request: HttpRequest, slug: str) -> HttpResponse:
    """Take in a folder of the server, for staff."""
    user = signed_in_user(request)
    form = FolderForm(request.POST)
    if not form.is_valid():
        return _data_page(request, slug, user, None, folder_form=form)
    folder = Path(form.cleaned_data["folder"])
    take_in = partial(intake.take_in_folder, slug=slug, user=user, folder=folder)
    return _taken_in(request, slug, take_in, folder_form=form)


@login_required
@cache_control(private=True, max_age=3600, immutable=True)
@require_safe
def report_thumbnail(request: HttpRequest, slug: str, sha256: str) -> HttpResponse:
    """Serve a small picture of the report to the organizers."""
    with open_file(selectors.thumbnail(slug, sha256, request.user)) as file:
        response = HttpResponse(file.read(), content_type="image/webp")
    response["X-Content-Type-Options"] = "nosniff"
    return response


@login_required
@require_POST
def dry_run_start(request: HttpRequest, slug: str) -> HttpResponse:
    """Queue two baselines."""
    user = signed_in_user(request)
    try:
        publishing.start_dry_run(slug=slug, user=user)
    except CompetitionError as error:
        return _publish_page(request, slug, user, error, ReasonToPublishForm())
    messages.success(request, _("Two baselines were queued; they go before everybody's entries."))
    return redirect("setup", slug, Step.PUBLISH)


@never_cache
@login_required
@require_safe
def dry_run_progress(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer a page that asks how the dry run goes; at its end the page loads itself anew, once."""
    if not request.headers.get("HX-Request"):
        return redirect("setup", slug, Step.PUBLISH)
    draft = selectors.get_draft(slug, request.user)
    trial = selectors.dry_run(slug, request.user)
    response = render(request, "frontend/_partials/dry_run.html", {"draft": draft} | trial_context(trial))
    if not trial.is_live:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the competition to everybody."""
    user, form = signed_in_user(request), ReasonToPublishForm(request.POST)
    if not form.is_valid():
        return _publish_page(request, slug, user, None, form)
    try:
        publishing.publish_draft(slug=slug, user=user, reason=form.cleaned_data["reason"])
    except CompetitionError as error:
        return _publish_page(request, slug, user, error, form)
    messages.success(request, _("The competition is published."))
    return redirect("organizer", slug)


def _taken_in(
    request: HttpRequest, slug: str, take_in: Callable[[], object], **forms: object
) -> HttpResponse:
    """Take pictures in and lead to their report; what all of them are refused for stands above the form."""
    try:
        take_in()
    except CompetitionError as error:
        return _data_page(request, slug, signed_in_user(request), error, **forms)
    messages.success(request, _("Every file was looked at: the report tells what was found."))
    return redirect("setup", slug, Step.DATA)


def _data_page(
    request: HttpRequest, slug: str, user: User, problem: CompetitionError | None, **more: object
) -> HttpResponse:
    context = step_context(selectors.get_draft(slug, user), Step.DATA, user) | more
    context["problem"] = explain(problem) if problem else None
    context["rule"] = problem.fields.get("rule", "") if problem else ""
    return render(request, "frontend/organize/data.html", context, status=400)


def _publish_page(
    request: HttpRequest, slug: str, user: User, problem: CompetitionError | None, form: ReasonToPublishForm
) -> HttpResponse:
    context = step_context(selectors.get_draft(slug, user), Step.PUBLISH, user) | {"form": form}
    context["problem"] = explain(problem) if problem else None
    return render(request, "frontend/organize/publish.html", context, status=400)
