"""Crossed bootstrap over style images and content images: intervals of means, of ranks, and tied groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.spec import Direction

_CELLS = 2_000_000  # weights held at a time: 16 MB


@dataclass(frozen=True)
class _Design:
    """Which style, content and culture each pair has, as indices, with pairs sorted by style."""

    order: np.ndarray  # (P,)
    style: np.ndarray  # (P,)
    content: np.ndarray  # (P,)
    culture_of_style: np.ndarray  # (S,)

    @property
    def strata(self) -> list[tuple[np.ndarray, bool]]:
        """Return the styles that are drawn together, and whether they make up one culture."""
        sizes = np.bincount(self.culture_of_style)
        whole = [np.flatnonzero(self.culture_of_style == culture) for culture in np.flatnonzero(sizes > 1)]
        single = np.flatnonzero(sizes[self.culture_of_style] == 1)
        return [(members, True) for members in whole] + ([(single, False)] if single.size else [])

    @property
    def starts(self) -> np.ndarray:
        """Return where each style begins in the sorted pairs."""
        return np.searchsorted(self.style, np.arange(self.culture_of_style.size))


def bootstrap_means(
    values: np.ndarray,
    styles: Sequence[str],
    contents: Sequence[str],
    cultures: Sequence[str],
    draws: int = 2000,
    *,
    seed: int,
) -> np.ndarray:
    """Draw hierarchical means with styles (inside each culture) and contents resampled independently.

    Cultures that have one style only cannot vary inside themselves; they form one common stratum, whose
    styles are drawn with their cultures, so that the interval does not pretend to know these cultures exactly.

    Every draw is shared by all entries, so differences of rows are paired. In one draw, the mean over
    contents of each drawn style, then over drawn styles of each culture, then over cultures; a draw
    that holds no pair at all (possible only when few pairs are crossed) repeats the plain mean.

    Args:
        values: float (E, P), one row per entry; NaN marks a missing value, which is left out.
        styles: the style image of each pair.
        contents: the content image of each pair.
        cultures: the culture of each pair; one style has one culture.
        draws: number of draws.
        seed: equal seeds give equal draws for equal sets of styles, contents and cultures.

    Returns:
        float64 (E, draws). Permuting the entries permutes the rows, bit for bit.

    Raises:
        InvalidTensor: shapes do not fit, no pairs, a style in two cultures, or a row without any value.

    Source: crossed ("pigeonhole") bootstrap, Owen 2007, stratified by culture.
    """
    design = _design(values, styles, contents, cultures)
    style_counts, content_counts = _draw(design, draws, seed)
    rows = np.asarray(values, dtype=np.float64)[:, design.order]
    is_present = np.isfinite(rows)
    if not is_present.any(axis=1).all():
        raise InvalidTensor("bootstrap: an entry has no value at all.")
    result = np.empty((rows.shape[0], draws))
    step = max(1, _CELLS // rows.shape[1])
    for mask in np.unique(is_present, axis=0):
        entries = np.flatnonzero((is_present == mask).all(axis=1))
        filled = np.ascontiguousarray(np.where(mask, rows[entries], 0.0))
        plain = _weights(design, mask, np.ones_like(style_counts[:, :1]), np.ones_like(content_counts[:, :1]))
        for start in range(0, draws, step):
            part = slice(start, start + step)
            weights = _weights(design, mask, style_counts[:, part], content_counts[:, part])
            weights = np.where(weights.any(axis=0), weights, plain)
            # einsum without BLAS: the sum of a cell does not depend on where the row stands
            result[entries, part] = np.einsum("ep,bp->eb", filled, np.ascontiguousarray(weights.T))
    return result


def percentile_interval(draws: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval over the last axis.

    Args:
        draws: float (..., B).
        level: share of draws inside, between 0 and 1.

    Returns:
        (low, high), each of shape (...).
    """
    tail = 50 * (1 - level)
    low, high = np.percentile(draws, [tail, 100 - tail], axis=-1)
    return low, high


