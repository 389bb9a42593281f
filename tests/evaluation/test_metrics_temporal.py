"""Temporal stability: exact warps, camera paths inside the still, errors of flicker, drift and smear, refusals."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.temporal import (
    Camera,
    camera_path,
    normalized_warp_error,
    relative_transform,
    temporal_lpips,
    warp,
    warp_error,
)


def still(side: int = 96) -> Tensor:
    coarse = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False).clamp(0, 1)


def film(kind: Camera = Camera.PAN, frames: int = 5, seed: int = 3) -> tuple[Tensor, Tensor]:
    views = camera_path(frames, kind, seed=seed)
    return torch.cat([warp(still(), view)[0] for view in views]).clamp(0, 1), views


def shift(pixels: float, side: int = 96) -> Tensor:
    return torch.tensor([[1.0, 0.0, 2 * pixels / side], [0.0, 1.0, 0.0]])


def posterized(frames: Tensor) -> Tensor:
    return (frames * 4).round() / 4


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_whole_pixels_and_the_identity_are_exact(mode: str) -> None:
    picture = still()
    same, is_valid = warp(picture, torch.eye(2, 3), mode)
    torch.testing.assert_close(same, picture, rtol=0, atol=1e-6)
    assert is_valid.all()
    moved, is_valid = warp(picture, shift(7), mode)
    torch.testing.assert_close(moved[..., :-8], picture[..., 7:-1], rtol=0, atol=1e-6)
    assert is_valid[0, 0].sum().item() == 96 * 89


def test_half_a_pixel_is_the_mean_of_two() -> None:
    picture = still()
    moved, is_valid = warp(picture, shift(0.5), "bilinear")
    torch.testing.assert_close(moved[..., :-1], (picture[..., :-1] + picture[..., 1:]) / 2, rtol=0, atol=1e-6)
    assert not is_valid[..., -1].any()
    assert is_valid[..., :-1].all()
    assert warp(picture, shift(0.5), "bicubic")[1][0, 0, 40].tolist() == [False] + [True] * 93 + [False] * 2


def test_a_ramp_is_warped_to_the_value_at_the_mapped_place() -> None:
    """The value of each pixel is its own coordinate, so every sample says where it was taken."""
    side = 64
    x = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    ramp = torch.stack([x.expand(side, side), x[:, None].expand(side, side)])[None]  # (1, 2, side, side)
    view = torch.tensor([[0.7, 0.1, 0.05], [-0.1, 0.8, -0.1]], dtype=torch.float64)
    moved, is_valid = warp(ramp, view, "bilinear")
    places = torch.stack(
        [2 * ramp[0, 0] - 1, 2 * ramp[0, 1] - 1, torch.ones(side, side, dtype=torch.float64)]
    )
    expected = (torch.einsum("ij,jhw->ihw", view, places) + 1) / 2
    torch.testing.assert_close(moved[0][:, is_valid[0, 0]], expected[:, is_valid[0, 0]], rtol=0, atol=1e-12)
    assert is_valid.double().mean() > 0.9


@given(kind=st.sampled_from(list(Camera)), frames=st.integers(2, 9), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_every_view_lies_inside_the_still_and_moves_by_parts_of_pixels(
    kind: Camera, frames: int, seed: int
) -> None:
    views = camera_path(frames, kind, seed=seed)
    corners = torch.tensor([[x, y, 1.0] for x in (-1, 1) for y in (-1, 1)], dtype=torch.float64)
    assert (views @ corners.T).abs().max() < 1
    assert torch.equal(views, camera_path(frames, kind, seed=seed))
    assert not torch.equal(views, camera_path(frames, kind, seed=seed + 1))
    step = relative_transform(views, 1, 0) - torch.eye(2, 3)
    assert step.abs().max() > 0.001


def test_relative_transforms_chain() -> None:
    views = camera_path(4, Camera.ZOOM, seed=1)
    square = torch.eye(3, dtype=torch.float64)
    for t in (1, 2, 3):
        step = torch.eye(3, dtype=torch.float64)
        step[:2] = relative_transform(views, t, t - 1)
        square = square @ step
    torch.testing.assert_close(square[:2], relative_transform(views, 3, 0))
    torch.testing.assert_close(relative_transform(views, 2, 2), torch.eye(2, 3, dtype=torch.float64))


@pytest.mark.parametrize("kind", list(Camera))
def test_the_inputs_themselves_have_next_to_no_error_on_the_true_path_alone(kind: Camera) -> None:
    frames, views = film(kind)
    true, wrong = warp_error(frames, views), warp_error(frames, views.flip(0))
    assert max(true.short, true.long) < 2e-4
    assert min(wrong.short, wrong.long) > 50 * true.short


def test_filming_with_whole_pixels_leaves_no_error_at_all() -> None:
    views = torch.stack([shift(k) for k in (0, 3, 9)]).double()
    frames = torch.cat([warp(still(), view)[0] for view in views]).clamp(0, 1)
    # what came from outside the still is repeated border: drop it by looking at the common part only
    error = warp_error(frames[..., :80].contiguous(), _cropped(views, 80))
    assert max(error.short, error.long) < 1e-10


def _cropped(views: Tensor, width: int) -> Tensor:
    scaled = views.clone()
    scaled[:, 0, 2] *= 96 / width
    return scaled


def test_the_formula_by_hand() -> None:
    """Views that do not move: plain differences of frames, short and long."""
    frames = torch.stack([torch.full((3, 8, 8), value) for value in (0.0, 0.5, 0.25)])
    error = warp_error(frames, torch.eye(2, 3).repeat(3, 1, 1))
    assert error.short == pytest.approx((0.25 + 0.0625) / 2)
    assert error.long == pytest.approx((0.25 + 0.0625) / 2)
    drift = torch.stack([torch.full((3, 8, 8), value) for value in (0.0, 0.1, 0.2)])
    error = warp_error(drift, torch.eye(2, 3).repeat(3, 1, 1))
    assert error.short == pytest.approx(0.01)
    assert error.long == pytest.approx((0.01 + 0.04) / 2)


def test_more_flicker_costs_more() -> None:
    frames, views = film()
    noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(1))
    errors = [warp_error((frames + k * noise).clamp(0, 1), views).short for k in (0.0, 0.02, 0.05, 0.1)]
    assert errors == sorted(errors)
    assert errors[3] > 10 * errors[1]


def test_doing_little_wins_the_plain_error_and_not_the_normalized_one() -> None:
    frames, views = film()
    noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(1))
    lazy, honest = (frames + 0.01 * noise).clamp(0, 1), posterized(frames)
    assert warp_error(lazy, views).short < warp_error(honest, views).short
    assert (
        normalized_warp_error(lazy, frames, views).short > normalized_warp_error(honest, frames, views).short
    )


def test_frames_that_equal_the_inputs_have_no_normalized_error() -> None:
    frames, views = film()
    with pytest.raises(InvalidTensor, match="equal the inputs"):
        normalized_warp_error(frames, frames, views)


def test_temporal_lpips_is_the_mean_excess_over_the_inputs() -> None:
    assert temporal_lpips(torch.tensor([0.4, 0.6]), torch.tensor([0.1, 0.2])) == pytest.approx(0.35)
    assert temporal_lpips(torch.tensor([0.1]), torch.tensor([0.3])) < 0


@pytest.mark.parametrize(
    "frames",
    [
        torch.rand(1, 3, 8, 8),
        torch.rand(2, 3, 8, 8) + 1,
        torch.rand(2, 3, 8, 8) * torch.nan,
        torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
        torch.rand(3, 8, 8),
    ],
    ids=["one frame", "range", "nan", "dtype", "dimensions"],
)
def test_wrong_frames_are_refused(frames: Tensor) -> None:
    views = torch.eye(2, 3).repeat(len(frames), 1, 1)
    with pytest.raises(InvalidTensor):
        warp_error(frames, views)
    with pytest.raises(InvalidTensor):
        normalized_warp_error(frames, frames, views)


def test_paths_that_do_not_fit_the_frames_are_refused() -> None:
    frames = torch.rand(3, 3, 8, 8)
    with pytest.raises(InvalidTensor):
        warp_error(frames, torch.eye(2, 3).repeat(2, 1, 1))
    away = torch.stack([shift(0, 8), shift(50, 8), shift(0, 8)])
    with pytest.raises(InvalidTensor, match="share no pixel"):
        warp_error(frames, away)
    with pytest.raises(InvalidTensor):
        normalized_warp_error(frames, torch.rand(3, 3, 9, 9), torch.eye(2, 3).repeat(3, 1, 1))


def test_wrong_warps_and_cameras_are_refused() -> None:
    for transform, mode in ((torch.eye(3), "bilinear"), (torch.eye(2, 3), "nearest")):
        with pytest.raises(InvalidTensor):
            warp(still(), transform, mode)
    for frames, kind in ((1, Camera.PAN), (3, "roll")):
        with pytest.raises(InvalidTensor):
            camera_path(frames, kind, seed=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [[0.1, math.nan], [0.1, -0.2], [0.1], [], [[0.1, 0.2]]])
def test_wrong_distances_are_refused(bad: list[float]) -> None:
    for pair in (
        (torch.tensor(bad), torch.tensor([0.1, 0.2])),
        (torch.tensor([0.1, 0.2]), torch.tensor(bad)),
    ):
        with pytest.raises(InvalidTensor):
            temporal_lpips(*pair)
