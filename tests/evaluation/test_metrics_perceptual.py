"""The perceptual distance: unit vectors, value by hand, range, damage, refusals."""

import pytest
import torch

from evaluation.errors import InvalidTensor
from evaluation.metrics.perceptual import perceptual_distance, unit_normalize


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
