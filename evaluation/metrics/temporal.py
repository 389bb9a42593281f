"""Temporal stability without a flow network: a still is filmed along a known path, so the motion is exact.

A flow network estimates where a pixel went, errs at edges and misjudges stylized frames. Here every frame
is a known affine view of one still: the motion between two frames is the product of two matrices, nothing
is occluded, and only resampling stands between the frames. That remainder is measured by calling
`warp_error` on the input frames themselves: 1e-5 to 1e-4 for photographs of 256 pixels, bicubic.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_maps, check_result

_SCALE = 0.8  # a view shows this share of the still's width and height
_TRAVEL = 0.15  # how far a pan moves from the middle; less than 1 - _SCALE, so no view leaves the still
_CLOSEST = 0.6  # share shown at the end of a zoom


class Camera(StrEnum):
    """How the camera moves over the still."""

    PAN = "pan"
    ZOOM = "zoom"


@dataclass(frozen=True)
class WarpError:
    """Mean squared difference of a frame and the warped previous frame (short) or first frame (long)."""

    short: float
    long: float


def camera_path(frames: int, kind: Camera, *, seed: int) -> Tensor:
    """Make the views of a camera that moves evenly over a still.

    A pan goes straight through the middle in a seeded direction; a zoom closes in on a seeded point.

    Args:
        frames: number of frames, at least 2.
        kind: pan or zoom.
        seed: of the direction or the point.

    Returns:
        (T, 2, 3), float64: ``x_still = A x_frame`` in coordinates from -1 to 1 between the outer edges of
        the pixels. Steps are not whole pixels, and every view lies inside the still.

    Raises:
        InvalidTensor: fewer than 2 frames, or an unknown kind.
    """
    if frames < 2 or kind not in list(Camera):
        known = ", ".join(Camera)
        raise InvalidTensor(f"camera path: expected at least 2 frames and {known}; found {frames}, {kind}.")
    angle = 2 * np.pi * np.random.Generator(np.random.PCG64(seed)).random()
    aim = torch.tensor([np.cos(angle), np.sin(angle)], dtype=torch.float64) * _TRAVEL
    time = torch.linspace(0, 1, frames, dtype=torch.float64)
    if kind == Camera.PAN:
        scales, shifts = torch.full_like(time, _SCALE), (2 * time - 1)[:, None] * aim
    else:
        scales, shifts = _SCALE + (_CLOSEST - _SCALE) * time, time[:, None] * aim
    views = torch.zeros(frames, 2, 3, dtype=torch.float64)
    views[:, 0, 0] = views[:, 1, 1] = scales
    views[:, :, 2] = shifts
    return views


def relative_transform(views: Tensor, frame: int, source: int) -> Tensor:
    """Return the affine map (2, 3) from coordinates of `frame` to those of `source`: ``A_source^-1 A_frame``.

    Args:
        views: (T, 2, 3), floating, from `camera_path`.
        frame: the frame whose pixels are looked for.
        source: the frame in which they are looked for.
    """
    square = torch.zeros(len(views), 3, 3, dtype=torch.float64)
    square[:, :2], square[:, 2, 2] = views.double(), 1
    found: Tensor = torch.linalg.solve(square[source], square[frame])
    return found[:2]


def warp(images: Tensor, transform: Tensor, mode: str = "bicubic") -> tuple[Tensor, Tensor]:
    """Sample images at affinely moved places.

    Args:
        images: (N, C, H, W), floating, [0, 1].
        transform: (2, 3), floating: from coordinates of the result to those of `images`, -1 to 1 between
            the outer edges of the pixels.
        mode: "bilinear" or "bicubic"; bicubic blurs less and may leave [0, 1] by a little.

    Returns:
        The result (N, C, H, W), and where it is valid, bool (1, 1, H, W): all pixels that a sample was
        made from lie inside the images.

    Raises:
        InvalidTensor: wrong shape or dtype, or an unknown mode.

    Source: Jaderberg et al. 2015, affine grid; torch's grid_sample without aligned corners.
    """
    check_maps("warp", images)
    if tuple(transform.shape) != (2, 3) or mode not in ("bilinear", "bicubic"):
        found = f"{tuple(transform.shape)}, {mode!r}"
        raise InvalidTensor(f"warp: expected a (2, 3) transform, bilinear or bicubic; found {found}.")
    height, width = images.shape[2:]
    # the grid in double: in single precision a place is off by up to 1e-4 pixels
    theta = transform.double().to(images.device)[None]
    grid = F.affine_grid(theta, [1, 1, height, width], align_corners=False)  # (1, H, W, 2)
    sides = torch.tensor([width, height], dtype=torch.float64, device=images.device)
    pixels = ((grid + 1) * sides - 1) / 2  # (1, H, W, 2), 0 at the center of the first pixel
    margin = 1 if mode == "bicubic" else 0
    slack = 1e-4  # pixels: a transform in single precision must not make whole pixels invalid
    is_whole = (pixels - pixels.round()).abs() < slack  # such a place needs no neighbors
    is_inside = (pixels >= margin - slack) & (pixels <= sides - 1 - margin + slack)
    is_inside |= is_whole & (pixels > -slack) & (pixels < sides - 1 + slack)
    batch = grid.expand(len(images), -1, -1, -1)
    warped = F.grid_sample(images.double(), batch, mode, padding_mode="border", align_corners=False)
    return warped.to(images.dtype), is_inside.all(dim=3)[:, None]


def warp_error(frames: Tensor, views: Tensor, mode: str = "bicubic") -> WarpError:
    """Compute ``1/(T-1) sum_t [sum_p V_t (o_t - W(o_{t-1}))^2 / sum_p V_t]``, and the same with o_0.

    Args:
        frames: (T, C, H, W), floating, [0, 1], T >= 2: the stylized frames.
        views: (T, 2, 3), floating, the path that the input frames were made with.
        mode: how warped frames are resampled.

    Returns:
        short (previous frame) and long (first frame), means over channels, [0, 1], lower is better.
        Frames of one flat color score 0: doing nothing or smearing wins, so see `normalized_warp_error`.

    Raises:
        InvalidTensor: wrong shapes, values outside [0, 1], NaN, or two views that share no pixel.

    Source: Lai et al. 2018 (blind video temporal consistency), the warping error of its evaluation; long
    uses the first frame, as its long-term loss. Deviations: an exact warp in place of estimated flow, so V
    leaves out only what lies outside the picture; means over channels, not sums.
    """
    _check_frames(frames, views)
    later = range(1, len(frames))
    short = [_difference(frames, views, t, t - 1, mode=mode) for t in later]
    long = [_difference(frames, views, t, 0, mode=mode) for t in later]
    return WarpError(sum(short) / len(short), sum(long) / len(long))


def normalized_warp_error(
    stylized: Tensor, inputs: Tensor, views: Tensor, mode: str = "bicubic"
) -> WarpError:
    """Compute `warp_error` of the stylized frames, divided by how much they were changed.

    The change is the mean squared difference of stylized and input frames: a generator that does little
    is not rewarded for the stability of its inputs.

    Args:
        stylized: (T, C, H, W), floating, [0, 1].
        inputs: (T, C, H, W), floating, [0, 1]: the frames before stylization.
        views: (T, 2, 3), floating.
        mode: how warped frames are resampled.

    Returns:
        short and long, [0, inf), lower is better.

    Raises:
        InvalidTensor: as `warp_error`; inputs of another shape; stylized frames that equal the inputs.

    Source: this project.
    """
    _check_frames(inputs, views)
    check_maps("warp error", stylized, inputs)
    error = warp_error(stylized, views, mode)
    change = float((stylized.double() - inputs.double()).square().mean())
    if change == 0:
        raise InvalidTensor(
            "warp error: the stylized frames equal the inputs, so there is no change to divide by."
        )
    return WarpError(error.short / change, error.long / change)


def temporal_lpips(stylized_distances: Tensor, input_distances: Tensor) -> float:
    """Compute the mean of ``LPIPS(o_t, o_{t-1}) - LPIPS(c_t, c_{t-1})`` over the steps of a clip.

    Args:
        stylized_distances: (T-1,), floating, [0, inf): LPIPS between neighboring stylized frames.
        input_distances: (T-1,), floating, [0, inf): LPIPS between the same input frames.

    Returns:
        (-inf, inf), lower is better; below 0 where stylization hides motion.

    Raises:
        InvalidTensor: different or empty shapes, a negative distance, NaN or infinity.

    Source: LPIPS between neighboring frames, as in video stylization tables, less that of the inputs.
    """
    for distances in (stylized_distances, input_distances):
        if distances.ndim != 1 or distances.numel() == 0 or not distances.is_floating_point():
            found = f"{distances.dtype} of shape {tuple(distances.shape)}"
            raise InvalidTensor(f"temporal LPIPS: expected floating (T-1,), found {found}.")
        if distances.shape != stylized_distances.shape or bool((distances < 0).any()):
            raise InvalidTensor("temporal LPIPS: expected as many distances for both, none below 0.")
    difference = stylized_distances.double() - input_distances.double()
    return float(check_result("temporal LPIPS", difference).mean())


def _difference(frames: Tensor, views: Tensor, frame: int, source: int, *, mode: str) -> float:
    moved, is_valid = warp(frames[source : source + 1], relative_transform(views, frame, source), mode)
    if not bool(is_valid.any()):
        raise InvalidTensor(f"warp error: frames {source} and {frame} share no pixel.")
    squares = (frames[frame].double() - moved[0].double()).square().mean(dim=0)  # (H, W)
    return float(squares[is_valid[0, 0]].mean())


def _check_frames(frames: Tensor, views: Tensor) -> None:
    check_maps("warp error", frames)
    if len(frames) < 2 or tuple(views.shape) != (len(frames), 2, 3):
        found = f"{len(frames)} frames and views {tuple(views.shape)}"
        raise InvalidTensor(f"warp error: expected T > 1 frames and views (T, 2, 3), found {found}.")
    if not bool(((frames >= 0) & (frames <= 1)).all()):
        raise InvalidTensor("warp error: expected frames in [0, 1], found other values or NaN.")
