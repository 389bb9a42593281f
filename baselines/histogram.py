"""Histogram matching: give each color channel of the content image the distribution of the style image."""

import numpy as np


class Model:
    """Per-channel histogram matching: the strongest recoloring that looks at one channel at a time."""

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Need nothing from the bundle or the device."""

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Match red, green and blue one after the other.

        Args:
            content: uint8 (H, W, 3).
            style: uint8 (H', W', 3).

        Returns:
            uint8 (H, W, 3).
        """
        channels = [match_channel(content[..., c], style[..., c]) for c in range(3)]
        return np.stack(channels, axis=-1)


def match_channel(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Map each level through ``F_s^-1(F_c(level))``, where F are the cumulative distributions.

    Args:
        content: uint8 (H, W).
        style: uint8 (H', W').

    Returns:
        uint8 (H, W). Equal levels stay equal, so the result meets the distribution of `style` up to the
        largest share of pixels that one level of `content` holds.

    Source: Gonzalez and Woods, Digital Image Processing, histogram specification; the inverse is
    interpolated linearly between the levels that occur in `style`.
    """
    levels = np.bincount(style.ravel(), minlength=256)
    reached = np.cumsum(levels) / style.size
    wanted = np.cumsum(np.bincount(content.ravel(), minlength=256)) / content.size
    occurring = np.flatnonzero(levels)
    table = np.interp(wanted, reached[occurring], occurring)
    return np.asarray(np.rint(table), dtype=np.uint8)[content]