def rank_intervals(
    draws: np.ndarray, direction: Direction, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of each entry's rank over the draws; 1 is best, ties share the better rank.

    Args:
        draws: float (E, B), from `bootstrap_means`.
        direction: which way the metric improves.
        level: share of draws inside, between 0 and 1.

    Returns:
        (low, high), int64 (E,) each, 1 <= low <= high <= E; rounded outwards.
    """
    signed = draws if direction is Direction.HIGHER else -draws
    ranks = np.stack([1 + (signed > row).sum(axis=0) for row in signed])  # (E, B)
    tail = 50 * (1 - level)
    low = np.percentile(ranks, tail, axis=1, method="lower")
    high = np.percentile(ranks, 100 - tail, axis=1, method="higher")
    return low.astype(np.int64), high.astype(np.int64)


def indistinguishable_groups(
    means: np.ndarray, draws: np.ndarray, direction: Direction, margin: float = 0.01, level: float = 0.95
) -> np.ndarray:
    """Number the groups of entries that the data cannot tell apart from the best of their group.

    Going down from the best mean, an entry stays in the group of the current leader while the paired
    interval of their difference holds 0, or their means differ by less than `margin`; else it leads
    the next group.

    Args:
        means: float (E,), the plain means.
        draws: float (E, B), from `bootstrap_means`.
        direction: which way the metric improves.
        margin: a difference that does not matter even if it is significant.
        level: of the interval.

    Returns:
        int64 (E,), 1 for the group of the best.
    """
    sign = 1.0 if direction is Direction.HIGHER else -1.0
    groups = np.zeros(len(means), dtype=np.int64)
    leader, group = -1, 0
    for entry in np.lexsort((-sign * draws.mean(axis=1), -sign * np.asarray(means))):
        gap = abs(float(means[leader] - means[entry]))
        if leader < 0 or (gap >= margin and _excludes_zero(draws[leader] - draws[entry], level)):
            leader, group = int(entry), group + 1
        groups[entry] = group
    return groups


def _excludes_zero(differences: np.ndarray, level: float) -> bool:
    low, high = percentile_interval(differences, level)
    return not bool(low <= 0 <= high)


def _design(
    values: np.ndarray, styles: Sequence[str], contents: Sequence[str], cultures: Sequence[str]
) -> _Design:
    pairs = len(styles)
    if np.ndim(values) != 2 or np.shape(values)[1] != pairs or pairs == 0:
        raise InvalidTensor(f"bootstrap: expected values (entries, {pairs}), found {np.shape(values)}.")
    if len(contents) != pairs or len(cultures) != pairs:
        raise InvalidTensor("bootstrap: styles, contents and cultures differ in length.")
    _, style = np.unique(np.asarray(styles, dtype=str), return_inverse=True)
    _, content = np.unique(np.asarray(contents, dtype=str), return_inverse=True)
    _, culture = np.unique(np.asarray(cultures, dtype=str), return_inverse=True)
    culture_of_style = np.zeros(style.max() + 1, dtype=np.int64)
    culture_of_style[style] = culture
    if (culture_of_style[style] != culture).any():
        raise InvalidTensor("bootstrap: a style image stands in two cultures.")
    order = np.lexsort((content, style))
    return _Design(order, style[order], content[order], culture_of_style)


def _draw(design: _Design, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.Generator(np.random.PCG64(seed))
    style_counts = np.zeros((design.culture_of_style.size, draws))
    for members, _ in design.strata:
        style_counts[members] = _multiplicities(generator, members.size, draws)
    return style_counts, _multiplicities(generator, int(design.content.max()) + 1, draws)


def _multiplicities(generator: np.random.Generator, size: int, draws: int) -> np.ndarray:
    picks = (generator.random((draws, size)) * size).astype(np.int64)  # (B, n)
    cells = picks + size * np.arange(draws)[:, None]
    counts = np.bincount(cells.ravel(), minlength=size * draws).reshape(draws, size)
    return counts.T.astype(np.float64)  # (n, B)


def _weights(
    design: _Design, mask: np.ndarray, style_counts: np.ndarray, content_counts: np.ndarray
) -> np.ndarray:
    pairs = content_counts[design.content] * mask[:, None]  # (P, B)
    held = np.add.reduceat(pairs, design.starts, axis=0)  # (S, B)
    drawn = style_counts * (held > 0)
    share = np.zeros_like(drawn)
    for members, is_culture in design.strata:
        total = drawn[members].sum(axis=0) if is_culture else np.ones(drawn.shape[1])
        share[members] = drawn[members] / np.where(total > 0, total, 1)
    present = share.sum(axis=0)  # how many cultures have a pair in this draw, as often as they were drawn
    per_pair = share / np.where(held > 0, held, 1) / np.where(present > 0, present, 1)
    return np.asarray(pairs * per_pair[design.style])
