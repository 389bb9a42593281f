"""From per-pair values to one number per metric: over contents, then styles, then cultures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidPairs
from evaluation.metrics.registry import ANCHORED
from evaluation.pairs import Pair
from evaluation.report import PairScore


@dataclass(frozen=True)
class Coverage:
    """How many pairs of a dataset have a valid output; a missing score counts as invalid."""

    n: int
    n_valid: int
    max_invalid_share: float

    @property
    def n_invalid(self) -> int:
        """Count the pairs without a valid output."""
        return self.n - self.n_valid

    @property
    def is_enough(self) -> bool:
        """Tell whether the run may be ranked: it has a valid output and few enough invalid ones."""
        return self.n_valid > 0 and self.n_invalid <= self.max_invalid_share * self.n


def hierarchical_mean(values: Sequence[float], styles: Sequence[str], cultures: Sequence[str]) -> float:
    """Average over the pairs of a style, then over the styles of a culture, then over cultures.

    Args:
        values: one number per pair; NaN marks a missing value, which is left out.
        styles: the style image of each pair.
        cultures: the culture of each pair.

    Returns:
        float; NaN when every value is missing. The order of the pairs does not matter.
    """
    weights = hierarchical_weights(np.isfinite(values), styles, cultures)
    # exact summation: the last bits depend neither on the order of the pairs nor on where they lie in memory
    return math.fsum(weights * np.nan_to_num(values)) if weights.any() else float("nan")


def hierarchical_weights(
    is_present: np.ndarray, styles: Sequence[str], cultures: Sequence[str]
) -> np.ndarray:
    """Return the weight of each pair in `hierarchical_mean`.

    Args:
        is_present: bool (P,), which pairs have a value.
        styles: the style image of each pair.
        cultures: the culture of each pair.

    Returns:
        float64 (P,), nonnegative, sum 1 (all 0 when nothing is present).
    """
    present = np.asarray(is_present, dtype=bool)
    by_style: dict[tuple[str, str], list[int]] = {}
    for index in np.flatnonzero(present).tolist():
        by_style.setdefault((cultures[index], styles[index]), []).append(index)
    style_count: dict[str, int] = {}
    for culture, _ in by_style:
        style_count[culture] = style_count.get(culture, 0) + 1
    weights = np.zeros(present.size)
    for (culture, _), indices in by_style.items():
        weights[indices] = 1.0 / (len(indices) * style_count[culture] * len(style_count))
    return weights


def value_row(scores: Sequence[PairScore], pairs: Sequence[Pair], metric: str) -> np.ndarray:
    """Return one metric of one generator over all pairs, in the order of `pairs`.

    An invalid or missing pair counts 0 in content, style and headline, and NaN (left out) in any raw metric.

    Returns:
        float64 (P,).
    """
    return values_by_id({score.pair_id: score for score in scores}, [pair.id for pair in pairs], metric)


def values_by_id(scores: Mapping[str, PairScore], pair_ids: Sequence[str], metric: str) -> np.ndarray:
    """Return `value_row` for scores that are kept by pair id.

    Returns:
        float64 (P,), in the order of `pair_ids`.
    """
    missing = 0.0 if metric in ANCHORED else float("nan")
    valid = {pair_id: score.values for pair_id, score in scores.items() if not score.invalid}
    return np.array([valid.get(pair_id, {}).get(metric, missing) for pair_id in pair_ids], dtype=np.float64)


def aggregate_scores(scores: Sequence[PairScore], pairs: Sequence[Pair]) -> dict[str, float]:
    """Average every metric of one generator; a metric without any value is left out.

    Raises:
        InvalidPairs: a score names a pair that is not in the dataset, or names one twice.
    """
    check_ids(scores, pairs)
    styles, cultures = [pair.style_sha256 for pair in pairs], [pair.culture for pair in pairs]
    names = sorted({name for score in scores for name in score.values})
    means = {
        name: hierarchical_mean(value_row(scores, pairs, name).tolist(), styles, cultures) for name in names
    }
    return {name: mean for name, mean in means.items() if np.isfinite(mean)}


def coverage(scores: Sequence[PairScore], pairs: Sequence[Pair], max_invalid_share: float) -> Coverage:
    """Count the pairs that have a valid output."""
    valid = {score.pair_id for score in scores if not score.invalid}
    return Coverage(len(pairs), len(valid & {pair.id for pair in pairs}), max_invalid_share)


def check_ids(scores: Sequence[PairScore], pairs: Sequence[Pair]) -> None:
    """Refuse a score of a pair that is not in the dataset, and two of one pair."""
    known: Mapping[str, Pair] = {pair.id: pair for pair in pairs}
    seen: set[str] = set()
    for score in scores:
        if score.pair_id not in known or score.pair_id in seen:
            kind = "twice" if score.pair_id in seen else "but it is not in the dataset"
            raise InvalidPairs(f"Pair {score.pair_id} is scored {kind}.")
        seen.add(score.pair_id)
