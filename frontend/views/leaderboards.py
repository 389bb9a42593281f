"""The leaderboard of a phase, as a page and as files."""

from collections.abc import Collection, Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.selectors import teams_of
from competitions.selectors import competitions as selectors
from competitions.selectors import leaderboards
from competitions.selectors.leaderboards import Leaderboard
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import MetricSpec
from frontend.boards import (
    BoardView,
    Line,
    ordered_lines,
    other_pairs,
    page_links,
    page_of,
    read_strip,
    read_view,
    slice_choices,
    view_title,
    weight_choices,
    worst_slices,
)
from frontend.plots import tradeoff_plot

MAIN_COLUMNS = ("headline", "content", "style", "seconds")
NARROW = (360, 340)  # width and height of the plot on a phone


@require_safe
def leaderboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the newest snapshot: a plot, then entries and baselines in order, then what is not ranked and why."""
    competition = selectors.get_competition(slug, request.user)
    phase = selectors.find_phase(competition, request.GET.get("phase"))
    board = leaderboards.leaderboard(competition, phase, strip=read_strip(request.GET) - 1)
    view = read_view(request.GET, board)
    lines = ordered_lines(board, view)
    own = _own_teams(request)
    shown, pages = page_of(lines, view)
    context = {
        "competition": competition,
        "phase": phase,
        "board": board,
        "view": view,
        "view_title": view_title(view),
        "ranked": [(line, worst_slices(line.row, board)) for line in shown if not line.row.unranked_reason],
        "unranked": [(line, []) for line in shown if line.row.unranked_reason],
        "n_entries": sum(row.kind != "baseline" for row in board.rows),
        "shown": shown,
        "own_teams": own,
        "pages": pages,
        "other_pairs": other_pairs(board, view),
        "baselines_shown": view.link(has_baselines=True),
        "baselines_hidden": view.link(has_baselines=False),
        "slices": slice_choices(board, view),
        "weights": weight_choices(board, view),
        "further": _further_metrics(board),
        "style_share": round(100 * board.phase.suite.style_weight),
    }
    return render(request, "frontend/leaderboard.html", context | _plots(lines, view, own))


def _plots(lines: Sequence[Line], view: BoardView, own: Collection[int]) -> dict[str, object]:
    """Draw the plot twice: names and marks keep their size on a narrow screen."""
    rows = sorted((line.row for line in lines), key=lambda row: row.position)
    pages = page_links(lines, view)
    width, height = NARROW
    return {
        "plot": tradeoff_plot(rows, pages=pages, own_teams=own),
        "narrow_plot": tradeoff_plot(
            rows, width=width, height=height, pages=pages, own_teams=own, has_names=False
        ),
    }


def _own_teams(request: HttpRequest) -> frozenset[int]:
    """Return the teams whose entries are the reader's: also those that a team mate has handed in."""
    return (
        frozenset(team.pk for team in teams_of(request.user))
        if isinstance(request.user, User)
        else frozenset()
    )


def _further_metrics(board: Leaderboard) -> list[MetricSpec]:
    """List the metrics that have no column of their own."""
    suite = board.phase.suite
    names = dict.fromkeys((*suite.content_parts, *suite.style_parts, *suite.columns, *suite.set_columns))
    return [METRIC_SPECS[name] for name in names if name in METRIC_SPECS and name not in MAIN_COLUMNS]
