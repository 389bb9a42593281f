"""The perceptual distances: unit vectors, value by hand, range, damage, refusals."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.metrics.perceptual import lpips, perceptual_distance, unit_normalize


def units(seed: int = 0, shape: tuple[int, ...] = (2, 5, 6, 7)) -> torch.Tensor:
    return unit_normalize(torch.rand(shape, generator=torch.Generator().manual_seed(seed)))


def test_unit_normalize_gives_unit_vectors_and_keeps_zeros() -> None:
    lengths = units().square().sum(dim=1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))
    assert float(unit_normalize(torch.zeros(1, 3, 2, 2)).abs().max()) == 0.0


def test_unit_normalize_can_write_over_its_input() -> None:
    layer = torch.rand(1, 3, 4, 4)
    expected = unit_normalize(layer)
    assert unit_normalize(layer, out=layer) is layer
    assert torch.equal(layer, expected)


def test_it_equals_the_formula() -> None:
    layers = [(units(0), units(1)), (units(2, (2, 3, 2, 2)), units(3, (2, 3, 2, 2)))]
    expected = sum(((a.double() - b.double()) ** 2).sum(dim=1).mean(dim=(1, 2)) for a, b in layers)
    result = perceptual_distance([a for a, _ in layers], [b for _, b in layers])
    assert isinstance(expected, torch.Tensor)
    torch.testing.assert_close(result, expected, rtol=1e-6, atol=0)


def test_identity_range_and_brightness() -> None:
    layer = torch.rand(1, 5, 6, 7)
    assert perceptual_distance([units()], [units()]).tolist() == [0.0, 0.0]
    brighter = perceptual_distance([unit_normalize(3 * layer)], [unit_normalize(layer)])
    assert brighter.item() < 1e-12
    disjoint = torch.zeros(2, 1, 2, 3, 3)
    disjoint[0, :, 0], disjoint[1, :, 1] = 1.0, 1.0
    assert perceptual_distance([disjoint[0]], [disjoint[1]]).tolist() == [2.0]


def test_it_grows_with_damage_and_sees_moved_positions() -> None:
    layer, noise = torch.rand(1, 5, 8, 8), torch.rand(1, 5, 8, 8)
    distances = [
        perceptual_distance([unit_normalize(layer + k * noise)], [unit_normalize(layer)]).item()
        for k in range(4)
    ]
    assert distances == sorted(distances)
    assert distances[1] > 0
    assert perceptual_distance([unit_normalize(layer.flip(3))], [unit_normalize(layer)]).item() > 0.01


def test_a_batch_equals_single_calls() -> None:
    batch = perceptual_distance([units(0)], [units(1)]).tolist()
    singles = [perceptual_distance([units(0)[k : k + 1]], [units(1)[k : k + 1]]).item() for k in range(2)]
    assert batch == pytest.approx(singles, rel=1e-9)


def test_wrong_layers_are_refused() -> None:
    for ours, theirs in (
        ([units()], []),
        ([], []),
        ([units()], [units(0, (2, 5, 6, 8))]),
        ([units() * torch.nan], [units()]),
        ([units()[0]], [units()[0]]),
    ):
        with pytest.raises(InvalidTensor):
            perceptual_distance(ours, theirs)
    with pytest.raises(InvalidTensor):
        unit_normalize(torch.zeros(1, 3, 2, 2, dtype=torch.uint8))


def head(seed: int = 9, channels: int = 5) -> torch.Tensor:
    return torch.rand(channels, generator=torch.Generator().manual_seed(seed))


def test_lpips_equals_the_formula_for_either_shape_of_head() -> None:
    layers = [(units(0), units(1), head()), (units(2, (2, 3, 2, 2)), units(3, (2, 3, 2, 2)), head(8, 3))]
    first, second, heads = ([layer[k] for layer in layers] for k in range(3))
    expected = torch.zeros(2, dtype=torch.float64)
    for ours, theirs, weights in layers:
        for channel, weight in enumerate(weights.tolist()):
            difference = ours[:, channel].double() - theirs[:, channel].double()
            expected += weight * difference.square().mean(dim=(1, 2))
    torch.testing.assert_close(lpips(first, second, heads), expected, rtol=1e-6, atol=0)
    columns = [weights.view(1, -1, 1, 1) for weights in heads]
    assert torch.equal(lpips(first, second, columns), lpips(first, second, heads))


def test_heads_of_ones_give_the_plain_distance() -> None:
    ours, theirs = [units(0)], [units(1)]
    plain = perceptual_distance(ours, theirs)
    torch.testing.assert_close(lpips(ours, theirs, [torch.ones(5)]), plain, rtol=1e-6, atol=0)


@settings(deadline=None, max_examples=10)
@given(
    seed=st.integers(0, 2**31),
    channels=st.integers(2, 9),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
)
def test_both_are_symmetric_distances_image_by_image(
    seed: int, channels: int, height: int, width: int
) -> None:
    shape = (3, channels, height, width)
    ours, theirs, heads = [units(seed, shape)], [units(seed + 1, shape)], [head(seed, channels)]
    for distance in (lambda a, b: lpips(a, b, heads), perceptual_distance):
        values = distance(ours, theirs)
        assert values.dtype == torch.float64
        assert (values > 0).all()
        assert distance(ours, ours).tolist() == [0.0, 0.0, 0.0]
        assert torch.equal(values, distance(theirs, ours))
        singles = [distance([ours[0][k : k + 1]], [theirs[0][k : k + 1]]).item() for k in range(3)]
        assert values.tolist() == pytest.approx(singles, rel=1e-5)
        last = [ours[0].contiguous(memory_format=torch.channels_last)]
        torch.testing.assert_close(distance(last, theirs), values, rtol=1e-5, atol=0)


def test_lpips_sees_moved_places_and_exchanged_channels() -> None:
    assert lpips([units().flip(3)], [units()], [head()]).min().item() > 0.001
    assert lpips([units().roll(1, dims=1)], [units()], [head()]).min().item() > 0.001


def test_inputs_are_left_alone() -> None:
    ours, theirs, weights = units(0), units(1), head()
    before = [tensor.clone() for tensor in (ours, theirs, weights)]
    lpips([ours], [theirs], [weights])
    perceptual_distance([ours], [theirs])
    for tensor, copy in zip((ours, theirs, weights), before, strict=True):
        assert torch.equal(tensor, copy)


def test_wrong_heads_and_layers_are_refused() -> None:
    for ours, theirs, heads in (
        ([units()], [units()], []),
        ([units()], [], [head()]),
        ([], [], []),
        ([units()], [units()], [head(0, 4)]),
        ([units()], [units()], [head().view(5, 1)]),
        ([units()], [units()], [torch.ones(5, dtype=torch.int64)]),
        ([units()], [units()], [head() - 0.5]),
        ([units()], [units()], [head() * torch.nan]),
        ([units()], [units()], [head() * torch.inf]),
        ([units()], [units(0, (2, 5, 6, 8))], [head()]),
        ([units() * torch.nan], [units()], [head()]),
        ([units().long()], [units().long()], [head()]),
    ):
        with pytest.raises(InvalidTensor):
            lpips(ours, theirs, heads)
