"""Two runs on the same pairs: how far they are apart, how sure that is, and on which pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.aggregate import value_row
from evaluation.errors import InvalidPairs, InvalidSuite
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.pairs import Pair, dataset_digest
from evaluation.report import Report
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import DRAWS, bootstrap_means, percentile_interval
from evaluation.statistics.design import design_of
from evaluation.statistics.sign_flip import sign_flip_test
from evaluation.statistics.slices import MIN_STYLES


@dataclass(frozen=True)
class PairDifference:
    """One pair: the values of both runs, and the first minus the second."""

    pair_id: str
    first: float
    second: float
    difference: float


@dataclass(frozen=True)
class Comparison:
    """One metric of two runs over the pairs where both have a value.

    `difference` is the first minus the second value, with its 95 % interval (None with fewer than 5 styles)
    and the two-sided p of the sign-flip test (None with fewer than 10 styles). `wins` are the pairs on which
    the first run is furthest ahead, `losses` those on which it is furthest behind.
    """

    metric: str
    direction: Direction
    n_pairs: int
    n_styles: int
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    wins: tuple[PairDifference, ...]
    losses: tuple[PairDifference, ...]


def compare_runs(
    first: Report,
    second: Report,
    pairs: Sequence[Pair],
    *,
    metric: str = "headline",
    top: int = 5,
    draws: int = DRAWS,
    seed: int,
) -> Comparison:
    """Compare two runs pair by pair; draws are shared, so what both find hard cancels out.

    Args:
        first: the scores of one run; an invalid pair counts 0 in content, style and headline.
        second: the scores of the other run, under the same suite on the same dataset.
        pairs: the pairs that both reports are about.
        metric: what to compare.
        top: how many wins and losses to list at most.
        draws: number of bootstrap draws.
        seed: of draws and sign flips.

    Returns:
        The difference in the unit of the metric, first minus second: positive is better for the first where
        higher is better.

    Raises:
        InvalidSuite: two suites, an unknown metric, or no pair where both have a value.
        InvalidPairs: the reports are about other pairs.
    """
    _check(first, second, pairs, metric)
    rows = np.stack([value_row(report.pairs, pairs, metric) for report in (first, second)])  # (2, P)
    is_present = np.isfinite(rows).all(axis=0)
    if not is_present.any():
        raise InvalidSuite(f"There is no pair with a {metric} of both runs.")
    design, rows = design_of(pairs).select(is_present), rows[:, is_present]
    ids = [pair.id for pair, is_kept in zip(pairs, is_present, strict=True) if is_kept]
    means, differences = design.means(rows), (rows[0] - rows[1])[None]  # (1, P)
    low, high = percentile_interval(bootstrap_means(differences, design, draws, seed=seed)[0])
    has_interval = design.n_styles >= MIN_STYLES
    direction = METRIC_SPECS[metric].direction
    wins, losses = _wins_and_losses(ids, rows, direction)
    return Comparison(
        metric=metric,
        direction=direction,
        n_pairs=design.n_pairs,
        n_styles=design.n_styles,
        first=float(means[0]),
        second=float(means[1]),
        difference=float(means[0] - means[1]),
        low=float(low) if has_interval else None,
        high=float(high) if has_interval else None,
        p=sign_flip_test(design.style_means(differences)[0], design.style_weights, seed=seed),
        wins=wins[:top],
        losses=losses[:top],
    )


def _wins_and_losses(
    ids: Sequence[str], rows: np.ndarray, direction: Direction
) -> tuple[tuple[PairDifference, ...], tuple[PairDifference, ...]]:
    """List the pairs on which the first row is ahead, the furthest first, and those on which it is behind."""
    differences = rows[0] - rows[1]
    ahead = differences if direction is Direction.HIGHER else -differences
    listed = [
        PairDifference(ids[pair], float(rows[0, pair]), float(rows[1, pair]), float(differences[pair]))
        for pair in np.argsort(-ahead, kind="stable")
        if ahead[pair] != 0
    ]
    n_wins = int((ahead > 0).sum())
    return tuple(listed[:n_wins]), tuple(reversed(listed[n_wins:]))


def _check(first: Report, second: Report, pairs: Sequence[Pair], metric: str) -> None:
    if metric not in METRIC_SPECS:
        raise InvalidSuite(f"There is no metric {metric!r}.", fix=f"Known: {', '.join(METRIC_SPECS)}.")
    if first.suite_digest != second.suite_digest:
        raise InvalidSuite(
            f"The runs were scored under {first.suite_id} and {second.suite_id}, or two versions of it.",
            fix="Score both under the same suite.",
        )
    expected = dataset_digest(pairs)
    for report in (first, second):
        if report.dataset_digest != expected:
            raise InvalidPairs(
                f"A report is about dataset {report.dataset_digest[:12]}, the pairs are {expected[:12]}.",
                fix="Name the dataset folder and the split that both runs were scored on.",
            )
