"""The leaderboard of a phase."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from competitions.selectors import competitions as selectors
from competitions.selectors import leaderboards
from competitions.selectors.leaderboards import Leaderboard
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import MetricSpec

MAIN_COLUMNS = ("headline", "content", "style", "seconds")


@require_safe
def leaderboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the newest snapshot: ranked entries and baselines in order, then what is not ranked and why."""
    competition = selectors.get_competition(slug, request.user)
    phase = selectors.find_phase(competition, request.GET.get("phase"))
    board = leaderboards.leaderboard(competition, phase)
    context = {
        "competition": competition,
        "phase": phase,
        "board": board,
        "ranked": [row for row in board.rows if not row.unranked_reason],
        "unranked": [row for row in board.rows if row.unranked_reason],
        "further": _further_metrics(board),
    }
    return render(request, "frontend/leaderboard.html", context)


def _further_metrics(board: Leaderboard) -> list[MetricSpec]:
    """List the metrics that have no column of their own."""
    suite = board.phase.suite
    names = dict.fromkeys((*suite.content_parts, *suite.style_parts, *suite.columns, *suite.set_columns))
    return [METRIC_SPECS[name] for name in names if name in METRIC_SPECS and name not in MAIN_COLUMNS]
