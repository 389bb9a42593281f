"""Crossed bootstrap over style images and content images: intervals of means and of ranks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.spec import Direction
from evaluation.statistics.design import Design

DRAWS = 2000
LEVEL = 0.95
_CELLS = 1 << 16  # entries x draws worked on at a time: 0.5 MB an array, which stays in the cache of a core


@dataclass(frozen=True)
class _Stratum:
    """Styles that are drawn together: one culture, or several that cannot vary alone; `share` is how many."""

    styles: np.ndarray  # (n,)
    weights: np.ndarray  # (n,)
    share: int


def bootstrap_means(values: np.ndarray, design: Design, draws: int = DRAWS, *, seed: int) -> np.ndarray:
    """Draw hierarchical means with styles (inside each culture) and contents resampled independently.

    In one draw, the mean over contents of each drawn style, then over drawn styles of each culture, then
    over cultures; a style whose contents were not drawn is left out, and a draw that holds no pair at all
    (possible only when few pairs are crossed) repeats the plain mean. Every draw is shared by all entries,
    so differences of rows are paired.

    Of n styles (or contents), n - 1 are drawn: the variance of a mean of n - 1 draws out of n is the unbiased
    s^2 / n, where n draws would give (n - 1) / n of it, half of it in a culture of two styles.
    Cultures of a single style cannot vary inside themselves. They are drawn together, each with its culture,
    so the difference between them counts as uncertainty; a lone one is drawn with the largest other culture.

    Args:
        values: float (E, P), one row per entry; NaN marks a missing value, which is left out.
        design: the images and cultures of the P pairs.
        draws: number of draws.
        seed: of two independent streams, one for styles and one for contents; equal seeds give equal draws
            for equal sets of styles, contents and cultures.

    Returns:
        float64 (E, draws). A row depends on its own values alone, bit for bit: every sum runs over the pairs
        in the order of their names, one pair at a time, whatever the number of entries or threads.

    Raises:
        InvalidTensor: the shape does not fit, or a row has no value.

    Source: crossed ("pigeonhole") bootstrap, Owen 2007, section 3, stratified by culture; n - 1 draws after
    McCarthy and Snowden 1985; single styles as collapsed strata, Cochran 1977, section 5A.12.
    """
    rows = design.check(values)
    is_present = np.isfinite(rows)
    if not is_present.any(axis=1).all():
        raise InvalidTensor("bootstrap: an entry has no value at all.")
    filled = np.where(is_present, rows, 0.0)
    plain = design.means(rows)[:, None]
    strata = list(_strata(design))
    style_counts, content_counts = _draw(design, strata, draws, seed)
    result = np.empty((rows.shape[0], draws))
    step = max(1, _CELLS // max(1, rows.shape[0]))
    for start in range(0, draws, step):
        part = slice(start, start + step)
        top, bottom = np.zeros((2, rows.shape[0], style_counts[:, part].shape[1]))
        for stratum in strata:
            sums, held = np.zeros((2, *top.shape))
            for style, weight in zip(stratum.styles, stratum.weights, strict=True):
                pairs = _pairs_of(design, style)
                counts = content_counts[design.content_of_pair[pairs], part]  # (C, B)
                drawn = weight * style_counts[style, part]
                means, is_held = _style_means(filled[:, pairs], is_present[:, pairs], counts)
                sums += means * drawn
                held += is_held * drawn
            top += stratum.share * sums / np.where(held > 0, held, 1)
            bottom += stratum.share * (held > 0)
        result[:, part] = np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), plain)
    return result


def percentile_interval(draws: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
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
    draws: np.ndarray, direction: Direction, level: float = LEVEL
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


def _strata(design: Design) -> Iterator[_Stratum]:
    sizes = np.bincount(design.culture_of_style)
    singles = np.flatnonzero(sizes == 1)
    whole = [np.array([culture]) for culture in np.flatnonzero(sizes > 1)]
    if singles.size == 1 and whole:
        largest = int(np.argmax(sizes[np.concatenate(whole)]))
        whole[largest] = np.append(whole[largest], singles)
    elif singles.size:
        whole.append(singles)
    for cultures in whole:
        styles = np.flatnonzero(np.isin(design.culture_of_style, cultures))
        yield _Stratum(styles, 1.0 / sizes[design.culture_of_style[styles]], cultures.size)


def _pairs_of(design: Design, style: int) -> np.ndarray:
    """Return the pairs of a style in the order of their contents' names."""
    pairs = np.flatnonzero(design.style_of_pair == style)
    return pairs[np.argsort(design.content_of_pair[pairs], kind="stable")]


def _draw(design: Design, strata: list[_Stratum], draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    style_stream, content_stream = (
        np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(2)
    )
    style_counts = np.zeros((design.n_styles, draws))
    for stratum in strata:
        style_counts[stratum.styles] = _multiplicities(style_stream, stratum.styles.size, draws)
    return style_counts, _multiplicities(content_stream, design.n_contents, draws)


def _multiplicities(generator: np.random.Generator, size: int, draws: int) -> np.ndarray:
    """Count how often each of `size` items comes up in `size - 1` draws with replacement."""
    picks = (generator.random((draws, max(1, size - 1))) * size).astype(np.int64)  # (B, n - 1)
    cells = picks + size * np.arange(draws)[:, None]
    counts = np.bincount(cells.ravel(), minlength=size * draws).reshape(draws, size)
    return np.ascontiguousarray(counts.T, dtype=np.float64)  # (n, B)


def _style_means(
    filled: np.ndarray, is_present: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the means over the drawn contents of one style, (E, B), and whether any of them was drawn."""
    sums = _sum_over_pairs(filled, counts)
    # the rows share their weights, (1, B), unless values are missing
    present = is_present[:1] if is_present.all() else is_present
    weights = _sum_over_pairs(present.astype(np.float64), counts)
    return sums / np.where(weights > 0, weights, 1), weights > 0


def _sum_over_pairs(columns: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Compute `columns @ counts` pair by pair: BLAS would order the sum by where a row stands."""
    total, term = np.zeros((2, columns.shape[0], counts.shape[1]))
    for pair in range(counts.shape[0]):
        np.multiply(columns[:, pair, None], counts[pair], out=term)
        total += term
    return total
