"""Sums of the cubic kernel of KID, over all pairs or by groups, so that a bootstrap computes no kernel twice."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_ROWS = 1024  # rows of a kernel matrix held at a time


def unbiased_distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Compute the U-statistic of the squared MMD from float64 features (n, D) and (m, D)."""
    between = sum(float(kernel.sum()) for kernel in _kernel_rows(ours, theirs))
    return _mean_within(ours) + _mean_within(theirs) - 2 * between / (len(ours) * len(theirs))


@dataclass(frozen=True)
class KernelSums:
    """Kernel values summed over pairs of groups, without the pairs inside a group, and the groups' sizes."""

    ours: np.ndarray  # (G, G), zero diagonal
    theirs: np.ndarray  # (H, H), zero diagonal
    cross: np.ndarray  # (G, H)
    our_sizes: np.ndarray  # (G,)
    their_sizes: np.ndarray  # (H,)

    def distances(self, our_counts: np.ndarray, their_counts: np.ndarray) -> np.ndarray:
        """Return the statistic (B,) of sets that hold each group as often as the counts (B, G), (B, H) say.

        A draw that holds one group only, over and over, has no pair and gives NaN.
        """
        cross = ((our_counts @ self.cross) * their_counts).sum(axis=1)  # (B,)
        pairs = (our_counts @ self.our_sizes) * (their_counts @ self.their_sizes)
        ours = _mean_between(self.ours, self.our_sizes, our_counts)
        theirs = _mean_between(self.theirs, self.their_sizes, their_counts)
        return np.asarray(ours + theirs - 2 * cross / pairs)


def kernel_sums(
    ours: np.ndarray, theirs: np.ndarray, groups: np.ndarray, reference_groups: np.ndarray
) -> KernelSums:
    """Sum the kernel over float64 features (n, D) and (m, D) by their group numbers 0, 1, ..., (n,) and (m,)."""
    a, b = ours[np.argsort(groups, kind="stable")], theirs[np.argsort(reference_groups, kind="stable")]
    our_sizes, their_sizes = np.bincount(groups), np.bincount(reference_groups)
    sums = KernelSums(
        ours=_sum_by_group(a, our_sizes, a, our_sizes),
        theirs=_sum_by_group(b, their_sizes, b, their_sizes),
        cross=_sum_by_group(a, our_sizes, b, their_sizes),
        our_sizes=our_sizes,
        their_sizes=their_sizes,
    )
    np.fill_diagonal(sums.ours, 0)
    np.fill_diagonal(sums.theirs, 0)
    return sums


def _kernel_rows(a: np.ndarray, b: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(a), _ROWS):
        yield (a[start : start + _ROWS] @ b.T / a.shape[1] + 1) ** 3  # (rows, m)


def _mean_within(points: np.ndarray) -> float:
    n, total = len(points), 0.0
    for number, kernel in enumerate(_kernel_rows(points, points)):
        total += float(kernel.sum() - np.trace(kernel, offset=number * _ROWS))
    return total / (n * (n - 1))


def _sum_by_group(a: np.ndarray, a_sizes: np.ndarray, b: np.ndarray, b_sizes: np.ndarray) -> np.ndarray:
    a_starts, b_starts = (np.cumsum(sizes) - sizes for sizes in (a_sizes, b_sizes))
    rows = [np.add.reduceat(kernel, b_starts, axis=1) for kernel in _kernel_rows(a, b)]
    return np.add.reduceat(np.concatenate(rows), a_starts, axis=0)  # (G, H)


def _mean_between(sums: np.ndarray, sizes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    pairs = np.outer(sizes, sizes)  # (G, G)
    np.fill_diagonal(pairs, 0)
    held = ((counts @ pairs) * counts).sum(axis=1)
    total = ((counts @ sums) * counts).sum(axis=1)
    return np.asarray(total / np.where(held > 0, held, np.nan))  # (B,)
