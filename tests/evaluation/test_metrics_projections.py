"""Sliced Wasserstein distance: fixed directions, quantiles that forget places, range, refusals."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.projections import (
    PROJECTIONS_ID,
    project_quantiles,
    projection_directions,
    quantile_ranks,
    sliced_wasserstein,
)

SEEDS = st.integers(0, 2**31)


def features(seed: int = 0, shape: tuple[int, ...] = (2, 5, 9, 8)) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def quantiles(maps: Tensor) -> Tensor:
    return project_quantiles(maps, projection_directions(maps.shape[1]))


def distance(stylized: Tensor, style: Tensor) -> Tensor:
    return sliced_wasserstein(quantiles(stylized), quantiles(style))


def test_directions_are_unit_vectors_and_the_same_everywhere() -> None:
    directions = projection_directions(512)
    assert directions.shape == (64, 512)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(64))
    assert torch.equal(directions, projection_directions(512))
    assert not torch.equal(projection_directions(6)[:, :5], projection_directions(5))


def test_the_directions_behind_the_name_never_change() -> None:
    assert PROJECTIONS_ID == "sphere64-pcg64-seed1-q1024"
    expected = torch.tensor(PINNED)
    torch.testing.assert_close(projection_directions(3)[:2], expected, rtol=0, atol=1e-7)


PINNED = [[-0.0905436, 0.13331442, -0.98692912], [-0.20699301, 0.37092853, 0.90529883]]


@settings(deadline=None, max_examples=20)
@given(
    seed=SEEDS,
    channels=st.sampled_from([1, 3, 16, 37, 64, 128, 512]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_a_permutation_of_places_changes_not_one_bit(
    seed: int, channels: int, height: int, width: int
) -> None:
    maps = features(seed, (1, channels, height, width))
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))
    moved = maps.flatten(2)[:, :, order].view_as(maps)
    assert torch.equal(quantiles(moved), quantiles(maps))


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS, channels=st.integers(1, 9), height=st.integers(1, 20), width=st.integers(1, 20))
def test_identity_symmetry_batches_and_memory_order(
    seed: int, channels: int, height: int, width: int
) -> None:
    ours, theirs = features(seed, (2, 2, channels, height, width))
    assert distance(ours, ours).tolist() == [0.0, 0.0]
    values = distance(ours, theirs)
    assert values.dtype == torch.float64
    assert (values >= 0).all()
    assert torch.equal(values, distance(theirs, ours))
    singles = [distance(ours[k : k + 1], theirs[k : k + 1]).item() for k in range(2)]
    assert values.tolist() == pytest.approx(singles, rel=1e-5, abs=1e-12)
    last = ours.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(distance(last, theirs), values, rtol=1e-5, atol=1e-12)


def test_the_features_themselves_are_left_alone() -> None:
    maps = features(0, (1, 64, 8, 8))
    before = maps.clone()
    project_quantiles(maps, torch.eye(64))
    assert torch.equal(maps, before)


def test_pictures_of_different_sizes_compare() -> None:
    small = features(0, (1, 5, 6, 7))
    assert distance(small.repeat(1, 1, 3, 2), small).item() == 0.0
    assert distance(small.repeat(1, 1, 3, 2) + 0.1, small).item() > 0


def test_it_sees_what_gram_and_deviations_cannot() -> None:
    """Two values of equal weight, and three, with the same mean and variance: only the shape differs."""
    two = torch.tensor([-1.0, 1.0]).repeat(24).view(1, 1, 6, 8)
    root = 1.5**0.5
    three = torch.tensor([-root, 0.0, root]).repeat(16).view(1, 1, 6, 8)
    torch.testing.assert_close(two.var(), three.var())
    assert distance(two, three).item() > 0.1


def test_a_shift_of_one_channel_by_hand() -> None:
    maps, direction = features(0, (1, 2, 5, 5)), torch.tensor([[0.6, 0.8]])
    moved = maps + torch.tensor([0.5, 0.0]).view(1, 2, 1, 1)
    pair = [project_quantiles(layer, direction) for layer in (moved, maps)]
    assert sliced_wasserstein(pair[0], pair[1]).item() == pytest.approx(0.09, rel=1e-5)


def test_channels_of_one_side_may_not_be_exchanged() -> None:
    maps = features() * torch.arange(1, 6).view(1, 5, 1, 1)
    assert distance(maps.roll(1, dims=1), maps).min().item() > 0.01


def test_ranks_are_in_the_middle_of_equal_shares() -> None:
    assert quantile_ranks(4, 4).tolist() == [0, 1, 2, 3]
    assert quantile_ranks(2, 4).tolist() == [0, 0, 1, 1]
    assert quantile_ranks(12, 4).tolist() == [1, 4, 7, 10]
    assert quantile_ranks(1, 3).tolist() == [0, 0, 0]


def test_half_precision_is_projected_in_single() -> None:
    assert quantiles(features().half()).dtype == quantiles(features().bfloat16()).dtype == torch.float32
    assert quantiles(features().double()).dtype == torch.float64


def with_one(value: float) -> Tensor:
    maps = features(0, (2, 5, 64, 64))
    maps[1, 2, 3, 4] = value
    return maps


@pytest.mark.parametrize(
    "maps",
    [
        features()[0],
        features()[:, :, :0],
        features().long(),
        features(0, (2, 6, 9, 8)),
        with_one(torch.nan),
        with_one(torch.inf),
        with_one(-torch.inf),
    ],
    ids=["dimensions", "empty", "dtype", "channels", "nan", "infinity", "minus infinity"],
)
def test_wrong_maps_are_refused(maps: Tensor) -> None:
    with pytest.raises(InvalidTensor):
        project_quantiles(maps, projection_directions(5))


def test_wrong_directions_counts_and_quantiles_are_refused() -> None:
    one = quantiles(features())
    for call in (
        lambda: projection_directions(0),
        lambda: project_quantiles(features(), torch.ones(5)),
        lambda: project_quantiles(features(), torch.ones(0, 5)),
        lambda: project_quantiles(features(), projection_directions(5), 0),
        lambda: project_quantiles(with_one(-torch.inf), torch.ones(1, 5)),
        lambda: sliced_wasserstein(one, one[:, :32]),
        lambda: sliced_wasserstein(one[0], one[0]),
        lambda: sliced_wasserstein(one, one * torch.nan),
    ):
        with pytest.raises(InvalidTensor):
            call()
