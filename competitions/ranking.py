"""From per-pair scores to a board: pure functions, with ranks that say how sure they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.aggregate import values_by_id
from evaluation.report import PairScore
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import DRAWS, bootstrap_means, percentile_interval, rank_intervals
from evaluation.statistics.design import Design
from evaluation.statistics.groups import group_entries

HEADLINE = "headline"
SEED = 20_260_101
METHOD = 3  # raise it when the same scores make another board, so that boards are made anew

Interval = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class PairDesign:
    """What the statistics need to know of a pair: which images and which culture it joins."""

    name: str
    split: str
    content: str
    style: str
    culture: str


@dataclass(frozen=True)
class Entry:
    """One scored generator. `key` names it in the result; `names` in the result follow the entries' order."""

    key: str
    is_baseline: bool
    scores: Mapping[str, PairScore]


@dataclass(frozen=True)
class Rank:
    """A rank among the entries that compete, its 95 % interval, and the groups that it belongs to.

    Entries whose ranges `group`..`group_last` meet cannot be told apart. `p_next` is the corrected p of the
    difference to the next rank; None for the last one, and where no test is reported.
    """

    rank: int
    low: int
    high: int
    group: int
    group_last: int
    p_next: float | None


@dataclass(frozen=True)
class RankedEntry:
    """One line of a board, best first; `rank` is None for baselines and for entries that are not ranked."""

    key: str
    rank: Rank | None
    values: Mapping[str, Interval]
    n_valid: int
    unranked_reason: str


@dataclass(frozen=True)
class SplitScore:
    """The aggregate of one metric over one split, with its 95 % interval."""

    metric: str
    split: str
    value: float
    low: float | None
    high: float | None
    n: int


def rank_entries(
    entries: Sequence[Entry],
    pairs: Sequence[PairDesign],
    *,
    required_coverage: float,
    seed: int = SEED,
    draws: int = DRAWS,
) -> list[RankedEntry]:
    """Order entries by headline score over all `pairs`, with shared ranks, rank intervals and groups.

    `seed` is that of the bootstrap draws and of the sign flips. Baselines stand in the order but take no rank,
    so they push nobody down. An entry below the required coverage stands at the end, unranked. The order of
    `entries` does not matter.
    """
    entries = sorted(entries, key=lambda entry: entry.key)
    if not entries:
        return []
    board = _board(entries, pairs, draws, seed)
    n_valid = [_count_valid(entry, pairs) for entry in entries]
    reasons = [
        "" if n >= required_coverage * len(pairs) else f"{n} of {len(pairs)} pairs have a valid output"
        for n in n_valid
    ]
    chosen = [index for index, entry in enumerate(entries) if not entry.is_baseline and not reasons[index]]
    ranks = _ranks(board, chosen, seed)
    values = _intervals(board)
    lines = [
        RankedEntry(
            key=entry.key,
            rank=ranks.get(entry.key),
            values=values[entry.key],
            n_valid=n_valid[index],
            unranked_reason=reasons[index],
        )
        for index, entry in enumerate(entries)
    ]
    return sorted(lines, key=lambda line: (bool(line.unranked_reason), -line.values[HEADLINE][0], line.key))


def split_scores(
    scores: Mapping[str, PairScore], pairs: Sequence[PairDesign], *, seed: int = SEED, draws: int = DRAWS
) -> list[SplitScore]:
    """Aggregate the per-pair scores of one run for each split, with intervals from the same bootstrap."""
    entry, result = Entry("run", False, scores), []
    for split in sorted({pair.split for pair in pairs}):
        members = [pair for pair in pairs if pair.split == split]
        n = _count_valid(entry, members)
        for metric, (value, low, high) in _intervals(_board([entry], members, draws, seed))["run"].items():
            result.append(SplitScore(metric, split, value, low, high, n))
    return result


@dataclass(frozen=True)
class _Table:
    """One metric: rows are the entries that have any value for it, columns the pairs."""

    keys: tuple[str, ...]
    values: np.ndarray  # (E, P), NaN where a value is missing
    drawn: np.ndarray  # (E, B)


@dataclass(frozen=True)
class _Board:
    """Every metric of every entry over the same pairs, drawn with the same draws."""

    design: Design
    tables: Mapping[str, _Table]


def _board(entries: Sequence[Entry], pairs: Sequence[PairDesign], draws: int, seed: int) -> _Board:
    design = Design(
        tuple(pair.style for pair in pairs),
        tuple(pair.content for pair in pairs),
        tuple(pair.culture for pair in pairs),
    )
    found = {name for entry in entries for score in entry.scores.values() for name in score.values}
    names, tables = [pair.name for pair in pairs], {}
    for metric in sorted(found | {HEADLINE}):
        rows = np.array([values_by_id(entry.scores, names, metric) for entry in entries])
        is_kept = np.isfinite(rows).any(axis=1)
        keys = tuple(entry.key for entry, keep in zip(entries, is_kept, strict=True) if keep)
        drawn = bootstrap_means(rows[is_kept], design, draws, seed=seed)
        tables[metric] = _Table(keys, rows[is_kept], drawn)
    return _Board(design, tables)


def _count_valid(entry: Entry, pairs: Sequence[PairDesign]) -> int:
    return sum(pair.name in entry.scores and not entry.scores[pair.name].invalid for pair in pairs)


def _intervals(board: _Board) -> dict[str, dict[str, Interval]]:
    result: dict[str, dict[str, Interval]] = {}
    for metric, table in board.tables.items():
        low, high = percentile_interval(table.drawn)
        means = board.design.means(table.values)
        for key, *numbers in zip(table.keys, means.tolist(), low.tolist(), high.tolist(), strict=True):
            result.setdefault(key, {})[metric] = (numbers[0], numbers[1], numbers[2])
    return result


def _ranks(board: _Board, chosen: Sequence[int], seed: int) -> dict[str, Rank]:
    """Rank the entries that compete; ties share the better rank."""
    if not chosen:
        return {}
    table = board.tables[HEADLINE]
    values, drawn = table.values[chosen], table.drawn[chosen]
    means = board.design.means(values)
    low, high = rank_intervals(drawn, Direction.HIGHER)
    groups = group_entries(values, board.design, drawn, seed=seed)
    ranks = [1 + int((means > mean).sum()) for mean in means]
    return {
        table.keys[index]: Rank(
            rank=rank,
            low=min(rank, int(low[place])),
            high=max(rank, int(high[place])),
            group=groups.first[place],
            group_last=groups.last[place],
            p_next=groups.p_next[place],
        )
        for place, (index, rank) in enumerate(zip(chosen, ranks, strict=True))
    }
