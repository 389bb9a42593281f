"""Patch similarity: whether the places of a picture resemble each other as those of the content image do."""

import torch
from torch import Tensor

from evaluation.metrics.checks import check_maps, check_result

_ROWS = 256  # of the M x M matrices held at a time: 2 x 8 MB in float64 at M = 4096


def cfsd(stylized: Tensor, content: Tensor) -> Tensor:
    """Compute the content feature structural distance: ``sum_i KL(S_i(content) || S_i(stylized))``.

    ``S = softmax(P P^T)`` row by row, with one row of P (M, C) for each position, features divided by C.
    Time grows with M^2 C; only 256 rows of each S are held at a time, never the M x M matrix.

    Args:
        stylized: features of one layer, (N, C, H, W), floating; the paper takes relu3_1 of VGG-19.
        content: features of the content images at the same layer, same shape.

    Returns:
        (N,), float64, [0, inf), lower is better; 0 for equal features. A sum over the H * W rows: values
        of different sizes do not compare.

    Raises:
        InvalidTensor: wrong or different shapes, integer dtype, NaN or infinity.

    Source: Chung, Hyun, Heo 2024 (StyleID), CFSD as the authors' code has it, summed over rows.
    """
    check_maps("patch similarity", stylized, content)
    ours, theirs = (
        features.flatten(2).mT / features.shape[1] for features in (stylized, content)
    )  # (N, M, C)
    total = torch.zeros(ours.shape[0], dtype=torch.float64, device=ours.device)
    for first in range(0, ours.shape[1], _ROWS):
        rows = slice(first, first + _ROWS)
        # rows are nearly uniform, so the divergence is a small difference of large logarithms: in double
        log_ours = (ours[:, rows] @ ours.mT).double().log_softmax(dim=2)  # (N, 256, M)
        log_theirs = (theirs[:, rows] @ theirs.mT).double().log_softmax(dim=2)
        divergence = (log_theirs.exp() * (log_theirs - log_ours)).sum(dim=2)  # (N, 256)
        total += divergence.clamp_min_(0).sum(dim=1)  # rounding may leave it a little below 0
    return check_result("patch similarity", total)
