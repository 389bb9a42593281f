"""LPIPS against the authors' package and against torchmetrics: random trunks, the published heads."""

import warnings
from typing import cast

import pytest
import torch
from lpips import LPIPS
from torch import Tensor
from torchmetrics.functional.image.lpips import _LPIPS

from evaluation.metrics.perceptual import lpips, perceptual_distance, unit_normalize

NETWORKS = ("alex", "vgg", "squeeze")


@pytest.fixture(scope="module", params=NETWORKS)
def reference(request: pytest.FixtureRequest) -> LPIPS:
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*deprecated since 0.13")  # how it asks for its trunk
        torch.manual_seed(3)
        return LPIPS(net=request.param, pnet_rand=True, verbose=False)


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    """Return two batches in [0, 1]."""
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(2, 3, 64, 64, generator=generator)
    second = (first + 0.3 * torch.rand(2, 3, 64, 64, generator=generator)).clamp(0, 1)
    return first, second


def unit_features(network: LPIPS, batch: Tensor) -> list[Tensor]:
    with torch.no_grad():
        return [unit_normalize(layer) for layer in network.net(network.scaling_layer(batch))]


def heads(network: LPIPS) -> list[Tensor]:
    return [layer.model[-1].weight.detach() for layer in network.lins]


def ours(network: LPIPS, first: Tensor, second: Tensor) -> Tensor:
    return lpips(unit_features(network, first), unit_features(network, second), heads(network))


def theirs(network: LPIPS, first: Tensor, second: Tensor, *, normalize: bool = False) -> Tensor:
    with torch.no_grad():
        return cast(Tensor, network(first, second, normalize=normalize)).flatten().double()


def test_it_equals_the_package(reference: LPIPS, pictures: tuple[Tensor, Tensor]) -> None:
    signed = [2 * batch - 1 for batch in pictures]
    expected = theirs(reference, signed[0], signed[1])
    assert expected.min() > 1e-4
    torch.testing.assert_close(ours(reference, signed[0], signed[1]), expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(expected, theirs(reference, *pictures, normalize=True), rtol=1e-6, atol=0)


def test_pictures_in_the_wrong_range_are_far_off(reference: LPIPS, pictures: tuple[Tensor, Tensor]) -> None:
    expected = theirs(reference, *pictures, normalize=True)
    wrong = ours(reference, *pictures)  # [0, 1] where [-1, 1] is meant
    assert ((wrong - expected).abs() > 0.1 * expected).all()


def test_roots_of_the_heads_may_be_put_into_the_features(
    reference: LPIPS, pictures: tuple[Tensor, Tensor]
) -> None:
    roots = [head.sqrt() for head in heads(reference)]
    first, second = (
        [unit * root for unit, root in zip(unit_features(reference, batch), roots, strict=True)]
        for batch in pictures
    )
    torch.testing.assert_close(
        perceptual_distance(first, second), ours(reference, *pictures), rtol=1e-5, atol=0
    )


def test_all_memory_orders_give_the_same(reference: LPIPS, pictures: tuple[Tensor, Tensor]) -> None:
    features = [unit_features(reference, batch) for batch in pictures]
    last = [[unit.contiguous(memory_format=torch.channels_last) for unit in units] for units in features]
    result = lpips(last[0], last[1], heads(reference))
    torch.testing.assert_close(result, lpips(features[0], features[1], heads(reference)), rtol=1e-6, atol=0)


def test_it_equals_torchmetrics(reference: LPIPS, pictures: tuple[Tensor, Tensor]) -> None:
    with torch.random.fork_rng(devices=[]):
        twin = _LPIPS(net=reference.pnet_type, pnet_rand=True)
    state = reference.state_dict()
    if reference.pnet_type == "squeeze":  # it numbers its slices from 0 and keeps them in a list
        for number in range(7):
            state = {
                key.replace(f"net.slice{number + 1}.", f"net.slices.{number}."): state[key] for key in state
            }
    missing = twin.load_state_dict(state, strict=False)
    assert not missing.missing_keys
    for head, published in zip(heads(reference), twin.lins, strict=True):
        assert torch.equal(head, published.model[-1].weight)
    expected = twin(*pictures, normalize=True).flatten().double()
    signed = [2 * batch - 1 for batch in pictures]
    torch.testing.assert_close(ours(reference, signed[0], signed[1]), expected, rtol=0, atol=1e-6)
