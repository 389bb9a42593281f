"""Structural similarity: of pictures window by window, and of what a transformer sees in them."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_result

WINDOW = 11
SIGMA = 1.5
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_SIDE = (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1) + 1  # so that the last scale holds one window
_C1, _C2 = 0.01**2, 0.03**2  # for values in [0, 1]
_BELL = tuple(math.exp(-((k - WINDOW // 2) ** 2) / (2 * SIGMA**2)) for k in range(WINDOW))
_TAPS = tuple(value / sum(_BELL) for value in _BELL)


def ssim_index(stylized: Tensor, content: Tensor) -> Tensor:
    """Compute SSIM: the mean of ``(2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2))``.

    Gaussian window 11 x 11 with sigma 1.5, ``C1 = .01^2``, ``C2 = .03^2``, biased covariances, only
    windows that lie inside the picture; the mean of the three color channels.

    Args:
        stylized: (N, 3, H, W), float32 or float64, sRGB in [0, 1], both sides at least 11.
        content: same shape, dtype and range.

    Returns:
        (N,), float64, [-1, 1], higher is better; 1 for equal pictures. float32 pictures are computed in
        float32, within 1e-5 of float64.

    Raises:
        InvalidTensor: another shape, dtype or range, NaN, or a side below 11.

    Source: Wang, Bovik, Sheikh, Simoncelli 2004, equation 13. Deviation: RGB channels are averaged
    where the paper uses lightness alone.
    """
    luminance, contrast = _local_terms(_sum_and_difference("SSIM", stylized, content, WINDOW))
    return _mean(luminance * contrast).mean(dim=1)


def ms_ssim(stylized: Tensor, content: Tensor) -> Tensor:
    """Compute MS-SSIM: ``l_5^w5 prod_j cs_j^wj`` over five scales, each half as large as the one before.

    Weights .0448, .2856, .3001, .2363, .1333; windows and constants as in `ssim_index`; a picture is
    halved by means of 2 x 2 pixels, those of an odd last row or column by means of what is there.

    Args:
        stylized: (N, 3, H, W), float32 or float64, sRGB in [0, 1], both sides at least 161.
        content: same shape, dtype and range.

    Returns:
        (N,), float64, [0, 1], higher is better; 1 for equal pictures.

    Raises:
        InvalidTensor: another shape, dtype or range, NaN, or a side below 161.

    Source: Wang, Simoncelli, Bovik 2003, equation 7. Deviations: RGB channels are computed apart and
    averaged; a negative mean of a scale, whose power is not a real number, counts as 0.
    """
    return ssim_and_ms_ssim(stylized, content)[1]


def ssim_and_ms_ssim(stylized: Tensor, content: Tensor) -> tuple[Tensor, Tensor]:
    """Compute `ssim_index` and `ms_ssim`, which share the sweep over the first scale.

    Args:
        stylized: (N, 3, H, W), float32 or float64, sRGB in [0, 1], both sides at least 161.
        content: same shape, dtype and range.

    Returns:
        SSIM and MS-SSIM, each (N,), float64, higher is better.

    Raises:
        InvalidTensor: another shape, dtype or range, NaN, or a side below 161.
    """
    pair = _sum_and_difference("MS-SSIM", stylized, content, MS_SSIM_SIDE)
    luminance, contrast = _local_terms(pair)
    single = _mean(luminance * contrast).mean(dim=1)
    product = _mean(contrast).relu() ** SCALE_WEIGHTS[0]  # (N, 3)
    for weight in SCALE_WEIGHTS[1:-1]:
        pair = functional.avg_pool2d(pair, 2, ceil_mode=True)
        product *= _mean(_local_terms(pair)[1]).relu() ** weight
    luminance, contrast = _local_terms(functional.avg_pool2d(pair, 2, ceil_mode=True))
    product *= _mean(luminance * contrast).relu() ** SCALE_WEIGHTS[-1]
    return single, product.mean(dim=1)


def self_similarity_loss(stylized_keys: Tensor, content_keys: Tensor) -> Tensor:
    """Compare how alike the places of each picture are: ``mean_ij (cos S_ij(stylized) - cos S_ij(content))^2``.

    ``cos S_ij`` is the cosine between the keys of tokens i and j of one picture.

    Args:
        stylized_keys: (N, T, D), floating, the keys of one transformer layer, all heads side by side.
        content_keys: the same for the content images, same shape.

    Returns:
        (N,), float64, [0, 4], lower is better; 0 for equal keys, and for keys that differ by a rotation.

    Raises:
        InvalidTensor: wrong or different shapes, integer dtype, NaN or infinity.

    Source: Tumanyan, Bar-Tal, Bagon, Dekel 2022 (Splice), the structure loss. Deviation: the mean over
    i and j, as in the authors' code, not the Frobenius norm of the paper.
    """
    for keys in (stylized_keys, content_keys):
        if keys.ndim != 3 or not keys.is_floating_point() or keys.numel() == 0:
            found = f"{keys.dtype} of shape {tuple(keys.shape)}"
            raise InvalidTensor(f"self-similarity: expected floating (N, T, D), found {found}.")
    if stylized_keys.shape != content_keys.shape:
        shapes = f"{tuple(stylized_keys.shape)} and {tuple(content_keys.shape)}"
        raise InvalidTensor(f"self-similarity: shapes {shapes} differ.")
    ours, theirs = (functional.normalize(keys, dim=2) for keys in (stylized_keys, content_keys))
    squares = (ours @ ours.mT - theirs @ theirs.mT).square_()  # (N, T, T)
    return check_result("self-similarity", squares.mean(dim=(1, 2), dtype=torch.float64))


def _sum_and_difference(name: str, stylized: Tensor, content: Tensor, side: int) -> Tensor:
    """Check two pictures and return ``x + y`` and ``x - y`` as (N, 6, H, W), channels last.

    SSIM needs no more of x and y than the moments of these two: four blurs a channel instead of five,
    and equal pictures have a difference of exactly 0.
    """
    for picture in (stylized, content):
        _check_picture(name, picture, side)
    if stylized.shape != content.shape or stylized.dtype != content.dtype:
        found = f"{stylized.dtype} {tuple(stylized.shape)} and {content.dtype} {tuple(content.shape)}"
        raise InvalidTensor(f"{name}: expected pictures of one shape and dtype, found {found}.")
    pair = torch.cat([stylized + content, stylized - content], dim=1)  # (N, 6, H, W)
    return pair.contiguous(memory_format=torch.channels_last)


def _check_picture(name: str, picture: Tensor, side: int) -> None:
    shape, is_real = tuple(picture.shape), picture.dtype in (torch.float32, torch.float64)
    if picture.ndim != 4 or shape[1] != 3 or 0 in shape or not is_real:
        found = f"{picture.dtype} of shape {shape}"
        raise InvalidTensor(f"{name}: expected float32 or float64 (N, 3, H, W), found {found}.")
    if min(shape[2:]) < side:
        raise InvalidTensor(f"{name}: sides of at least {side} pixels expected, found {shape[2:]}.")
    low, high = (end.item() for end in picture.aminmax())
    if not (low >= 0 and high <= 1):  # also true of NaN
        fix = "Divide 8-bit values by 255."
        raise InvalidTensor(f"{name}: expected values in [0, 1], found {low:g} to {high:g}.", fix=fix)


def _local_terms(pair: Tensor) -> tuple[Tensor, Tensor]:
    """Return the luminance and the contrast-structure factor of SSIM in every window, (N, 3, H - 10, W - 10).

    Planes are centered first: the nearer to 0, the less is lost when a squared mean is taken from a mean square.
    """
    center = pair.mean(dim=(2, 3), keepdim=True)  # (N, 6, 1, 1)
    shifted = pair - center
    means = _blur(shifted)  # (N, 6, H - 10, W - 10)
    variances = _blur(shifted.square_()).addcmul_(means, means, value=-1)
    variances.clamp_min_(0)  # rounding may leave them a little below
    return _compare(means.add_(center).square_(), _C1), _compare(variances, _C2)


def _compare(moments: Tensor, constant: float) -> Tensor:
    """Divide what x and y have in common, ``(S - D) / 2 + c``, by what they have, ``(S + D) / 2 + c``."""
    of_sum, of_difference = moments.chunk(2, dim=1)  # (N, 3, H, W)
    shared = (of_sum - of_difference).add_(2 * constant)
    return shared.div_((of_sum + of_difference).add_(2 * constant))


def _blur(planes: Tensor) -> Tensor:
    """Weigh every window of each plane by the Gaussian, one axis after the other."""
    channels = planes.shape[1]
    taps = torch.tensor(_TAPS, dtype=planes.dtype, device=planes.device).expand(channels, 1, WINDOW)
    rows = functional.conv2d(planes, taps[..., None], groups=channels)  # (N, C, H - 10, W)
    return functional.conv2d(rows, taps[:, :, None], groups=channels)  # (N, C, H - 10, W - 10)


def _mean(terms: Tensor) -> Tensor:
    return terms.mean(dim=(2, 3), dtype=torch.float64)  # (N, 3)
