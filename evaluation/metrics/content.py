"""Content metrics on feature maps."""

import torch
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_maps, check_result

EPSILON = 1e-5  # added to variances


def content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Compute the content loss of Gatys et al. as a mean: ``mean_ij (F_ij(stylized) - F_ij(content))^2``.

    Args:
        stylized: features of one layer, (N, C, H, W), floating, rectified.
        content: features of the content images at the same layer, same shape.

    Returns:
        (N,), float64, [0, inf), lower is better; 0 for equal features.

    Raises:
        InvalidTensor: wrong or different shapes, integer dtype, NaN or infinity.

    Source: Gatys, Ecker, Bethge 2016, equation 1. Deviation: the mean, not half the sum, so that the
    value does not depend on the size; `content_loss_sum` is the paper's form.
    """
    check_maps("content loss", stylized, content)
    squares = (stylized - content).square().sum(dim=1)  # (N, H, W)
    mean = squares.mean(dim=(1, 2), dtype=torch.float64) / stylized.shape[1]
    return check_result("content loss", mean)


def content_loss_sum(stylized: Tensor, content: Tensor) -> Tensor:
    """Compute the content loss as printed: ``1/2 sum_ij (F_ij(stylized) - F_ij(content))^2``.

    Args:
        stylized: features of one layer, (N, C, H, W), floating, rectified.
        content: features of the content images at the same layer, same shape.

    Returns:
        (N,), float64, [0, inf), lower is better; equals ``C * H * W / 2`` times `content_loss`.

    Raises:
        InvalidTensor: as `content_loss`.

    Source: Gatys, Ecker, Bethge 2016, equation 1.
    """
    loss = content_loss(stylized, content)
    return loss * (stylized[0].numel() / 2)


def instance_normalized_content_loss(stylized: Tensor, content: Tensor) -> Tensor:
    """Compute ``mean_ij (Z_ij(stylized) - Z_ij(content))^2`` with ``Z = (F - mu) / sigma`` for each channel.

    ``sigma = sqrt(var + 1e-5)`` with the unbiased variance over positions. A change of the mean or the
    spread of whole channels, which is most of what a recoloring does, costs nothing.

    Args:
        stylized: features of one layer, (N, C, H, W), floating, at least two positions.
        content: features of the content images at the same layer, same shape.

    Returns:
        (N,), float64, [0, 4], lower is better; about 2 for unrelated features, 0 for equal ones.

    Raises:
        InvalidTensor: wrong or different shapes, a single position, integer dtype, NaN or infinity.

    Source: Deng et al. 2022 (StyTr2), the content loss of the authors' code, which normalizes first and
    squares errors. Deviation: one layer, so that the caller adds up layers.
    """
    name = "normalized content loss"
    check_maps(name, stylized, content)
    if stylized[0, 0].numel() < 2:
        raise InvalidTensor(f"{name}: at least two positions expected, found one.")
    ours, theirs = _standardize(stylized), _standardize(content)  # (N, C, H*W)
    return check_result(name, (ours - theirs).square_().mean(dim=(1, 2)))


def _standardize(features: Tensor) -> Tensor:
    doubles = features.flatten(2).double()  # (N, C, H*W)
    centered = doubles - doubles.mean(dim=2, keepdim=True)
    variance = centered.square().sum(dim=2, keepdim=True) / (centered.shape[2] - 1)
    return centered.div_(torch.sqrt(variance + EPSILON))
