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
    columns = {
        name: _matrix(scored, gauges.pairs, name) for name in ("headline", "content", "style")
    }  # (E, P)
    audited = np.array([found.audit for found in scored])  # (E, P)
    means = {name: design.means(matrix).tolist() for name, matrix in columns.items()}
    draws = bootstrap_means(columns["headline"], design, DRAWS, seed=SEED)  # (E, B)
    low, high = percentile_interval(draws)
    usual = dict(zip((pair.id for pair in gauges.pairs), columns["style"].mean(axis=0).tolist(), strict=True))
    standing = Standing(tuple(means["headline"]), tuple(design.means(audited)), tuple(draws.std(axis=1)), 0)
    rows = []
    for k, (entry, found) in enumerate(zip(entries, scored, strict=True)):
        flags = review_outputs(
            gauges.pairs,
            make_outputs(entry, gauges, folder),
            found.scores,
            usual=usual,
            standing=replace(standing, entry=k),
        )
        numbers = (
            means["headline"][k],
            float(low[k]),
            float(high[k]),
            means["content"][k],
            means["style"][k],
        )
        rows.append(Row(entry.name, entry.kind, *numbers, audit=float(standing.audit[k]), flags=flags))
    return tuple(sorted(rows, key=lambda row: -row.headline))


def unflagged_winners(rows: Sequence[Row]) -> tuple[str, ...]:
    """Name the entries that are no real transfer, raise no flag and beat the median of the real transfers."""
    bar = median(row.headline for row in rows if row.kind == Kind.REAL)
    return tuple(row.name for row in rows if row.kind != Kind.REAL and not row.raised and row.headline > bar)


def to_markdown(rows: Sequence[Row]) -> str:
    """Write the rows as a table, scores times 100."""
    lines = [
        "| entry | kind | H (95 % interval) | C | S | audit H | flags |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        interval = f"{100 * row.headline:.0f} ({100 * row.low:.0f} to {100 * row.high:.0f})"
        numbers = " | ".join(f"{100 * value:.0f}" for value in (row.content, row.style, row.audit))
        lines.append(f"| {row.name} | {row.kind} | {interval} | {numbers} | {', '.join(row.raised) or '-'} |")
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
