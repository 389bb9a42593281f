"""Try the set-up of a competition out, and publish it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from competitions.errors import CompetitionError
from competitions.selectors import drafts as selectors
from competitions.services import publishing
from competitions.setting_up import Step
from frontend.explain import explain
from frontend.organizer_forms import ReasonToPublishForm
from frontend.setup_pages import step_context, trial_context
from frontend.viewer import signed_in_user


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


def _publish_page(
    request: HttpRequest, slug: str, user: User, problem: CompetitionError | None, form: ReasonToPublishForm
) -> HttpResponse:
    context = step_context(selectors.get_draft(slug, user), Step.PUBLISH, user) | {"form": form}
    context["problem"] = explain(problem) if problem else None
    return render(request, "frontend/organize/publish.html", context, status=400)
