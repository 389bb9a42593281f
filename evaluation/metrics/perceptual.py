"""Perceptual distance between feature maps, position by position."""

from collections.abc import Sequence

import torch
from torch import Tensor

from evaluation.errors import InvalidTensor
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


def lpips(stylized: Sequence[Tensor], content: Sequence[Tensor], heads: Sequence[Tensor]) -> Tensor:
    """Compute LPIPS: ``sum_l mean_hw sum_c w_lc (f_lc(stylized) - f_lc(content))^2`` on unit-normalized features.

    It is LPIPS v0.1 if the features come from one of its networks, fed as that network asks (pictures in
    [-1, 1], then its scaling layer), with the heads that were fitted to it.

    Args:
        stylized: what `unit_normalize` returned, one tensor (N, C, H, W) per layer.
        content: the same for the content images, same shapes.
        heads: the linear heads w_l, one per layer, (C,) or (1, C, 1, 1), floating, nonnegative.

    Returns:
        (N,), float64, [0, inf), about 0 to 1 with the published heads, lower is better; 0 for equal features.

    Raises:
        InvalidTensor: different numbers of layers or shapes, a head of another size or with a negative
            weight, NaN or infinity.

    Source: Zhang et al. 2018, equation 1, with the weights inside the square, as in the authors' code v0.1.
    """
    check_layers("LPIPS", stylized, content)
    check_layers("LPIPS", stylized, heads)
    total = torch.zeros((), dtype=torch.float64)
    for ours, theirs, head in zip(stylized, content, heads, strict=True):
        check_maps("LPIPS", ours, theirs)
        squares = (ours - theirs).square_().mean(dim=(2, 3)).double()  # (N, C)
        total = total.to(squares.device) + squares @ _head_weights(head, ours)
    return check_result("LPIPS", total)


def _head_weights(head: Tensor, features: Tensor) -> Tensor:
    channels = features.shape[1]
    if tuple(head.shape) not in ((channels,), (1, channels, 1, 1)) or not head.is_floating_point():
        found = f"{head.dtype} of shape {tuple(head.shape)}"
        raise InvalidTensor(f"LPIPS: expected a floating head for {channels} channels, found {found}.")
    if not bool((head >= 0).all()):  # also true of NaN
        raise InvalidTensor("LPIPS: expected nonnegative weights in the heads, found a negative one or NaN.")
    return head.flatten().to(features.device, torch.float64)  # (C,)
