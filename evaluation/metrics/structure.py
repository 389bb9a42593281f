"""Structural similarity of pictures."""

import numpy as np
from skimage.metrics import structural_similarity

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_pixels

WINDOW = 11


def ssim(stylized: np.ndarray, content: np.ndarray) -> float:
    """Compute SSIM: the mean of ``(2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2))``.

    Gaussian window 11 x 11 with sigma 1.5, ``C1 = (.01 * 255)^2``, ``C2 = (.03 * 255)^2``, biased
    covariances, only windows that lie inside the picture; the mean of the three color channels.

    Args:
        stylized: uint8 (H, W, 3), sRGB, both sides at least 11.
        content: uint8, same shape.

    Returns:
        float in [-1, 1], higher is better; 1 for equal pictures.

    Raises:
        InvalidTensor: another dtype, different sizes, or a side below 11.

    Source: Wang, Bovik, Sheikh, Simoncelli 2004, equation 13, by scikit-image. Deviation: RGB channels
    are averaged where the paper uses lightness alone.
    """
    check_pixels("SSIM", stylized, content)
    if min(stylized.shape[:2]) < WINDOW:
        raise InvalidTensor(f"SSIM: sides of at least {WINDOW} pixels expected, found {stylized.shape[:2]}.")
    return float(
        structural_similarity(
            stylized,
            content,
            data_range=255,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
