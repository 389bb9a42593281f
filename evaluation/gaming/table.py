"""The gaming table: what attempts to play the score earn beside real transfers, and which flags they raise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from tqdm import tqdm

from evaluation.aggregate import value_row
from evaluation.gaming.entries import Entry, Kind, make_outputs
from evaluation.gaming.flag import Flag
from evaluation.gaming.flags import Standing, review_outputs
from evaluation.gaming.gauges import Gauges
from evaluation.number_text import NOTHING, number_text
from evaluation.pairs import Pair
from evaluation.report import PairScore
from evaluation.statistics.bootstrap import DRAWS, bootstrap_means, percentile_interval
from evaluation.statistics.design import design_of

SEED = 20_260_101
JITTERED = 24  # pairs on which the jitter gain is measured, at four passes each


@dataclass(frozen=True)
class Row:
    """One entry: headline with its 95 % interval, content and style score, audit headline, and its flags."""

    name: str
    kind: str
    headline: float
    low: float
    high: float
    content: float
    style: float
    audit: float
    flags: tuple[Flag, ...]

    @property
    def raised(self) -> tuple[str, ...]:
        """Return the codes of the raised flags."""
        return tuple(flag.code for flag in self.flags if flag.is_raised)


@dataclass(frozen=True)
class _Scored:
    scores: tuple[PairScore, ...]
    audit: np.ndarray  # (P,), headlines


def build_rows(entries: Sequence[Entry], gauges: Gauges, folder: Path) -> tuple[Row, ...]:
    """Make, score and review every entry.

    Args:
        entries: of the table.
        gauges: the scorers.
        folder: where outputs are kept, as `<entry>/<pair id>.png`; those that lie there are not made again.

    Returns:
        one row per entry, the best headline first. The usual style score of a pair is the mean over all entries.
    """
    scored = [
        _score(entry, gauges, folder) for entry in tqdm(entries, desc="entries", mininterval=10, disable=None)
    ]
    design = design_of(gauges.pairs)
    columns = {name: _matrix(scored, gauges.pairs, name) for name in ("headline", "content", "style")}
    columns["audit"] = np.array([found.audit for found in scored])  # (E, P) each
    means = {name: design.means(matrix).tolist() for name, matrix in columns.items()}
    draws = bootstrap_means(columns["headline"], design, DRAWS, seed=SEED)  # (E, B)
    low, high = percentile_interval(draws)
    usual = dict(zip((pair.id for pair in gauges.pairs), columns["style"].mean(axis=0).tolist(), strict=True))
    standing = Standing(columns["headline"], columns["audit"], design, entry=0)
    rows = []
    for k, (entry, found) in enumerate(zip(entries, scored, strict=True)):
        flags = review_outputs(
            gauges.pairs,
            make_outputs(entry, gauges, folder),
            found.scores,
            usual=usual,
            standing=replace(standing, entry=k),
        )
        row = Row(
            name=entry.name,
            kind=entry.kind,
            headline=means["headline"][k],
            low=float(low[k]),
            high=float(high[k]),
            content=means["content"][k],
            style=means["style"][k],
            audit=means["audit"][k],
            flags=flags,
        )
        rows.append(row)
    return tuple(sorted(rows, key=lambda row: -row.headline))


def median_of_real(rows: Sequence[Row]) -> float:
    """Return the headline that divides the real transfers into an upper and a lower half."""
    return median(row.headline for row in rows if row.kind == Kind.REAL)


def unflagged_winners(rows: Sequence[Row]) -> tuple[str, ...]:
    """Name the entries that are no real transfer, raise no flag and beat the median of the real transfers."""
    bar = median_of_real(rows)
    return tuple(row.name for row in rows if row.kind != Kind.REAL and not row.raised and row.headline > bar)


def to_markdown(rows: Sequence[Row]) -> str:
    """Write the rows as a table, scores times 100."""
    lines = [
        "| entry | kind | H (95 % interval) | C | S | audit H | flags |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        headline, low, high, *others = (
            number_text("headline", value)
            for value in (row.headline, row.low, row.high, row.content, row.style, row.audit)
        )
        flags = ", ".join(row.raised) or NOTHING
        lines.append(
            f"| {row.name} | {row.kind} | {headline} ({low} to {high}) | {' | '.join(others)} | {flags} |"
        )
    return "\n".join(lines)


def _score(entry: Entry, gauges: Gauges, folder: Path) -> _Scored:
    outputs = make_outputs(entry, gauges, folder)
    answers = [(pair_id, pixels, None) for pair_id, pixels in outputs.items()]
    chosen = np.random.default_rng(SEED).permutation(len(answers))[:JITTERED].tolist()
    jittered = gauges.jittered.score_pairs([answers[index] for index in sorted(chosen)])
    gains = {score.pair_id: score.values["jitter_gain"] for score in jittered}
    scores = [
        replace(score, values={**score.values, "jitter_gain": gains[score.pair_id]})
        if score.pair_id in gains
        else score
        for score in gauges.official.score_pairs(answers)
    ]
    audit = value_row(gauges.audit.score_pairs(answers), gauges.pairs, "headline")
    return _Scored(tuple(scores), audit)


def _matrix(scored: Sequence[_Scored], pairs: Sequence[Pair], metric: str) -> np.ndarray:
    return np.array([value_row(found.scores, pairs, metric) for found in scored])  # (E, P)
