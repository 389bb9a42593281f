"""First and second moments of feature clouds, mergeable over shards, and the Fréchet distance between them."""

import math
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidTensor


@dataclass(frozen=True)
class Moments:
    """Mergeable sums of features for FID: how many, their sum (D,) and the sum of x x^T (D, D), float64.

    Shards of one set can be added up apart from each other and merged in any order.
    """

    n: int
    total: np.ndarray
    outer: np.ndarray

    @classmethod
    def empty(cls, width: int) -> "Moments":
        """Begin with no features of `width` dimensions."""
        return cls(0, np.zeros(width), np.zeros((width, width)))

    def add(self, features: np.ndarray) -> "Moments":
        """Return the moments with floating features (n, D) added; refuses NaN and other widths."""
        doubles = check_features("moments", features, smallest=1)
        return self.merge(Moments(len(doubles), doubles.sum(axis=0), doubles.T @ doubles))

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both sets together."""
        check_widths("moments", self.total, other.total)
        return Moments(self.n + other.n, self.total + other.total, self.outer + other.outer)

    @property
    def mean(self) -> np.ndarray:
        """Return the mean (D,), float64."""
        self._check_size()
        return self.total / self.n

    @property
    def covariance(self) -> np.ndarray:
        """Return the unbiased covariance (D, D), float64."""
        return np.asarray((self.outer - np.outer(self.total, self.mean)) / (self.n - 1))

    def _check_size(self) -> None:
        if self.n < 2:
            raise InvalidTensor(f"moments: at least 2 features expected, found {self.n}.")


def covariance_root(features: np.ndarray) -> np.ndarray:
    """Return R of shape (min(n, D), D) with R^T R = the unbiased covariance of the features (n, D)."""
    n, width = features.shape
    centered = (features - features.mean(axis=0)) / math.sqrt(n - 1)
    return np.asarray(centered if n <= width else np.linalg.qr(centered, mode="r"))


def root_from_moments(moments: Moments) -> np.ndarray:
    """Return the same root, up to a rotation, from merged sums."""
    values, vectors = np.linalg.eigh(moments.covariance)
    # n features span n - 1 dimensions: what stands in the others is rounding, and its root is not small
    rank = min(moments.n - 1, len(values))
    scales = np.sqrt(values[-rank:].clip(min=0))
    return np.asarray(scales[:, None] * vectors[:, -rank:].T)  # (rank, D)


def frechet_distance(
    mean: np.ndarray, root: np.ndarray, other_mean: np.ndarray, other_root: np.ndarray
) -> float:
    """Compute the squared Fréchet distance of two Gaussians from means (D,) and roots (r, D) of covariances."""
    spread = np.square(root).sum() + np.square(other_root).sum()
    overlap = np.linalg.svd(root @ other_root.T, compute_uv=False).sum()
    return max(0.0, float(np.square(mean - other_mean).sum() + spread - 2 * overlap))


def check_features(name: str, features: np.ndarray, smallest: int) -> np.ndarray:
    """Return floating features (n, D) as float64; refuse other shapes and dtypes, n < smallest, NaN, infinity."""
    is_matrix = features.ndim == 2 and features.shape[1] > 0
    if not is_matrix or not np.issubdtype(features.dtype, np.floating):
        raise InvalidTensor(f"{name}: expected floating (n, D), found {features.dtype} {features.shape}.")
    if len(features) < smallest:
        raise InvalidTensor(f"{name}: at least {smallest} features expected, found {len(features)}.")
    if not np.isfinite(features).all():
        raise InvalidTensor(f"{name}: the features hold NaN or infinity.")
    return features.astype(np.float64)


def check_widths(name: str, first: np.ndarray, second: np.ndarray) -> None:
    """Refuse features of different widths: they come from different networks."""
    if first.shape[-1] != second.shape[-1]:
        raise InvalidTensor(f"{name}: widths {first.shape[-1]} and {second.shape[-1]} differ.")
