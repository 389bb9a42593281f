"""SSIM: against an independent implementation after the paper, identity, range, damage, refusals."""

import numpy as np
import pytest

from evaluation.errors import InvalidTensor
from evaluation.metrics.structure import ssim


def picture(seed: int = 0, height: int = 40, width: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(rng.uniform(0.1, 0.6) * x + rng.uniform(0.1, 0.6) * y + k) for k in range(3)]
    return np.clip(np.stack(waves, axis=-1) * 90 + 128 + rng.normal(0, 8, (height, width, 3)), 0, 255).astype(
        np.uint8
    )


def paper_ssim(first: np.ndarray, second: np.ndarray) -> float:
    """SSIM by direct sums over every 11 x 11 window of every channel."""
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for channel in range(3):
        x, y = first[..., channel].astype(float), second[..., channel].astype(float)
        for row in range(x.shape[0] - 10):
            for column in range(x.shape[1] - 10):
                a, b = x[row : row + 11, column : column + 11], y[row : row + 11, column : column + 11]
                ma, mb = (window * a).sum(), (window * b).sum()
                va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
                cov = (window * (a - ma) * (b - mb)).sum()
                values.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return float(np.mean(values))


def test_it_equals_the_paper_by_direct_sums() -> None:
    assert ssim(picture(0), picture(1)) == pytest.approx(paper_ssim(picture(0), picture(1)), abs=1e-9)


def test_identity_symmetry_and_range() -> None:
    assert ssim(picture(), picture()) == 1.0
    assert ssim(picture(0), picture(1)) == pytest.approx(ssim(picture(1), picture(0)), abs=1e-12)
    assert -1 <= ssim(picture(), 255 - picture()) < 0


def test_it_falls_with_noise() -> None:
    noise = np.random.default_rng(5).normal(0, 1, (40, 48, 3))
    damaged = [np.clip(np.rint(picture() + k * noise), 0, 255).astype(np.uint8) for k in (0, 5, 15, 40)]
    values = [ssim(image, picture()) for image in damaged]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


def test_flooring_instead_of_rounding_is_noticed() -> None:
    exact = picture() * 0.93
    rounded, floored = np.rint(exact).astype(np.uint8), np.floor(exact).astype(np.uint8)
    assert ssim(rounded, picture()) > ssim(floored, picture())


@pytest.mark.parametrize(
    "stylized",
    [picture(0, 40, 47), picture() / 255.0, picture()[..., 0], np.zeros((40, 48, 4), np.uint8)],
    ids=["size", "dtype", "dimensions", "channels"],
)
def test_wrong_pictures_are_refused(stylized: np.ndarray) -> None:
    with pytest.raises(InvalidTensor):
        ssim(stylized, picture())


def test_a_picture_below_the_window_is_refused() -> None:
    with pytest.raises(InvalidTensor, match="at least 11"):
        ssim(picture(0, 10, 48), picture(1, 10, 48))
