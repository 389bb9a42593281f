"""The color distance: OKLab against published values, histograms, range, damage, refusals."""

import numpy as np
import pytest

from evaluation.errors import InvalidTensor
from evaluation.metrics.colour import colour_distance, colour_histogram, oklab


def flat(*color: int) -> np.ndarray:
    return np.full((16, 16, 3), color, dtype=np.uint8)


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ((255, 255, 255), (1.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 255, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 255), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab_gives_the_published_values(color: tuple[int, ...], expected: tuple[float, ...]) -> None:
    assert oklab(flat(*color))[:, 0] == pytest.approx(expected, abs=2e-4)


def test_a_histogram_sums_to_one_and_forgets_positions() -> None:
    histogram = colour_histogram(noise())
    assert histogram.sum() == pytest.approx(1.0)
    assert histogram.min() >= 0
    turned = np.ascontiguousarray(noise()[::-1].transpose(1, 0, 2))
    assert np.array_equal(colour_histogram(turned), histogram)


def test_identity_symmetry_and_the_whole_range() -> None:
    first, second = colour_histogram(noise(0)), colour_histogram(noise(1))
    assert colour_distance(first, first) == 0.0
    assert colour_distance(first, second) == colour_distance(second, first)
    assert colour_distance(colour_histogram(flat(250, 20, 20)), colour_histogram(flat(20, 20, 250))) == 1.0


def test_it_grows_as_colors_move_away() -> None:
    reference = colour_histogram(flat(120, 120, 120))
    distances = [
        colour_distance(colour_histogram(flat(120 + k, 120, 120 - k)), reference) for k in (0, 8, 24, 60)
    ]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert distances[1] < 0.9


def test_channel_order_matters() -> None:
    image = flat(200, 120, 40)
    assert colour_distance(colour_histogram(image), colour_histogram(image[..., ::-1])) > 0.9


@pytest.mark.parametrize("image", [noise() / 255.0, noise()[..., 0]])
def test_wrong_pictures_are_refused(image: np.ndarray) -> None:
    with pytest.raises(InvalidTensor):
        colour_histogram(image)


@pytest.mark.parametrize("histogram", [np.ones(5), np.full(16384, np.nan), np.zeros(16384), -np.ones(16384)])
def test_wrong_histograms_are_refused(histogram: np.ndarray) -> None:
    with pytest.raises(InvalidTensor):
        colour_distance(histogram, colour_histogram(noise()))
