"""Colour statistics of pictures, without any network."""

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_pixels
from evaluation.metrics.projections import QUANTILES, quantile_ranks

BINS = (16, 32, 32)  # lightness, green-red, blue-yellow
LOW = (0.0, -0.32, -0.32)
HIGH = (1.0, 0.32, 0.32)
_TO_LMS = np.array(
    (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
)
_TO_LAB = np.array(
    (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
)
_CODES = np.arange(256) / 255
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4)


def oklab(image: np.ndarray) -> np.ndarray:
    """Convert sRGB to OKLab.

    Args:
        image: uint8 (H, W, 3).

    Returns:
        float64 (3, H * W): lightness 0..1, green-red and blue-yellow within about -0.32..0.32.

    Raises:
        InvalidTensor: another dtype or shape.

    Source: Ottosson 2020, with the matrices printed there.
    """
    check_pixels("colour histogram", image)
    linear = _LINEAR[image.reshape(-1, 3).T]  # (3, H * W)
    return _mix(_TO_LAB, np.cbrt(_mix(_TO_LMS, linear)))


def colour_histogram(image: np.ndarray) -> np.ndarray:
    """Count the colors of a picture in 16 x 32 x 32 cells of OKLab, smoothed by 1-2-1 along each axis.

    The smoothing shares a pixel between neighboring cells, so that a small shift of color moves the
    histogram a little and not by whole cells.

    Args:
        image: uint8 (H, W, 3).

    Returns:
        float64 (16384,), nonnegative, sum 1.

    Raises:
        InvalidTensor: another dtype or shape.
    """
    index = np.zeros(image.shape[0] * image.shape[1], dtype=np.int64)
    for plane, low, high, bins in zip(oklab(image), LOW, HIGH, BINS, strict=True):
        cell = ((plane - low) * (bins / (high - low))).astype(np.int64)
        index = index * bins + np.clip(cell, 0, bins - 1)
    counts = np.bincount(index, minlength=BINS[0] * BINS[1] * BINS[2]).reshape(BINS).astype(np.float64)
    for axis in range(3):
        counts = _smooth(counts, axis)
    return np.asarray(counts.ravel() / counts.sum())


def colour_distance(stylized: np.ndarray, style: np.ndarray) -> float:
    """Compute the Hellinger distance ``1/sqrt(2) || sqrt(p) - sqrt(q) ||`` of two colour histograms.

    Args:
        stylized: float64 (B,), nonnegative, sum 1, from `colour_histogram`.
        style: the same for the style image.

    Returns:
        float in [0, 1], lower is better; 0 for equal histograms, 1 for disjoint ones.

    Raises:
        InvalidTensor: different shapes, negative or non-finite entries, or a sum that is not 1.

    Source: Afifi, Brubaker, Brown 2021 (HistoGAN), the color matching loss. Deviation: OKLab cells where the paper
    uses log-chroma (RGB-uv) planes.
    """
    for histogram in (stylized, style):
        is_valid = histogram.shape == style.shape and bool(np.all(histogram >= 0))
        if not is_valid or not abs(float(histogram.sum()) - 1) < 1e-6:
            raise InvalidTensor("colour distance: expected two histograms of equal shape with sum 1.")
    squares = np.square(np.sqrt(stylized) - np.sqrt(style))
    return float(np.sqrt(squares.sum() / 2))


def colour_quantiles(image: np.ndarray) -> np.ndarray:
    """Project the colors of a picture, in OKLab, on 64 directions and keep 1024 quantiles of each.

    The directions are a Fibonacci lattice on the half sphere: spread evenly, without chance. The
    quantiles are those of `evaluation.metrics.projections`, so pictures of different sizes compare.

    Args:
        image: uint8 (H, W, 3), sRGB.

    Returns:
        float32 (64, 1024), rising along each row, within about -0.6..1.1.

    Raises:
        InvalidTensor: another dtype or shape.
    """
    light, green, blue = oklab(image).astype(np.float32)  # each (H * W,)
    ranks = quantile_ranks(light.size, QUANTILES)
    # one direction at a time stays in the cache, and plain sums give equal pixels equal values
    return np.stack([np.sort(x * light + y * green + z * blue)[ranks] for x, y, z in _DIRECTIONS])


def colour_sliced_wasserstein(stylized: np.ndarray, style: np.ndarray) -> float:
    """Compute ``sqrt(3 mean_k mean_q (Q_kq(stylized) - Q_kq(style))^2)``, a sliced Wasserstein distance of colors.

    The factor 3 is the number of dimensions: two pictures of one color each are as far apart as their
    colors are in OKLab, to within 1 %.

    Args:
        stylized: float32 (64, 1024), from `colour_quantiles`.
        style: the same for the style image.

    Returns:
        float in [0, 1], in units of OKLab, lower is better; 0 for equal color statistics, 1 for black
        against white.

    Raises:
        InvalidTensor: another shape, NaN or infinity.

    Source: Rabin, Peyre, Delon, Bernot 2012, the sliced distance of color distributions. Deviations: OKLab,
    fixed directions, the factor 3.
    """
    shape = (len(_DIRECTIONS), QUANTILES)
    for quantiles in (stylized, style):
        if quantiles.shape != shape or not bool(np.isfinite(quantiles).all()):
            raise InvalidTensor(
                f"color distance: expected finite quantiles {shape}, found {quantiles.shape}."
            )
    squares = np.square(stylized.astype(np.float64) - style)
    return float(np.sqrt(3 * squares.mean()))


def _half_sphere(count: int) -> np.ndarray:
    """Return `count` unit vectors of a Fibonacci lattice on the half sphere of positive lightness, float32."""
    steps = np.arange(count)
    height = (steps + 0.5) / count
    turn = steps * (np.pi * (3 - np.sqrt(5)))  # the golden angle
    radius = np.sqrt(1 - height**2)
    return np.stack([height, radius * np.cos(turn), radius * np.sin(turn)], axis=1).astype(np.float32)


def _mix(matrix: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Apply a 3 x 3 matrix by plain sums: a threaded matrix product costs far more than it computes here."""
    first, second, third = (matrix[:, k, None] * planes[k] for k in range(3))
    return np.asarray(first + second + third)


def _smooth(counts: np.ndarray, axis: int) -> np.ndarray:
    lines = np.moveaxis(counts, axis, 0)
    padded = np.concatenate([lines[:1], lines, lines[-1:]])  # the ends mirror, so the sum stays
    return np.moveaxis((padded[:-2] + 2 * lines + padded[2:]) / 4, 0, axis)


_DIRECTIONS = _half_sphere(64)
