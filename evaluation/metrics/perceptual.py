"""Perceptual distance between feature maps, position by position."""

from collections.abc import Sequence

import torch
from torch import Tensor

from evaluation.metrics.checks import check_layers, check_maps, check_result

EPSILON = 1e-10


def unit_normalize(features: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Divide the feature vector at each position by its length plus 1e-10.

    Args:
        features: (N, C, H, W), floating.
        out: where to write the result, perhaps `features` itself; default a new tensor.

    Returns:
        same shape and dtype; vectors of zeros stay zero.

    Raises:
        InvalidTensor: wrong shape or dtype.

    Source: Zhang et al. 2018 (LPIPS), section 3; the epsilon is that of the authors' code.
    """
    check_maps("perceptual distance", features)
    length = features.square().sum(dim=1, keepdim=True).sqrt_()  # (N, 1, H, W)
    return torch.div(features, length.add_(EPSILON), out=out)


def perceptual_distance(stylized: Sequence[Tensor], content: Sequence[Tensor]) -> Tensor:
    """Compute ``sum_l mean_hw || f_l(stylized) - f_l(content) ||^2`` on unit-normalized features f_l.

    Args:
        stylized: what `unit_normalize` returned, one tensor (N, C, H, W) per layer.
        content: the same for the content images, same shapes.

    Returns:
        (N,), float64, [0, 2 * layers] for rectified features, lower is better; 0 for equal features.

    Raises:
        InvalidTensor: different numbers of layers or shapes, NaN or infinity.

    Source: Zhang et al. 2018 (LPIPS), equation 1. Deviation: all channel weights w_l are 1, because the
    published linear heads fit only the authors' networks; values are not comparable with LPIPS.
    """
    check_layers("perceptual distance", stylized, content)
    total = torch.zeros((), dtype=torch.float64)
    for ours, theirs in zip(stylized, content, strict=True):
        check_maps("perceptual distance", ours, theirs)
        squares = (ours - theirs).square_().sum(dim=1)  # (N, H, W)
        total = total.to(squares.device) + squares.mean(dim=(1, 2), dtype=torch.float64)
    return check_result("perceptual distance", total)
