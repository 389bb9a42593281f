"""Sliced Wasserstein distances against optimal assignment and against numpy's quantiles."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from evaluation.metrics.colour import colour_quantiles, colour_sliced_wasserstein, oklab
from evaluation.metrics.projections import project_quantiles, projection_directions, sliced_wasserstein


def random_maps(seed: int, height: int, width: int) -> torch.Tensor:
    return torch.randn(1, 5, height, width, generator=torch.Generator().manual_seed(seed))


def transport_cost(first: np.ndarray, second: np.ndarray) -> float:
    """The least mean squared distance over all ways to move one set of points onto the other."""
    count = np.lcm(first.size, second.size)
    first, second = np.repeat(first, count // first.size), np.repeat(second, count // second.size)
    costs = (first[:, None] - second[None, :]) ** 2
    return float(costs[linear_sum_assignment(costs)].mean())


@pytest.mark.parametrize("other", [(4, 6), (6, 6)], ids=["equal sizes", "different sizes"])
def test_it_is_the_mean_cost_of_optimal_transport(other: tuple[int, int]) -> None:
    stylized, style, directions = random_maps(0, 4, 6), random_maps(1, *other), projection_directions(5)
    quantiles = 72  # as many as the common multiple of 24 and 36 positions, so nothing is left out
    ours, theirs = (project_quantiles(maps, directions, quantiles) for maps in (stylized, style))
    costs = [
        transport_cost(
            np.tensordot(direction, stylized[0].numpy(), axes=1).ravel(),
            np.tensordot(direction, style[0].numpy(), axes=1).ravel(),
        )
        for direction in directions.numpy()
    ]
    assert sliced_wasserstein(ours, theirs).item() == pytest.approx(np.mean(costs), rel=1e-5)


@pytest.mark.parametrize("size", [(3, 4), (8, 8), (45, 47), (64, 64)], ids=str)
def test_quantiles_equal_those_of_the_inverse_distribution_function(size: tuple[int, int]) -> None:
    maps, directions = random_maps(0, *size), projection_directions(5)
    levels = (np.arange(1024) + 0.5) / 1024
    projected = (directions @ maps[0].flatten(1)).numpy()
    expected = np.quantile(projected, levels, axis=1, method="inverted_cdf").T
    assert np.array_equal(project_quantiles(maps, directions)[0].numpy(), expected)


def test_color_distance_of_many_directions_is_that_of_fresh_random_ones() -> None:
    """The 64 fixed directions stand for all: 4000 random ones agree to a few percent."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, high, (16, 16, 3), dtype=np.uint8) for high in (256, 160)]
    directions = rng.normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    first, second = (np.sort(directions @ oklab(picture), axis=1) for picture in pictures)
    expected = np.sqrt(3 * ((first - second) ** 2).mean())
    ours = colour_sliced_wasserstein(colour_quantiles(pictures[0]), colour_quantiles(pictures[1]))
    assert ours == pytest.approx(expected, rel=0.05)
