"""Outputs that are put together from pieces of the style image."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.features import image_batch
from evaluation.gaming.flag import Flag
from evaluation.metrics.checks import check_pixels

THRESHOLD = 0.08
MATCH = 0.95  # correlation from which a window is found in the style image
WINDOW = 6  # pixels a side: small, so that many windows lie inside one piece
WINDOWS = 96
LEAST_PAIRS = 8
_TEXTURE = 0.01  # deviation of pixel values from which a window has something to find


def quilted_share(output: np.ndarray, style: np.ndarray, seed: int = 0) -> float:
    """Measure how many windows of an output lie, at one shift each, in the style image.

    A window of 6 x 6 pixels and 3 channels is found where the zero-normalized cross-correlation (ZNCC) with the style
    image exceeds 0.95 at some place. From every window, each channel's best plane ``a + b x + c y`` is taken off
    first, because plain ramps are found everywhere; windows with a deviation below 0.01 after that count as not found.

    Args:
        output: uint8 (H, W, 3), sides of at least 6.
        style: uint8 (H', W', 3), sides of at least 6.
        seed: of the places of 96 windows, drawn anew for each pair so that no grid of pieces evades them.

    Returns:
        share of windows that are found, in [0, 1].

    Raises:
        InvalidTensor: wrong or too small pictures.

    Source: fast normalized cross-correlation, Lewis 1995, equation 2, with planes instead of means.
    """
    for image in (output, style):
        check_pixels("quilt", image)
        if min(image.shape[:2]) < WINDOW:
            raise InvalidTensor(
                f"quilt: sides of at least {WINDOW} pixels expected, found {image.shape[:2]}."
            )
    planes = _planes()
    with torch.inference_mode():
        wanted = _windows(image_batch([output])[0], planes, seed)  # (n, 3, 6, 6)
        if len(wanted) == 0:
            return 0.0
        offered = image_batch([style])  # (1, 3, H', W')
        lengths = _lengths(offered[0], planes)  # (H' - 5, W' - 5)
        found = (F.conv2d(offered, wanted)[0] / lengths).flatten(1).amax(dim=1)  # (n,)
    return int((found > MATCH).sum()) / WINDOWS


def flag_quilt(shares: Sequence[float]) -> Flag:
    """Raise QUILT from how much of each output was found in its style image.

    Of patches of 16 pixels and more, placed side by side, 0.3 to 0.7 are found, of patches of 12 pixels 0.25. Gatys,
    AdaIN, WCT and color transfers stay at 0.00 to 0.02. Averages of four overlapping patches of 16 pixels reach 0.08
    to 0.10: little of the style image is left to be found in them.

    Args:
        shares: of `quilted_share`, one per pair.

    Returns:
        the flag; strength is the mean share, raised from 0.08 on at least 8 pairs.
    """
    n = len(shares)
    strength = float(np.mean(shares)) if n else 0.0
    sentence = (
        f"On {n} pairs {strength:.0%} of small windows of the output are found in the style image, pixel by pixel; "
        f"raised from {THRESHOLD:.0%} on at least {LEAST_PAIRS} pairs."
    )
    return Flag("QUILT", strength, THRESHOLD, n >= LEAST_PAIRS and strength >= THRESHOLD, sentence)


def _planes() -> Tensor:
    """Return an orthonormal basis of constants and ramps over a window: (3, 1, 6, 6)."""
    ramp = torch.linspace(-1, 1, WINDOW)
    rows, columns = torch.meshgrid(ramp, ramp, indexing="ij")
    basis = torch.stack([torch.ones_like(rows), rows, columns])
    unit: Tensor = basis / basis.square().sum(dim=(1, 2), keepdim=True).sqrt()
    return unit[:, None]


def _windows(image: Tensor, planes: Tensor, seed: int) -> Tensor:
    """Cut windows at random places of (3, H, W), less their planes, of length 1: (n, 3, 6, 6)."""
    rng = np.random.default_rng(seed)
    ends = [side - WINDOW + 1 for side in image.shape[1:]]
    tops, lefts = (rng.integers(0, end, WINDOWS).tolist() for end in ends)
    cut = torch.stack(
        [image[:, y : y + WINDOW, x : x + WINDOW] for y, x in zip(tops, lefts, strict=True)]
    )  # (96, 3, 6, 6)
    flat = planes.flatten(1)  # (3, 36)
    rest = cut.flatten(2) - cut.flatten(2) @ flat.T @ flat  # (96, 3, 36)
    lengths = rest.flatten(1).norm(dim=1)  # (96,)
    has_texture = lengths >= _TEXTURE * (3 * WINDOW**2) ** 0.5
    unit: Tensor = rest[has_texture] / lengths[has_texture, None, None]  # (n, 3, 36)
    return unit.reshape(-1, 3, WINDOW, WINDOW)


def _lengths(image: Tensor, planes: Tensor) -> Tensor:
    """Return the lengths of all windows of (3, H, W) less their planes; those of flat ones are raised."""
    ones = torch.ones(1, 1, WINDOW, WINDOW)
    energy = F.conv2d(image.square().sum(dim=0)[None, None], ones)[0, 0]  # (H - 5, W - 5)
    in_planes = F.conv2d(image[:, None], planes).square().sum(dim=(0, 1))
    return (energy - in_planes).clamp_min((_TEXTURE / 2) ** 2 * 3 * WINDOW**2).sqrt()
