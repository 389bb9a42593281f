"""Released pairs: all of them as a grid, and one with the outputs of all generators."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from competitions.selectors import competitions as selectors
from competitions.selectors import galleries, leaderboards
from competitions.selectors.scores import scores_of_pair
from frontend.boards import Choice
from frontend.galleries import (
    PER_PAGE,
    PairQuery,
    facet_choices,
    grid_of,
    maker_choices,
    read_pair_query,
    read_sheet,
    shown_pairs,
    side_of,
)


@require_safe
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the released pairs, contents against styles, in the pictures of one generator."""
    competition = selectors.get_competition(slug, request.user)
    phase = selectors.find_phase(competition, request.GET.get("phase"))
    rows = leaderboards.board_rows(phase)
    pairs = galleries.released_pairs(phase)
    sheet = read_sheet(request.GET, rows, pairs)
    chosen = shown_pairs(pairs, sheet)
    maker = sheet.maker
    pictures = galleries.pictured_pairs([maker], [p.view.pk for p in chosen]) if maker else {}
    context = {
        "competition": competition,
        "phase": phase,
        "sheet": sheet,
        "maker": maker,
        "makers": maker_choices(rows, sheet),
        "facets": facet_choices(pairs, sheet),
        "grid": grid_of(chosen, sheet),
        "pictured": pictures.get(maker.run_id, frozenset()) if maker else frozenset(),
        "n_pairs": len(pairs),
    }
    return render(request, "frontend/gallery.html", context)


@require_safe
def pair(request: HttpRequest, slug: str, pair_name: str) -> HttpResponse:
    """Show one released pair: two pictures over each other, and the outputs of all generators."""
    competition = selectors.get_competition(slug, request.user)
    phase = selectors.find_phase(competition, request.GET.get("phase"))
    pairs = galleries.released_pairs(phase)
    place = galleries.find_pair(pairs, pair_name)
    view = pairs[place].view
    board = leaderboards.board_rows(phase)
    pictures = galleries.pictured_pairs(board, [view.pk])
    rows = [row for row in board if view.pk in pictures[row.run_id]]
    query = read_pair_query(request.GET, rows)
    start = (query.page - 1) * PER_PAGE
    shown = rows[start : start + PER_PAGE]
    scores = scores_of_pair(pairs[place], shown)
    context = {
        "competition": competition,
        "phase": phase,
        "pair": view,
        "query": query,
        "first": side_of(query.a, rows),
        "second": side_of(query.b, rows),
        "outputs": [(row, scores.get(row.run_id, {})) for row in shown],
        "originals": [(key, side_of(key, rows)) for key in ("content", "style")],
        "pages": _pages(query, len(rows)),
        "previous": pairs[place - 1].view if place else None,
        "next": pairs[place + 1].view if place + 1 < len(pairs) else None,
    }
    return render(request, "frontend/pair.html", context)


def _pages(query: PairQuery, n_rows: int) -> list[Choice]:
    n_pages = -(-n_rows // PER_PAGE)
    return (
        [Choice(str(n), query.link(page=n), n == query.page) for n in range(1, n_pages + 1)]
        if n_pages > 1
        else []
    )
