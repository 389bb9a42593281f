"""Reinhard's color transfer: give the content image the mean and spread of the style image's colors."""

import numpy as np

# Cone responses of display RGB, and their logarithm's decorrelated axes l, alpha, beta (equations 4 and 6).
LMS_FROM_RGB = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
LAB_FROM_LOG = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
DARKEST = 1 / 255


class Model:
    """Reinhard et al. 2001 without swatches: colors of the style, everything else of the content."""

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Need nothing from the bundle or the device."""

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Shift and scale each axis of l-alpha-beta to the statistics of the style image.

        Args:
            content: uint8 (H, W, 3).
            style: uint8 (H', W', 3).

        Returns:
            uint8 (H, W, 3).
        """
        return to_rgb(match_statistics(to_lab(content), to_lab(style)))


def match_statistics(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Compute ``(x - mean_c) * sd_s / sd_c + mean_s`` for each axis (equations 10 and 11).

    Args:
        content: float64 (H, W, 3), l-alpha-beta.
        style: float64 (H', W', 3), l-alpha-beta.

    Returns:
        float64 (H, W, 3) with the mean and standard deviation of `style`; an axis on which the content image
        is constant becomes the mean of the style image.
    """
    mean, spread = content.mean(axis=(0, 1)), content.std(axis=(0, 1))
    ratio = style.std(axis=(0, 1)) / np.maximum(spread, 1e-9)
    return np.asarray((content - mean) * ratio + style.mean(axis=(0, 1)))


def to_lab(image: np.ndarray) -> np.ndarray:
    """Convert uint8 RGB to l-alpha-beta, float64 of the same shape.

    Source: Reinhard, Ashikhmin, Gooch, Shirley 2001, equations 4 to 6. Deviation: one level of 255 is added
    to each cone response before the logarithm, which black would send to minus infinity.
    """
    lms = image / 255.0 @ LMS_FROM_RGB.T
    return np.asarray(np.log10(lms + DARKEST) @ LAB_FROM_LOG.T)


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """Invert `to_lab`: uint8, rounded to nearest; colors outside of RGB are clipped."""
    logs = np.minimum(lab @ np.linalg.inv(LAB_FROM_LOG).T, 3.0)  # no overflow for wild statistics
    rgb = (10**logs - DARKEST) @ np.linalg.inv(LMS_FROM_RGB).T
    return np.asarray(np.rint(np.clip(rgb, 0.0, 1.0) * 255.0), dtype=np.uint8)
