"""Gram losses against piq and against the scalings in use elsewhere."""

import numpy as np
import piq
import pytest
import torch
from torch import nn

from evaluation.metrics.style import gram_loss, relative_gram_loss, style_statistics


def random_maps(seed: int, channels: int = 32, height: int = 16, width: int = 20) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, channels, height, width, generator=generator, dtype=torch.float64)


def our_loss(stylized: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    return gram_loss([style_statistics(stylized)], [style_statistics(style)])


def numpy_grams(features: torch.Tensor) -> np.ndarray:
    """Unnormalized Gram matrices by a sum over positions."""
    return np.einsum("nchw,ndhw->ncd", features.numpy(), features.numpy())


def test_it_equals_the_style_loss_of_piq_at_every_layer() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3), nn.ReLU()
    ).double()
    stylized, style = random_maps(0, 3), random_maps(1, 3)
    for layer in ("1", "4"):
        theirs = piq.StyleLoss(network, layers=[layer], mean=[0.0] * 3, std=[1.0] * 3, reduction="none")(
            stylized, style
        )
        with torch.no_grad():
            trunk = network[: int(layer) + 1]
            ours, positions = our_loss(trunk(stylized), trunk(style)), trunk(style)[0, 0].numel()
        torch.testing.assert_close(4 * positions**2 * ours, theirs, rtol=1e-12, atol=0)


def test_the_gram_matrix_of_johnson_gives_a_quarter_of_its_squared_norm() -> None:
    stylized, style = random_maps(0), random_maps(1)
    channels, positions = 32, 320
    difference = (numpy_grams(stylized) - numpy_grams(style)) / (channels * positions)
    squared_norm = (difference**2).sum(axis=(1, 2))
    assert our_loss(stylized, style).tolist() == pytest.approx(squared_norm / 4, rel=1e-9)
    tutorial = (difference**2).mean(axis=(1, 2))  # the mean over C x C shrinks wide layers
    assert our_loss(stylized, style).tolist() == pytest.approx(tutorial * channels**2 / 4, rel=1e-9)


def test_single_precision_features_lose_little() -> None:
    stylized, style = random_maps(0), random_maps(1)
    single = our_loss(stylized.float(), style.float())
    torch.testing.assert_close(single, our_loss(stylized, style), rtol=1e-5, atol=0)


def test_the_relative_loss_equals_the_formula() -> None:
    layers = [(random_maps(0), random_maps(1)), (random_maps(2, 7, 5, 4), random_maps(3, 7, 5, 4) * 9)]
    expected = np.zeros(2)
    for stylized, style in layers:
        difference = numpy_grams(stylized) - numpy_grams(style)
        expected += (difference**2).sum(axis=(1, 2)) / (numpy_grams(style) ** 2).sum(axis=(1, 2)) / 2
    ours, theirs = zip(*[(style_statistics(a), style_statistics(b)) for a, b in layers], strict=True)
    assert relative_gram_loss(ours, theirs).tolist() == pytest.approx(expected, rel=1e-9)


def test_permuting_channels_is_noticed_where_a_flattened_gram_matrix_is_blind() -> None:
    """A product of the map flattened to one vector is 1 x 1: it compares total energy alone."""
    style = random_maps(1) * torch.arange(1, 33).view(1, 32, 1, 1)
    turned = style.roll(1, dims=1)
    flattened = [maps.flatten(1).square().sum(dim=1) for maps in (turned, style)]
    torch.testing.assert_close(flattened[0], flattened[1])
    assert our_loss(turned, style).min() > 0.01 * our_loss(torch.zeros_like(style), style).max()
