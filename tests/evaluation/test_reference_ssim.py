"""SSIM and MS-SSIM against scikit-image, pytorch-msssim and piq."""

from collections.abc import Callable

import numpy as np
import piq
import pytest
import pytorch_msssim
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from torch import Tensor

from evaluation.metrics.structure import ms_ssim, ssim_index

TOLERANCE = 1e-5


def smooth_noise(seed: int, height: int, width: int | None = None) -> Tensor:
    """Two pictures of noise, as wide as high by default, rounded to 8 bits and put into [0, 1]."""
    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.normal(size=(2, 3, height, width or height)), sigma=(0, 0, 2, 2))
    codes = np.clip(np.rint(noise / noise.std() * 50 + 128), 0, 255)
    return torch.from_numpy(codes).float() / 255


def related_pair(height: int, width: int | None = None) -> tuple[Tensor, Tensor]:
    first = smooth_noise(0, height, width)
    return first, ((2 * first + smooth_noise(1, height, width)) / 3 * 255).round() / 255


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (37, 64)], ids=str)
def test_ssim_equals_three_packages(size: tuple[int, int]) -> None:
    stylized, content = related_pair(*size)
    ours = ssim_index(stylized, content)
    assert ((ours > 0.2) & (ours < 0.99)).all()
    for index in range(2):
        expected = structural_similarity(
            stylized[index].double().numpy(),
            content[index].double().numpy(),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
            channel_axis=0,
        )
        assert ours[index].item() == pytest.approx(expected, abs=1e-6)
    packages = {
        "pytorch_msssim": pytorch_msssim.ssim(stylized, content, data_range=1.0, size_average=False),
        "piq": piq.ssim(stylized, content, downsample=False, reduction="none"),
    }
    for name, values in packages.items():
        assert ours.tolist() == pytest.approx(values.tolist(), abs=TOLERANCE), name


@pytest.mark.parametrize("side", [176, 256])
def test_ms_ssim_equals_two_packages(side: int) -> None:
    stylized, content = related_pair(side)
    ours = ms_ssim(stylized, content).tolist()
    assert all(0.2 < value < 0.99 for value in ours)
    packages = {
        "pytorch_msssim": pytorch_msssim.ms_ssim(stylized, content, data_range=1.0, size_average=False),
        "piq": piq.multi_scale_ssim(stylized, content, reduction="none"),
    }
    for name, values in packages.items():
        assert ours == pytest.approx(values.tolist(), abs=TOLERANCE), name


@pytest.mark.parametrize("side", [161, 167])
def test_ms_ssim_of_odd_sides_equals_piq_seen_from_the_other_corner(side: int) -> None:
    """piq repeats the first row and column of an odd picture; we take the last ones, as the paper's code does."""
    stylized, content = related_pair(side)
    expected = piq.multi_scale_ssim(stylized.flip(2, 3), content.flip(2, 3), reduction="none")
    assert ms_ssim(stylized, content).tolist() == pytest.approx(expected.tolist(), abs=TOLERANCE)


def inverted_at_all_scales() -> tuple[Tensor, Tensor]:
    content = smooth_noise(0, 256)
    return 1 - content, content


def wave(amplitude: float, period: int) -> Tensor:
    return amplitude * torch.sin(2 * torch.pi * torch.arange(256.0) / period).expand(2, 3, 256, 256)


def inverted_at_middle_scales() -> tuple[Tensor, Tensor]:
    """Equal fine noise, which the first halving removes, and equal long waves; between them, opposite short waves."""
    signs = torch.randint(0, 2, (2, 3, 128, 128), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(128, 128)
    fine = 0.2 * signs.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3) * checks
    shared = 0.5 + fine + wave(0.15, 160)
    return shared - wave(0.12, 16), shared + wave(0.12, 16)


def inverted_at_the_last_scale() -> tuple[Tensor, Tensor]:
    """Opposite long waves under equal short ones, which are gone when 16 pixels have become one."""
    shared = 0.5 + wave(0.2, 16)
    return shared - wave(0.06, 160), shared + wave(0.06, 160)


@pytest.mark.parametrize(
    "make", [inverted_at_all_scales, inverted_at_middle_scales, inverted_at_the_last_scale]
)
def test_negative_structure_of_any_scale_counts_as_none(make: Callable[[], tuple[Tensor, Tensor]]) -> None:
    stylized, content = make()
    assert (ssim_index(stylized, content) > 0.5).all() == (make is not inverted_at_all_scales)
    assert ms_ssim(stylized, content).tolist() == [0.0, 0.0]
    assert piq.multi_scale_ssim(stylized, content, reduction="none").tolist() == [0.0, 0.0]
    theirs = pytorch_msssim.ms_ssim(stylized, content, data_range=1.0, size_average=False)
    assert theirs.tolist() == [0.0, 0.0]
