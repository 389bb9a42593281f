"""Content metrics on feature maps."""

import torch
from torch import Tensor

from evaluation.metrics.checks import check_maps, check_result


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
