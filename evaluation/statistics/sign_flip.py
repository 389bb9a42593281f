"""Paired sign-flip permutation tests over style images, and Holm's correction for many of them."""

import numpy as np

from evaluation.errors import InvalidTensor

FLIPS = 10_000
MIN_STYLES = 10  # below, no p-value is worth printing
_CELLS = 1 << 18  # rows x flips worked on at a time: 2 MB an array


def sign_flip_test(
    differences: np.ndarray, weights: np.ndarray | None = None, *, flips: int = FLIPS, seed: int
) -> float | None:
    """Test whether paired differences are as often against as for: ``p = share of |T*| >= |T|``.

    ``T = sum_s w_s d_s``; T* are the same sums with random signs. All 2^S signs are used when there are at
    most `flips` of them, else `flips` random ones and ``p = (1 + count) / (1 + flips)``.

    Args:
        differences: float (S,), for each style the mean difference of two entries.
        weights: float (S,), positive; equal ones when not given. With the weights of a board (see
            `Design.style_weights`), T is the difference of the two board values.
        flips: number of random signs for each style.
        seed: of the signs.

    Returns:
        Two-sided p in (0, 1], or None with fewer than 10 styles.

    Raises:
        InvalidTensor: wrong shape, NaN or infinity.

    Source: Fisher 1935, section 21; +1 rule of Phipson and Smyth 2010. It speaks of other styles with the
    same contents: what the choice of contents adds is left to the bootstrap.
    """
    rows = np.asarray(differences, dtype=np.float64)
    p_values = pairwise_sign_flips(np.stack([rows, np.zeros_like(rows)]), weights, flips=flips, seed=seed)
    return None if p_values is None else float(p_values[0, 1])


def pairwise_sign_flips(
    style_means: np.ndarray, weights: np.ndarray | None = None, *, flips: int = FLIPS, seed: int
) -> np.ndarray | None:
    """Run `sign_flip_test` for the difference of any two rows, all with the same signs.

    Args:
        style_means: float (E, S), the mean of each entry over the pairs of each style.
        weights: float (S,), positive; equal ones when not given.
        flips: number of random signs for each style.
        seed: of the signs.

    Returns:
        float64 (E, E), symmetric, 1 on the diagonal; None with fewer than 10 styles.

    Raises:
        InvalidTensor: wrong shape, NaN or infinity.
    """
    terms = np.asarray(style_means, dtype=np.float64)
    if terms.ndim != 2 or not np.isfinite(terms).all():
        raise InvalidTensor(f"sign flips: expected finite (entries, styles), found {terms.shape}.")
    if terms.shape[1] < MIN_STYLES:
        return None
    terms = terms * _checked_weights(weights, terms.shape[1])
    slack = 1e-12 * float(np.abs(terms).max(initial=0.0))  # equal sums may differ in their last bits
    observed = _signed_sums(terms, np.ones((terms.shape[1], 1)))  # (E, 1)
    signs, added = _signs(terms.shape[1], flips, seed)
    counts = np.zeros((terms.shape[0],) * 2)
    step = max(1, _CELLS // max(1, terms.shape[0]))
    for start in range(0, signs.shape[1], step):
        sums = _signed_sums(terms, signs[:, start : start + step].astype(np.float64))
        for row in range(1, len(terms)):
            bounds = np.abs(observed[:row] - observed[row]) - slack
            counts[row, :row] += (np.abs(sums[:row] - sums[row]) >= bounds).sum(axis=1)
    p_values = (counts + counts.T + added) / (signs.shape[1] + added)
    np.fill_diagonal(p_values, 1.0)
    return np.asarray(p_values)


def smallest_p(n_styles: int, flips: int = FLIPS) -> float:
    """Return the smallest p that `sign_flip_test` can give, however large the difference."""
    return 2.0 / 2**n_styles if 2**n_styles <= flips else 1.0 / (1 + flips)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct each row of p-values for their number: ``p~_(k) = max_{j <= k} min(1, (m - j + 1) p_(j))``.

    Args:
        p_values: float (..., m), 0 to 1; each row is one family.

    Returns:
        float64 of the same shape. Calling a difference real where the corrected value is at most alpha is
        wrong anywhere in the family with a probability of at most alpha.

    Raises:
        InvalidTensor: a value outside 0..1, or NaN.

    Source: Holm 1979.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise InvalidTensor("Holm: expected p-values from 0 to 1.")
    order = np.argsort(values, axis=-1, kind="stable")
    factors = np.arange(values.shape[-1], 0, -1)
    steps = np.take_along_axis(values, order, axis=-1) * factors
    corrected = np.empty_like(values)
    np.put_along_axis(corrected, order, np.maximum.accumulate(steps, axis=-1), axis=-1)
    return np.minimum(corrected, 1.0)


def _checked_weights(weights: np.ndarray | None, n_styles: int) -> np.ndarray:
    used = np.full(n_styles, 1.0 / n_styles) if weights is None else np.asarray(weights, dtype=np.float64)
    if used.shape != (n_styles,) or not (used > 0).all() or not np.isfinite(used).all():
        raise InvalidTensor(f"sign flips: expected {n_styles} positive weights, found {used.shape}.")
    return used


def _signs(n_styles: int, flips: int, seed: int) -> tuple[np.ndarray, int]:
    """Return signs, int8 (S, F), and what is added to counts: 1 where the observed signs are not among them."""
    if 2**n_styles <= flips:
        bits = (np.arange(2**n_styles) >> np.arange(n_styles)[:, None]) & 1
        return (1 - 2 * bits).astype(np.int8), 0
    stream = np.random.Generator(np.random.PCG64(seed)).bytes(n_styles * -(-flips // 8))
    packed = np.frombuffer(stream, dtype=np.uint8).reshape(n_styles, -1)
    return 1 - 2 * np.unpackbits(packed, axis=1, count=flips).astype(np.int8), 1


def _signed_sums(terms: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Compute `terms @ signs`, (E, F), style by style: BLAS would order the sum by where a row stands."""
    total, term = np.zeros((2, terms.shape[0], signs.shape[1]))
    for style in range(terms.shape[1]):
        np.multiply(terms[:, style, None], signs[style], out=term)
        total += term
    return total
