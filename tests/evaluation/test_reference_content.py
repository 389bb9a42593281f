"""Content losses against piq and against plain numpy."""

import numpy as np
import piq
import pytest
import torch
from torch import nn

from evaluation.metrics.content import content_loss, content_loss_sum, instance_normalized_content_loss


def random_maps(seed: int, channels: int = 12) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, channels, 16, 20, generator=generator)


def test_it_equals_the_content_loss_of_piq() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 24, 3), nn.ReLU())
    stylized, content = random_maps(0, 3), random_maps(1, 3)
    theirs = piq.ContentLoss(network, layers=["1"], mean=[0.0] * 3, std=[1.0] * 3, reduction="none")(
        stylized, content
    ).double()
    with torch.no_grad():
        ours, positions = content_loss(network(stylized), network(content)), 14 * 18
        half_sum = content_loss_sum(network(stylized), network(content))
    torch.testing.assert_close(24 * ours, theirs, rtol=1e-6, atol=0)
    torch.testing.assert_close(half_sum, positions / 2 * theirs, rtol=1e-6, atol=0)


def numpy_normalized(features: torch.Tensor) -> np.ndarray:
    doubles = features.double().numpy()
    mean = doubles.mean(axis=(2, 3), keepdims=True)
    variance = doubles.var(axis=(2, 3), ddof=1, keepdims=True)
    return np.asarray((doubles - mean) / np.sqrt(variance + 1e-5))


def test_the_normalized_loss_equals_the_formula() -> None:
    stylized, content = random_maps(0) * 5 + 2, random_maps(1)
    expected = ((numpy_normalized(stylized) - numpy_normalized(content)) ** 2).mean(axis=(1, 2, 3))
    assert instance_normalized_content_loss(stylized, content).tolist() == pytest.approx(expected, rel=1e-9)


def test_the_normalized_loss_is_near_that_of_instance_norm_layers() -> None:
    """They take the biased variance: a factor of M / (M - 1)."""
    stylized, content = random_maps(0), random_maps(1)
    layer = nn.InstanceNorm2d(12)
    theirs = (layer(stylized) - layer(content)).square().mean(dim=(1, 2, 3)).double() * 319 / 320
    torch.testing.assert_close(instance_normalized_content_loss(stylized, content), theirs, rtol=1e-5, atol=0)
