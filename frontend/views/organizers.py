"""The organizers' page of a competition, and the page that tells participants what is new."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from competitions.errors import InvalidInput
from competitions.selectors.competitions import get_competition
from competitions.selectors.news import news as read_news
from competitions.selectors.organizing import organizer_view
from competitions.services import moderation, publishing
from evaluation.errors import InvalidSuite
from evaluation.spec import load_suite, suite_ids
from frontend.organizer_forms import AnnouncementForm, RescoreForm
from frontend.viewer import signed_in_user

FIELDS: dict[str, str | Promise] = {
    "title": gettext_lazy("Title"),
    "summary": gettext_lazy("Summary"),
    "description": gettext_lazy("Description"),
    "title_zh": gettext_lazy("Title in Chinese"),
    "summary_zh": gettext_lazy("Summary in Chinese"),
    "description_zh": gettext_lazy("Description in Chinese"),
    "opens_at": gettext_lazy("Opening"),
    "closes_at": gettext_lazy("End"),
    "suite": gettext_lazy("Metric suite"),
    "dataset_version": gettext_lazy("Data"),
    "runs_per_day": gettext_lazy("Runs per day"),
    "runs_total": gettext_lazy("Runs in the phase"),
    "required_coverage": gettext_lazy("Share of pairs that must succeed"),
    "counting": gettext_lazy("Submission that counts"),
    "device": gettext_lazy("Device"),
    "memory_mb": gettext_lazy("Memory in MB"),
    "load_seconds": gettext_lazy("Seconds to load"),
    "pair_seconds": gettext_lazy("Seconds for a pair"),
    "run_seconds": gettext_lazy("Seconds for a whole run"),
}


@never_cache
@login_required
@require_safe
def organizer(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what to do next, the queue, failures, and what has been handed in."""
    return _page(request, slug, signed_in_user(request), AnnouncementForm())


@never_cache
@login_required
@require_POST
def announce(request: HttpRequest, slug: str) -> HttpResponse:
    """Tell everybody something."""
    user, form = signed_in_user(request), AnnouncementForm(request.POST)
    if form.is_valid():
        try:
            publishing.announce(slug=slug, user=user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, _("The announcement stands on the news page."))
            return redirect("organizer", slug)
    return _page(request, slug, user, form, status=400)


@login_required
@require_POST
def rescore(request: HttpRequest, slug: str) -> HttpResponse:
    """Have everything that a phase has scored scored by another suite."""
    user, form = signed_in_user(request), RescoreForm(request.POST)
    known = {pk for pk, *_rest in organizer_view(slug, user).phases}
    if not form.is_valid() or form.cleaned_data["phase"] not in known:
        raise InvalidInput
    try:
        suite = load_suite(form.cleaned_data["suite"])
    except InvalidSuite as error:
        raise InvalidInput(error.message, fix=error.fix) from error
    made = moderation.rescore_phase(phase_pk=form.cleaned_data["phase"], suite=suite, user=user)
    told = ngettext("{n} rescoring was queued.", "{n} rescorings were queued.", len(made))
    messages.success(request, told.format(n=len(made)))
    return redirect("organizer", slug)


@require_safe
def news(request: HttpRequest, slug: str) -> HttpResponse:
    """Tell what the organizers announced, and what they changed since the competition was published."""
    found = get_competition(slug, request.user)
    context = {
        "competition": found,
        "phase": found.phase,
        "news": read_news(slug, request.user),
        "fields": FIELDS,
    }
    return render(request, "frontend/news.html", context)


def _page(
    request: HttpRequest, slug: str, user: User, form: AnnouncementForm, *, status: int = 200
) -> HttpResponse:
    found = organizer_view(slug, user)
    context = {
        "competition": found,
        "form": form,
        "suites": suite_ids(),
        "news": read_news(slug, user),
        "fields": FIELDS,
    }
    return render(request, "frontend/organize/organizer.html", context, status=status)
