"""The numbers of a leaderboard as files, in full precision; single pairs only where everybody may see them."""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator

from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from competitions.errors import NotFound
from competitions.selectors import competitions as selectors
from competitions.selectors.leaderboards import Leaderboard, RowView, leaderboard
from competitions.selectors.scores import released_scores
from competitions.spreadsheets import safe_cell

Cell = str | int | float | None


@require_safe
def leaderboard_download(request: HttpRequest, slug: str, file_name: str) -> StreamingHttpResponse:
    """Send one of the files of a board, row by row."""
    competition = selectors.get_competition(slug, request.user)
    phase = selectors.find_phase(competition, request.GET.get("phase"))
    if file_name not in FILES:
        raise NotFound("There is no such file.", fix=f"Files: {', '.join(FILES)}.")
    parts = FILES[file_name](leaderboard(competition, phase))
    kind = "application/json" if file_name.endswith(".json") else "text/csv; charset=utf-8"
    response = StreamingHttpResponse(parts, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{slug}-{phase.slug}-{file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _score_table(board: Leaderboard) -> Iterator[list[Cell]]:
    metrics = sorted({name for row in board.rows for name in row.values})
    ranks = ["position", "rank", "rank_low", "rank_high", "group", "group_last", "p_next"]
    ends = [column for name in metrics for column in (name, f"{name}_low", f"{name}_high")]
    yield [*ranks, *_WHO, "archive_bytes", "n_valid", "unranked_reason", *ends]
    for row in board.rows:
        line: list[Cell] = [getattr(row, name) for name in ranks]
        line += [*_who(row), row.archive_size, row.n_valid, row.unranked_reason]
        for name in metrics:
            found = row.values.get(name)
            line += [found.value, found.low, found.high] if found else [None, None, None]
        yield line


def _slice_table(board: Leaderboard) -> Iterator[list[Cell]]:
    yield [*_WHO, "axis", "slice", "n_pairs", "n_styles", "headline", "headline_low", "headline_high"]
    sizes = board.snapshot.slices if board.snapshot else {}
    for row in board.rows:
        for axis, labels in row.slices.items():
            for label, found in labels.items():
                size = sizes[axis][label]
                numbers = [size.n_pairs, size.n_styles, found.value, found.low, found.high]
                yield [*_who(row), axis, label, *numbers]


def _pair_table(board: Leaderboard) -> Iterator[list[Cell]]:
    suite = board.phase.suite
    own = ("headline", "content", "style", *suite.content_parts, *suite.style_parts, *suite.columns)
    metrics = list(dict.fromkeys(own))
    yield [*_WHO, "pair", "invalid", *metrics]
    for row, score in released_scores(board):
        yield [*_who(row), score.pair_name, score.invalid, *(score.values.get(name) for name in metrics)]


def _pair_json(board: Leaderboard) -> Iterator[str]:
    """Write one object a line, within one that says what they are about."""
    head = {"competition": board.competition.slug, "phase": board.phase.slug, "suite": board.suite}
    yield json.dumps(head)[:-1] + ', "pairs": ['
    separator = "\n"
    for row, score in released_scores(board):
        who = {"name": row.name, "team": row.team, "kind": row.kind, "run": str(row.run_id)}
        values = {name: _number(value) for name, value in score.values.items()}
        line = {"pair": score.pair_name, "invalid": score.invalid, "values": values}
        yield separator + json.dumps(who | line)
        separator = ",\n"
    yield "\n]}\n"


_WHO = ("name", "team", "kind", "submission", "run")


def _who(row: RowView) -> list[Cell]:
    return [row.name, row.team, row.kind, str(row.submission_id), str(row.run_id)]


def _number(value: float) -> float | None:
    """Return None for what JSON has no word for."""
    return value if math.isfinite(value) else None


class _Line:
    """Takes what the CSV writer writes, and hands it on."""

    def write(self, text: str) -> str:
        return text


def _csv(table: Callable[[Leaderboard], Iterable[list[Cell]]]) -> Callable[[Leaderboard], Iterator[str]]:
    def write(board: Leaderboard) -> Iterator[str]:
        writer = csv.writer(_Line())
        for line in table(board):
            yield writer.writerow([safe_cell(cell) for cell in line])

    return write


FILES: dict[str, Callable[[Leaderboard], Iterator[str]]] = {
    "scores.csv": _csv(_score_table),
    "slices.csv": _csv(_slice_table),
    "pairs.csv": _csv(_pair_table),
    "pairs.json": _pair_json,
}
