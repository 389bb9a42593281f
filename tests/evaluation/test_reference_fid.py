"""FID against torch-fidelity, clean-fid and torchmetrics on equal features, also with n below D."""

import numpy as np
import pytest
import torch
from cleanfid.fid import frechet_distance
from torch import Tensor, nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance, _compute_fid

from evaluation.metrics.moments import Moments
from evaluation.metrics.sets import fid, fid_from_moments

# clean-fid calls scipy's sqrtm with an argument that scipy has deprecated
pytestmark = pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")


def features(n: int, width: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Half-wave rectified correlated noise, as pooled activations are."""
    mix = np.random.default_rng(99).normal(size=(width, width)) / np.sqrt(width)
    return np.maximum(np.random.default_rng(seed).normal(size=(n, width)) @ mix + shift, 0)


def references(ours: np.ndarray, theirs: np.ndarray) -> list[float]:
    statistics = [fid_features_to_statistics(torch.from_numpy(x)) for x in (ours, theirs)]
    arrays = [array for part in statistics for array in (part["mu"], part["sigma"])]
    torch_fidelity = fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    torchmetrics = _compute_fid(*(torch.from_numpy(array) for array in arrays)).item()
    return [torch_fidelity, float(frechet_distance(*arrays)), torchmetrics]


@pytest.mark.parametrize(("n", "m", "width"), [(500, 600, 64), (300, 65, 64)])
def test_fid_equals_three_libraries(n: int, m: int, width: int) -> None:
    ours, theirs = features(n, width, 0), features(m, width, 1, shift=0.1)
    assert references(ours, theirs) == pytest.approx([fid(ours, theirs)] * 3, rel=1e-9)


def test_fid_with_fewer_features_than_dimensions() -> None:
    """The libraries take roots of eigenvalues that are 0 but for rounding, which costs them some digits."""
    ours, theirs = features(50, 200, 0), features(60, 200, 1, shift=0.1)
    assert references(ours, theirs) == pytest.approx([fid(ours, theirs)] * 3, rel=1e-6)


def test_fid_with_fewer_features_than_dimensions_is_exact_on_the_rank_that_the_data_has() -> None:
    ours, theirs = features(50, 200, 0), features(60, 200, 1, shift=0.1)
    covariances = [np.cov(x, rowvar=False) for x in (ours, theirs)]
    values = np.sort(np.linalg.eigvals(covariances[0] @ covariances[1]).real)[-49:]  # rank n - 1
    shift = np.square(ours.mean(axis=0) - theirs.mean(axis=0)).sum()
    expected = shift + sum(np.trace(c) for c in covariances) - 2 * np.sqrt(values).sum()
    assert fid(ours, theirs) == pytest.approx(expected, rel=1e-9)
    moments = [Moments.empty(200).add(x) for x in (ours, theirs)]
    assert fid_from_moments(*moments) == pytest.approx(expected, rel=1e-9)


class _Corners(nn.Module):
    """A tiny "Inception": 12 numbers of each picture."""

    num_features = 12

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, :2, :2].double().flatten(1)  # (N, 12)


def test_fid_equals_the_whole_metric_of_torchmetrics_on_a_small_network() -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(60, 3, 8, 8, generator=generator) ** power for power in (1, 2)]
    metric = FrechetInceptionDistance(feature=_Corners(), normalize=True, input_img_size=(3, 8, 8))
    metric.set_dtype(torch.float64)
    metric.update(pictures[0], real=True)
    metric.update(pictures[1], real=False)
    reference, stylized = (_Corners()(x).numpy() for x in pictures)
    assert metric.compute().item() == pytest.approx(fid(stylized, reference), rel=1e-9)
