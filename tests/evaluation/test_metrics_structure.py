"""SSIM, MS-SSIM and self-similarity: direct sums, identity, range, damage, precision, refusals."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.structure import ms_ssim, self_similarity_loss, ssim_and_ms_ssim, ssim_index

SEEDS = st.integers(0, 2**31)


def pixels(seed: int = 0, height: int = 40, width: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(rng.uniform(0.1, 0.6) * x + rng.uniform(0.1, 0.6) * y + k) for k in range(3)]
    noisy = np.stack(waves, axis=-1) * 90 + 128 + rng.normal(0, 8, (height, width, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def batch(*pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def picture(seed: int = 0, height: int = 40, width: int = 48) -> Tensor:
    return batch(pixels(seed, height, width))


def paper_ssim(first: np.ndarray, second: np.ndarray) -> float:
    """SSIM by direct sums over every 11 x 11 window of every channel."""
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for channel in range(3):
        x, y = first[..., channel].astype(float), second[..., channel].astype(float)
        for row in range(x.shape[0] - 10):
            for column in range(x.shape[1] - 10):
                a, b = x[row : row + 11, column : column + 11], y[row : row + 11, column : column + 11]
                ma, mb = (window * a).sum(), (window * b).sum()
                va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
                cov = (window * (a - ma) * (b - mb)).sum()
                values.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return float(np.mean(values))


def test_it_equals_the_paper_by_direct_sums() -> None:
    expected = paper_ssim(pixels(0), pixels(1))
    assert ssim_index(picture(0), picture(1)).item() == pytest.approx(expected, abs=1e-7)
    doubles = [batch(pixels(seed)).double().mul(255).round() / 255 for seed in (0, 1)]
    assert ssim_index(*doubles).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("function", [ssim_index, ms_ssim])
def test_identity_symmetry_and_range(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    first, second = picture(0, 176, 180), picture(1, 176, 180)
    assert function(first, first).tolist() == [1.0]
    assert function(first, first).dtype == torch.float64
    assert torch.equal(function(first, second), function(second, first))
    assert function(first, second).item() < 0.9
    assert -1 <= ssim_index(first, 1 - first).item() < 0
    assert ms_ssim(first, 1 - first).item() == 0


@pytest.mark.parametrize("function", [ssim_index, ms_ssim])
def test_it_falls_with_noise(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    clean, noise = pixels(0, 176, 176), np.random.default_rng(5).normal(0, 1, (176, 176, 3))
    damaged = [np.clip(np.rint(clean + k * noise), 0, 255).astype(np.uint8) for k in (0, 5, 15, 40)]
    values = function(batch(*damaged), batch(*[clean] * 4)).tolist()
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


def test_coarse_damage_hurts_ms_ssim_more_and_fine_damage_less() -> None:
    """What one scale sees as noise is gone at half the size; what spans many windows is seen late."""
    clean = torch.full((1, 3, 192, 192), 0.5)
    y, x = torch.meshgrid(torch.arange(192.0), torch.arange(192.0), indexing="ij")
    content = clean + 0.2 * torch.sin(x / 6) * torch.sin(y / 6)
    fine = content + 0.1 * torch.where((x + y) % 2 == 0, 1.0, -1.0)
    single, multiple = ssim_and_ms_ssim(fine, content)
    assert multiple.item() > single.item() + 0.1


def test_both_together_equal_each_alone() -> None:
    pair = picture(0, 161, 190), picture(1, 161, 190)
    single, multiple = ssim_and_ms_ssim(*pair)
    assert torch.equal(single, ssim_index(*pair))
    assert torch.equal(multiple, ms_ssim(*pair))


@pytest.mark.parametrize(
    "pair",
    [
        (np.full((161, 161, 3), 128, np.uint8), np.full((161, 161, 3), 255, np.uint8)),
        (
            np.repeat([[[0]], [[255]]], 81, axis=0).repeat(161, axis=1).repeat(3, axis=2),
            pixels(0, 162, 161) // 9,
        ),
        (255 - pixels(0, 161, 161) // 64, 255 - pixels(1, 161, 161) // 64),
        (pixels(0, 161, 161) // 32, 255 - pixels(0, 161, 161) // 32),
    ],
    ids=["flat gray on white", "half black half white", "nearly white", "nearly black on nearly white"],
)
def test_single_precision_is_as_good_as_double_where_cancellation_is_worst(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    singles = [batch(image.astype(np.uint8)) for image in pair]
    exact = ssim_and_ms_ssim(singles[0].double(), singles[1].double())
    for value, expected in zip(ssim_and_ms_ssim(*singles), exact, strict=True):
        assert value.item() == pytest.approx(expected.item(), abs=2e-6)


def test_flooring_instead_of_rounding_is_noticed() -> None:
    exact = pixels() * 0.93
    rounded, floored = np.rint(exact).astype(np.uint8), np.floor(exact).astype(np.uint8)
    assert ssim_index(batch(rounded), picture()).item() > ssim_index(batch(floored), picture()).item()


@settings(deadline=None, max_examples=5)
@given(seed=SEEDS, height=st.integers(161, 180), width=st.integers(161, 180))
def test_batch_memory_order_and_bounds(seed: int, height: int, width: int) -> None:
    shape = (2, 3, height, width)
    stylized, content = torch.rand((2, *shape), generator=torch.Generator().manual_seed(seed))
    values = torch.stack(ssim_and_ms_ssim(stylized, content))
    singles = [torch.stack(ssim_and_ms_ssim(stylized[k : k + 1], content[k : k + 1])) for k in range(2)]
    torch.testing.assert_close(values, torch.cat(singles, dim=1), rtol=0, atol=1e-9)
    last = stylized.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(torch.stack(ssim_and_ms_ssim(last, content)), values, rtol=0, atol=1e-9)
    assert (values.abs() <= 1).all()
    assert (values[1] >= 0).all()


@pytest.mark.parametrize("function", [ssim_index, ms_ssim, ssim_and_ms_ssim])
@pytest.mark.parametrize(
    "stylized",
    [
        picture(0, 176, 175),
        picture(0, 176, 176)[0],
        picture(0, 176, 176)[:, :1],
        picture(0, 176, 176)[:0],
        (picture(0, 176, 176) * 255).to(torch.uint8),
        picture(0, 176, 176).half(),
        picture(0, 176, 176).double(),
        picture(0, 176, 176) * 255,
        picture(0, 176, 176) * 2 - 1,
        torch.where(picture(0, 176, 176) > 0.9, torch.nan, 0.5),
        torch.where(picture(0, 176, 176) > 0.9, torch.inf, 0.5),
    ],
    ids=[
        "size",
        "dimensions",
        "channels",
        "empty",
        "uint8",
        "half",
        "mixed",
        "255",
        "signed",
        "nan",
        "infinity",
    ],
)
def test_wrong_pictures_are_refused(function: Callable[[Tensor, Tensor], Tensor], stylized: Tensor) -> None:
    for pair in ((stylized, picture(0, 176, 176)), (picture(0, 176, 176), stylized)):
        with pytest.raises(InvalidTensor):
            function(*pair)


def test_pictures_that_are_too_small_are_refused() -> None:
    assert ssim_index(picture(0, 11, 48), picture(1, 11, 48)).shape == (1,)
    with pytest.raises(InvalidTensor, match="at least 11"):
        ssim_index(picture(0, 10, 48), picture(1, 10, 48))
    with pytest.raises(InvalidTensor, match="at least 161"):
        ms_ssim(picture(0, 160, 200), picture(1, 160, 200))


def keys(seed: int = 0, shape: tuple[int, ...] = (2, 10, 6)) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS, tokens=st.integers(1, 20), width=st.integers(1, 12))
def test_self_similarity_is_a_bounded_symmetric_distance(seed: int, tokens: int, width: int) -> None:
    ours, theirs = keys(seed, (2, 3, tokens, width))
    loss = self_similarity_loss(ours, theirs)
    assert self_similarity_loss(ours, ours).tolist() == [0.0, 0.0, 0.0]
    assert torch.equal(loss, self_similarity_loss(theirs, ours))
    assert ((loss >= 0) & (loss <= 4)).all()
    singles = [self_similarity_loss(ours[k : k + 1], theirs[k : k + 1]).item() for k in range(3)]
    assert loss.tolist() == pytest.approx(singles, rel=1e-5, abs=1e-12)


def test_self_similarity_forgets_rotation_and_length_but_not_places() -> None:
    content = keys()
    rotation = torch.linalg.qr(keys(1, (6, 6))).Q
    assert self_similarity_loss(3 * content @ rotation, content).max().item() < 1e-12
    assert self_similarity_loss(content.flip(1), content).min().item() > 0.01
    both = self_similarity_loss(keys(2).flip(1), content.flip(1))
    torch.testing.assert_close(both, self_similarity_loss(keys(2), content), rtol=1e-5, atol=0)


def test_self_similarity_by_hand_and_of_keys_without_length() -> None:
    apart, alike = torch.tensor([[[1.0], [-1.0]]]), torch.tensor([[[1.0], [2.0]]])
    assert self_similarity_loss(apart, alike).item() == 2.0  # two of four cosines differ by 2
    assert self_similarity_loss(torch.zeros(1, 2, 1), alike).item() == 1.0


@pytest.mark.parametrize(
    "ours",
    [keys(0, (2, 10, 5)), keys()[0], keys()[:0], keys().long(), keys() * torch.nan, keys() * torch.inf],
    ids=["size", "dimensions", "empty", "dtype", "nan", "infinity"],
)
def test_wrong_keys_are_refused(ours: Tensor) -> None:
    for pair in ((ours, keys()), (keys(), ours)):
        with pytest.raises(InvalidTensor):
            self_similarity_loss(*pair)
