"""Two submissions against each other."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from competitions.errors import NotComparable, NotFound
from competitions.selectors import comparisons
from competitions.selectors.comparisons import METRICS, ComparedRun
from competitions.selectors.competitions import find_phase, get_competition
from competitions.selectors.leaderboards import RowView, board_rows
from evaluation.metrics.registry import METRIC_SPECS
from frontend.explain import explain
from frontend.plots import difference_bars

MAX_CHOICES = 100


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show how far two submissions are apart; with one of them named, offer what it can be compared with."""
    first, second = _read_key(request, "a"), _read_key(request, "b")
    metric = request.GET.get("metric", "")
    context: dict[str, object] = {
        "metric": metric if metric in METRICS else METRICS[0],
        "metrics": [METRIC_SPECS[name] for name in METRICS],
        "note": _note(request),
    }
    if first is None:
        return render(request, "frontend/compare_choice.html", context)
    if second is None or second == first:
        return _choice(request, comparisons.compared_run(first, request.user), context)
    try:
        found = comparisons.compare_submissions(first, second, request.user, metric=str(context["metric"]))
    except NotComparable as error:
        context["problem"] = explain(error)
        return _choice(request, comparisons.compared_run(first, request.user), context)
    context |= {"found": found, "headline": found.metrics[0], "bars": difference_bars(found.metrics)}
    return render(request, "frontend/compare.html", context)


def _choice(request: HttpRequest, first: ComparedRun, context: dict[str, object]) -> HttpResponse:
    rows: tuple[RowView, ...] = ()
    try:
        competition = get_competition(first.competition, request.user)
        rows = board_rows(find_phase(competition, first.phase))
    except NotFound:  # seen by its team only
        pass
    others = [row for row in rows if row.submission_id != first.submission_id][:MAX_CHOICES]
    context |= {"first": first, "others": others}
    return render(request, "frontend/compare_choice.html", context)


def _read_key(request: HttpRequest, name: str) -> UUID | None:
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None


def _note(request: HttpRequest) -> str:
    """Say which part of the address means nothing."""
    wrong = [
        request.GET[key] for key in ("a", "b") if request.GET.get(key) and _read_key(request, key) is None
    ]
    if request.GET.get("metric", METRICS[0]) not in METRICS:
        wrong.append(request.GET["metric"])
    return _("“{text}” means nothing here.").format(text=wrong[0][:80]) if wrong else ""
