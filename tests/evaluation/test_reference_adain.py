"""The AdaIN statistics against plain numpy: unbiased variance plus 1e-5 under the root."""

import numpy as np
import pytest
import torch

from evaluation.metrics.style import mean_std_loss, style_statistics


def random_maps(seed: int, scale: float = 1.0, offset: float = 0.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, 9, 13, 17, generator=generator) * scale + offset


def numpy_mean_std(features: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    flat = features.double().flatten(2).numpy()
    mean = flat.sum(axis=2) / flat.shape[2]
    variance = ((flat - mean[..., None]) ** 2).sum(axis=2) / (flat.shape[2] - 1)
    return mean, np.sqrt(variance + 1e-5)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e-3, 0.0), (0.1, 20.0)])
def test_statistics_equal_those_of_numpy(scale: float, offset: float) -> None:
    """The last case has means far above deviations, where a difference of moments would fail."""
    features = random_maps(0, scale, offset)
    mean, std = numpy_mean_std(features)
    statistics = style_statistics(features)
    np.testing.assert_allclose(statistics.mean.numpy(), mean, rtol=1e-6)
    np.testing.assert_allclose(statistics.std.numpy(), std, rtol=1e-5)


def test_a_constant_channel_has_the_deviation_of_the_epsilon() -> None:
    statistics = style_statistics(torch.full((1, 2, 8, 8), 3.7))
    np.testing.assert_allclose(statistics.std.numpy(), np.sqrt(1e-5), rtol=1e-6)


def test_the_loss_equals_that_of_numpy() -> None:
    layers = [(random_maps(0), random_maps(1, 2.0)), (random_maps(2, 0.5, 1.0), random_maps(3))]
    expected = np.zeros(2)
    for stylized, style in layers:
        for ours, theirs in zip(numpy_mean_std(stylized), numpy_mean_std(style), strict=True):
            expected += ((ours - theirs) ** 2).mean(axis=1)
    loss = mean_std_loss(
        [style_statistics(stylized) for stylized, _ in layers],
        [style_statistics(style) for _, style in layers],
    )
    assert loss.tolist() == pytest.approx(expected, rel=1e-6)
