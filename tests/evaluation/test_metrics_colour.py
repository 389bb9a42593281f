"""The color distances: OKLab against published values, histograms, quantiles, range, damage, refusals."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.metrics.colour import (
    colour_distance,
    colour_histogram,
    colour_quantiles,
    colour_sliced_wasserstein,
    oklab,
)


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


def transport(stylized: np.ndarray, style: np.ndarray) -> float:
    return colour_sliced_wasserstein(colour_quantiles(stylized), colour_quantiles(style))


def test_pictures_of_one_color_are_as_far_apart_as_their_colors() -> None:
    colors = [(255, 0, 0), (0, 255, 0), (30, 60, 200), (128, 128, 128), (255, 255, 255)]
    for first, second in product(colors, colors):
        apart = np.linalg.norm(oklab(flat(*first))[:, 0] - oklab(flat(*second))[:, 0])
        assert transport(flat(*first), flat(*second)) == pytest.approx(apart, rel=0.01)


def test_no_two_colors_are_further_apart_than_black_and_white() -> None:
    corners = [colour_quantiles(flat(*corner)) for corner in product((0, 255), repeat=3)]
    distances = [colour_sliced_wasserstein(first, second) for first in corners for second in corners]
    assert max(distances) == transport(flat(0, 0, 0), flat(255, 255, 255))
    assert max(distances) == pytest.approx(1, abs=1e-3)
    assert max(distances) <= 1


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**31), height=st.integers(1, 40), width=st.integers(1, 40))
def test_transport_is_a_symmetric_distance_that_forgets_places_and_sizes(
    seed: int, height: int, width: int
) -> None:
    rng = np.random.default_rng(seed)
    image, other = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    moved = rng.permutation(image.reshape(-1, 3)).reshape(image.shape)
    assert np.array_equal(colour_quantiles(moved), colour_quantiles(image))
    assert transport(np.tile(image, (2, 3, 1)), image) == 0
    assert transport(image, other) == transport(other, image)
    assert 0 < transport(image, other) <= 1


def test_transport_grows_evenly_where_histograms_saturate() -> None:
    distances = [transport(flat(120 + k, 120, 120 - k), flat(120, 120, 120)) for k in (0, 30, 60, 90, 120)]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert len(set(distances)) == 5
    assert transport(noise(), noise()[..., ::-1]) > 0


@pytest.mark.parametrize("image", [noise() / 255.0, noise()[..., 0], noise()[:0], noise().astype(np.int16)])
def test_wrong_pictures_have_no_quantiles(image: np.ndarray) -> None:
    with pytest.raises(InvalidTensor):
        colour_quantiles(image)


@pytest.mark.parametrize(
    "quantiles",
    [np.zeros((64, 1023)), np.zeros(1024), np.full((64, 1024), np.nan), np.full((64, 1024), np.inf)],
    ids=["size", "dimensions", "nan", "infinity"],
)
def test_wrong_quantiles_are_refused(quantiles: np.ndarray) -> None:
    for pair in ((quantiles, colour_quantiles(noise())), (colour_quantiles(noise()), quantiles)):
        with pytest.raises(InvalidTensor):
            colour_sliced_wasserstein(*pair)
