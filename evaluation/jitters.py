"""The four small changes under which the official score is averaged, so that nobody tunes to single pixels."""

from collections.abc import Callable

import numpy as np

IDENTITY = "identity"


def _central(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    top, left = height // 32, width // 32
    return pixels[top : height - top, left : width - left]


JITTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    IDENTITY: lambda pixels: pixels,
    "flip": lambda pixels: pixels[:, ::-1],
    "shift": lambda pixels: pixels[1:, 1:],
    "crop": _central,
}


def apply_jitter(name: str, pixels: np.ndarray) -> np.ndarray:
    """Apply one jitter; outputs and reference images get the same one, and nothing is resampled.

    ``identity``; ``flip``: left and right exchanged; ``shift``: moved by one pixel, by leaving out the first
    row and column; ``crop``: the central 15/16 of each side.

    Args:
        name: one of `JITTERS`.
        pixels: uint8 (H, W, 3).

    Returns:
        uint8 (H', W', 3), contiguous.
    """
    return np.ascontiguousarray(JITTERS[name](pixels))
