"""The losses that methods share: content and style in the features of a fixed network, and smoothness."""

from collections.abc import Mapping

import torch
from torch import Tensor

from evaluation.backbones.tiny_vgg import CONTENT_TAP, TAPS

EPSILON = 1e-5

Taps = Mapping[str, Tensor]


def gram_matrices(maps: Tensor) -> Tensor:
    """Compute ``G_ij = 1/M sum_k F_ik F_jk``, M the number of positions.

    Args:
        maps: (N, C, H, W).

    Returns:
        (N, C, C).

    Source: Gatys, Ecker, Bethge 2016, equation 3, divided by M.
    """
    flat = maps.flatten(2)  # (N, C, H*W)
    with torch.autocast(maps.device.type, enabled=False):  # the difference of two sums needs all digits
        return flat @ flat.transpose(1, 2) / flat.shape[2]  # (N, C, C)


def content_loss(stylized: Taps, content: Taps, tap: str = CONTENT_TAP) -> Tensor:
    """Compute the mean squared difference of one tap: a scalar, lower is better.

    Source: Gatys et al. 2016, equation 1, as a mean over positions and channels.
    """
    return (stylized[tap] - content[tap]).square().mean()


def gram_loss(stylized: Taps, style: Taps, taps: tuple[str, ...] = TAPS) -> Tensor:
    """Compute ``sum_l w_l 1/(4 N_l^2 M_l^2) sum_ij (G - A)^2`` times 4, with ``w_l`` one over the number of taps.

    Matrices are divided by M already, so the factor is a mean over entries; pictures may differ in size.

    Returns:
        scalar, lower is better.

    Source: Gatys et al. 2016, equations 4 and 5.
    """
    terms = [(gram_matrices(stylized[tap]) - gram_matrices(style[tap])).square().mean() for tap in taps]
    return torch.stack(terms).mean()


def statistics_loss(stylized: Taps, style: Taps, taps: tuple[str, ...] = TAPS) -> Tensor:
    """Compute the mean over taps of the squared differences of channel means and deviations: lower is better.

    Source: Huang and Belongie 2017, equation 13, squared instead of plain norms.
    """
    terms = []
    for tap in taps:
        (our_mean, our_deviation), (mean, deviation) = moments(stylized[tap]), moments(style[tap])
        terms.append((our_mean - mean).square().mean() + (our_deviation - deviation).square().mean())
    return torch.stack(terms).mean()


def moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation over positions of (N, C, H, W), (N, C) each."""
    return maps.mean(dim=(2, 3)), (maps.var(dim=(2, 3)) + EPSILON).sqrt()


def variation_loss(images: Tensor) -> Tensor:
    """Compute the mean squared difference of neighbors in (N, 3, H, W): lower is smoother."""
    down = images[:, :, 1:] - images[:, :, :-1]  # (N, 3, H-1, W)
    right = images[:, :, :, 1:] - images[:, :, :, :-1]  # (N, 3, H, W-1)
    return down.square().mean() + right.square().mean()
