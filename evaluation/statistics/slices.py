"""Scores of parts of a dataset (a culture, a style family, a kind of content), and where they are too thin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.pairs import Pair
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import DRAWS, LEVEL, bootstrap_means, percentile_interval
from evaluation.statistics.design import Design

MIN_PAIRS, MIN_STYLES = 10, 5  # for a rank or an interval

Label = Literal["style_family", "culture", "content_kind", "split"]


@dataclass(frozen=True)
class SliceScore:
    """One entry in one slice: its mean (None without any value), 95 % interval and rank, where they are told."""

    value: float | None
    low: float | None
    high: float | None
    rank: int | None


@dataclass(frozen=True)
class Slice:
    """The pairs of one label, with one score per entry; `reason` says why there is no rank and no interval."""

    label: str
    n_pairs: int
    n_styles: int
    scores: tuple[SliceScore, ...]
    reason: str


@dataclass(frozen=True)
class Gap:
    """How far one entry's best slice is ahead of its worst, with a 95 % interval; both are named.

    `left_out` lists the slices that are too thin to count.
    """

    value: float
    low: float
    high: float
    best: str
    worst: str
    left_out: tuple[str, ...]


def pair_labels(pairs: Sequence[Pair], by: Label) -> tuple[str, ...]:
    """Return one label per pair: its style family, culture, kind of content, or split."""
    return tuple(str(getattr(pair, by)) for pair in pairs)


def slice_scores(
    values: np.ndarray,
    design: Design,
    labels: Sequence[str],
    *,
    direction: Direction = Direction.HIGHER,
    draws: int = DRAWS,
    seed: int,
) -> tuple[Slice, ...]:
    """Score every entry on the pairs of each label.

    A value is the hierarchical mean over the pairs of the slice. Draws are those of the whole dataset, cut
    to the slice, so slices and entries share them. A slice of fewer than 10 pairs or 5 styles has values only.

    Args:
        values: float (E, P); NaN marks a missing value, which is left out.
        design: the images and cultures of the P pairs.
        labels: one per pair.
        direction: which way the metric improves; decides the ranks, where ties share the better one.
        draws: number of draws.
        seed: of the draws.

    Returns:
        The slices in the order of their labels.

    Raises:
        InvalidTensor: shapes do not fit.
    """
    rows = design.check(values)
    sign = 1.0 if direction is Direction.HIGHER else -1.0
    result = []
    for name, part in _parts(labels, design).items():
        masked = np.where(part, rows, np.nan)
        scores = _scores(masked, design, sign, draws=draws, seed=seed)
        n_styles = np.unique(design.style_of_pair[part]).size
        result.append(Slice(name, int(part.sum()), n_styles, scores, _reason(design, part)))
    return tuple(result)


def worst_slices(
    slices: Sequence[Slice], *, entry: int = 0, count: int = 3, direction: Direction = Direction.HIGHER
) -> tuple[Slice, ...]:
    """Return the slices on which an entry scores worst, the worst first; slices too thin to rank are left out.

    Raises:
        InvalidTensor: there is no such entry.
    """
    if slices and not 0 <= entry < len(slices[0].scores):
        raise InvalidTensor(f"slices: expected an entry below {len(slices[0].scores)}, found {entry}.")
    sign = 1.0 if direction is Direction.HIGHER else -1.0
    known = [(s, value) for s in slices if not s.reason and (value := s.scores[entry].value) is not None]
    return tuple(s for s, _ in sorted(known, key=lambda pair: (sign * pair[1], pair[0].label))[:count])


def slice_gap(
    values: np.ndarray,
    design: Design,
    labels: Sequence[str],
    *,
    direction: Direction = Direction.HIGHER,
    draws: int = DRAWS,
    seed: int,
) -> Gap | None:
    """Compute the best minus the worst slice mean of one entry, e.g. over cultures.

    Args:
        values: float (P,), complete or with NaN for missing values.
        design: the images and cultures of the P pairs.
        labels: one per pair.
        direction: which way the metric improves.
        draws: number of draws.
        seed: of the draws.

    Returns:
        The gap, at least 0, in the unit of the values, lower is fairer; None with fewer than two slices that
        are large enough. Noise alone makes a gap, so the interval is ``gap - q, gap + q``, cut at 0, where q
        is the 95 % quantile of the gap between the errors of the slices: it holds for all differences at once,
        hence for the largest.

    Raises:
        InvalidTensor: shapes do not fit.

    Source: simultaneous intervals of all differences, Tukey 1953, with the bootstrap for the range.
    """
    row = design.check(np.asarray(values)[None])[0]
    parts = _parts(labels, design)
    chosen = [name for name, part in parts.items() if not _reason(design, part & np.isfinite(row))]
    if len(chosen) < 2:
        return None
    masked = np.stack([np.where(parts[name], row, np.nan) for name in chosen])  # (L, P)
    means = design.means(masked)
    errors = bootstrap_means(masked, design, draws, seed=seed) - means[:, None]  # (L, B)
    quantile = float(np.percentile(np.ptp(errors, axis=0), 100 * LEVEL))
    signed = means if direction is Direction.HIGHER else -means
    value = float(np.ptp(means))
    return Gap(
        value=value,
        low=max(0.0, value - quantile),
        high=value + quantile,
        best=chosen[int(signed.argmax())],
        worst=chosen[int(signed.argmin())],
        left_out=tuple(name for name in parts if name not in chosen),
    )


def _parts(labels: Sequence[str], design: Design) -> dict[str, np.ndarray]:
    """Return which pairs have each label, bool (P,), in the order of the labels."""
    if len(labels) != design.n_pairs:
        raise InvalidTensor(f"slices: expected {design.n_pairs} labels, found {len(labels)}.")
    column = np.asarray(labels, dtype=str)
    return {str(name): column == name for name in np.unique(column)}


def _reason(design: Design, is_chosen: np.ndarray) -> str:
    n_pairs, n_styles = int(is_chosen.sum()), np.unique(design.style_of_pair[is_chosen]).size
    if n_pairs < MIN_PAIRS:
        return f"n = {n_pairs}: too few to rank"
    if n_styles < MIN_STYLES:
        return f"{n_styles} {'style' if n_styles == 1 else 'styles'}: too few to rank"
    return ""


def _scores(
    masked: np.ndarray, design: Design, sign: float, *, draws: int, seed: int
) -> tuple[SliceScore, ...]:
    """Score each row, (E, P) with NaN outside of the slice, and rank those with enough values among themselves."""
    means = design.means(masked)
    enough = [row for row, cells in enumerate(masked) if not _reason(design, np.isfinite(cells))]
    scores = [SliceScore(float(mean) if np.isfinite(mean) else None, None, None, None) for mean in means]
    if enough:
        low, high = percentile_interval(bootstrap_means(masked[enough], design, draws, seed=seed))
        for place, row in enumerate(enough):
            rank = 1 + int((sign * means[enough] > sign * means[row]).sum())
            scores[row] = SliceScore(float(means[row]), float(low[place]), float(high[place]), rank)
    return tuple(scores)
