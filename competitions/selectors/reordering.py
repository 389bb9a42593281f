"""The rows of a board in another order than the official one: by a slice, or by another weighting."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from competitions.errors import NotFound, SliceTooThin
from competitions.selectors.leaderboards import Estimate, Leaderboard, RowView
from competitions.slicing import SliceSize
from evaluation.statistics.slices import MIN_PAIRS


@dataclass(frozen=True)
class Line:
    """A row as the view shows it: its number in the view, from `place_low` to `place_high`, none for baselines."""

    row: RowView
    shown: Estimate | None = None
    place_low: int | None = None
    place_high: int | None = None


def slice_size(board: Leaderboard, axis: str, label: str) -> SliceSize:
    """Return how large a slice of the board is.

    Raises:
        NotFound: the board has no such slice.
        SliceTooThin: it has too few pairs or styles for numbers of its own.
    """
    sizes = board.snapshot.slices if board.snapshot else {}
    size = sizes.get(axis, {}).get(label)
    if size is None:
        raise NotFound(
            "There is no such slice on this board.", fix="The snapshot of the board lists its slices."
        )
    if size.is_thin:
        count = f"n = {size.n_pairs}" if size.n_pairs < MIN_PAIRS else f"{size.n_styles} styles"
        raise SliceTooThin(f"{count}: too few to rank.")
    return size


def reordered(rows: Sequence[RowView], value_of: Callable[[RowView], Estimate | None]) -> list[Line]:
    """Order rows by a value, the best first; rows that are not ranked, or have none, stay at the end."""
    lines = [Line(row, value_of(row)) for row in rows]
    known = [line for line in lines if line.shown and not line.row.unranked_reason]
    rest = [line for line in lines if not line.shown or line.row.unranked_reason]
    return [*_placed(sorted(known, key=_from_best)), *rest]


def _from_best(line: Line) -> tuple[float, int]:
    return (-line.shown.value if line.shown else math.inf, line.row.position)


def _placed(lines: Sequence[Line]) -> list[Line]:
    """Number the entries from the first to the last place that their intervals allow."""
    entries = [line.shown for line in lines if line.shown and line.row.rank is not None]
    lows = sorted(e.value if e.low is None else e.low for e in entries)
    highs = sorted(e.value if e.high is None else e.high for e in entries)
    made = []
    for line in lines:
        if line.row.rank is None or line.shown is None:
            made.append(line)
            continue
        low = line.shown.value if line.shown.low is None else line.shown.low
        high = line.shown.value if line.shown.high is None else line.shown.high
        first = 1 + len(lows) - bisect_right(lows, high)
        last = max(first, len(highs) - bisect_right(highs, low))
        made.append(replace(line, place_low=first, place_high=last))
    return made
