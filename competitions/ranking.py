"""From per-pair scores to a board: pure functions, with ranks that say how sure they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.aggregate import hierarchical_mean, values_by_id
from evaluation.report import PairScore
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import (
    bootstrap_means,
    indistinguishable_groups,
    percentile_interval,
    rank_intervals,
)

HEADLINE = "headline"
DRAWS = 2000
SEED = 20_260_101

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
    """A rank among the entries that compete, its 95 % interval, and the group that cannot be told apart."""

    rank: int
    low: int
    high: int
    group: int


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
    """Order entries by headline score over all `pairs`, with shared ranks and rank intervals.

    Entries whose 95 % interval of the headline difference holds 0, or differs by less than the practical
    margin, share a group. Baselines stand in the order but take no rank, so they push nobody down. An entry
    below the required coverage stands at the end, unranked. The order of `entries` does not matter.
    """
    entries = sorted(entries, key=lambda entry: entry.key)
    if not entries:
        return []
    design = _Design(tuple(pairs), seed, draws)
    tables = {metric: _table(entries, pairs, metric) for metric in _metrics(entries)}
    values = _intervals(tables, design)
    n_valid = [_count_valid(entry, pairs) for entry in entries]
    reasons = [
        "" if n >= required_coverage * len(pairs) else f"{n} of {len(pairs)} pairs have a valid output"
        for n in n_valid
    ]
    ranks = _ranks(entries, reasons, tables[HEADLINE], design)
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
        tables = {metric: _table([entry], members, metric) for metric in _metrics([entry])}
        n = _count_valid(entry, members)
        result += [
            SplitScore(metric, split, value, low, high, n)
            for metric, (value, low, high) in _intervals(tables, _Design(tuple(members), seed, draws))[
                "run"
            ].items()
        ]
    return result


def _metrics(entries: Sequence[Entry]) -> list[str]:
    found = {name for entry in entries for score in entry.scores.values() for name in score.values}
    return sorted(found | {HEADLINE})


@dataclass(frozen=True)
class _Table:
    """One metric: rows are the entries that have any value for it, columns the pairs."""

    keys: tuple[str, ...]
    values: np.ndarray  # (E, P), NaN where a value is missing


def _table(entries: Sequence[Entry], pairs: Sequence[PairDesign], metric: str) -> _Table:
    names = [pair.name for pair in pairs]
    rows = np.array([values_by_id(entry.scores, names, metric) for entry in entries])
    kept = [bool(np.isfinite(row).any()) for row in rows]
    return _Table(tuple(e.key for e, keep in zip(entries, kept, strict=True) if keep), rows[kept])


def _count_valid(entry: Entry, pairs: Sequence[PairDesign]) -> int:
    return sum(pair.name in entry.scores and not entry.scores[pair.name].invalid for pair in pairs)


@dataclass(frozen=True)
class _Design:
    """Over which pairs is averaged, and how they are drawn again."""

    pairs: tuple[PairDesign, ...]
    seed: int
    draws: int

    @property
    def styles(self) -> list[str]:
        return [pair.style for pair in self.pairs]

    @property
    def cultures(self) -> list[str]:
        return [pair.culture for pair in self.pairs]

    def mean(self, row: np.ndarray) -> float:
        return hierarchical_mean(row.tolist(), self.styles, self.cultures)

    def draw(self, rows: np.ndarray) -> np.ndarray:
        contents = [pair.content for pair in self.pairs]
        return bootstrap_means(rows, self.styles, contents, self.cultures, self.draws, seed=self.seed)


def _intervals(tables: Mapping[str, _Table], design: _Design) -> dict[str, dict[str, Interval]]:
    result: dict[str, dict[str, Interval]] = {}
    for metric, table in tables.items():
        if not table.keys:
            continue
        low, high = percentile_interval(design.draw(table.values))
        for index, key in enumerate(table.keys):
            interval = (design.mean(table.values[index]), float(low[index]), float(high[index]))
            result.setdefault(key, {})[metric] = interval
    return result


def _ranks(
    entries: Sequence[Entry], reasons: Sequence[str], headline: _Table, design: _Design
) -> dict[str, Rank]:
    """Rank the entries that compete; ties share the better rank."""
    chosen = [index for index, entry in enumerate(entries) if not entry.is_baseline and not reasons[index]]
    if not chosen:
        return {}
    values = headline.values[chosen]
    means = np.array([design.mean(row) for row in values])
    drawn = design.draw(values)
    low, high = rank_intervals(drawn, Direction.HIGHER)
    groups = indistinguishable_groups(means, drawn, Direction.HIGHER)
    ranks = [1 + int((means > mean).sum()) for mean in means]
    return {
        entries[index].key: Rank(rank, min(rank, int(low[n])), max(rank, int(high[n])), int(groups[n]))
        for n, (index, rank) in enumerate(zip(chosen, ranks, strict=True))
    }
