"""Style metrics on statistics of feature maps that forget where things are."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_layers, check_maps, check_result, check_same_shape

EPSILON = 1e-5


@dataclass(frozen=True)
class StyleStatistics:
    """First and second moments of one layer: gram (N, C, C), mean and std (N, C), all float64."""

    gram: Tensor
    mean: Tensor
    std: Tensor


def style_statistics(features: Tensor) -> StyleStatistics:
    """Compute Gram matrix, means and standard deviations of one layer.

    ``gram = F F^T / M`` with ``F`` of shape (C, M), ``M = H * W``; ``std = sqrt(var + 1e-5)`` with the
    unbiased variance of the centered features.

    Args:
        features: (N, C, H, W), floating, at least two positions.

    Returns:
        float64 statistics; sums run in the dtype of the features (fp32: relative error about 1e-6).

    Raises:
        InvalidTensor: wrong shape or dtype, a single position, NaN or infinity.

    Source: Gatys, Ecker, Bethge 2016, equation 3, divided by M (sizes may differ); Huang and Belongie
    2017 (AdaIN), whose reference code adds 1e-5 to the unbiased variance before the root.
    """
    check_maps("style statistics", features)
    flat = features.flatten(2)  # (N, C, M)
    positions = flat.shape[2]
    if positions < 2:
        raise InvalidTensor("style statistics: at least two positions expected, found one.")
    gram = (flat @ flat.transpose(1, 2)).double() / positions  # (N, C, C)
    mean = flat.mean(dim=2, keepdim=True)  # (N, C, 1)
    # centered in a second sweep: the difference of two large moments would lose the small variances
    variance = (flat - mean).square_().sum(dim=2).double() / (positions - 1)
    check_result("style statistics", gram)
    return StyleStatistics(gram, mean.squeeze(2).double(), torch.sqrt(variance + EPSILON))


def gram_loss(
    stylized: Sequence[StyleStatistics],
    style: Sequence[StyleStatistics],
    weights: Sequence[float] | None = None,
) -> Tensor:
    """Compute the style loss of Gatys et al.: ``sum_l w_l E_l``, ``E_l = 1/(4 N^2 M^2) sum_ij (G_ij - A_ij)^2``.

    Args:
        stylized: statistics of the stylized images, one entry per layer, gram (N, C, C).
        style: statistics of the style images at the same layers, same shapes.
        weights: ``w_l``, one per layer; default 1 / number of layers.

    Returns:
        (N,), float64, [0, inf), lower is better; blind to where things are.

    Raises:
        InvalidTensor: different numbers of layers or channels, NaN or infinity.

    Source: Gatys, Ecker, Bethge 2016, equations 3 to 5. Deviation: each Gram matrix is divided by its own
    number of positions M before the difference, so that images of different sizes can be compared.
    """
    check_layers("Gram loss", stylized, style)
    used = list(weights) if weights is not None else [1 / len(style)] * len(style)
    check_layers("Gram loss", used, style)
    total = torch.zeros((), dtype=torch.float64)
    for weight, ours, theirs in zip(used, stylized, style, strict=True):
        check_same_shape("Gram loss", ours.gram, theirs.gram)
        error = (ours.gram - theirs.gram).square().mean(dim=(1, 2)) / 4  # (N,)
        total = total.to(error.device) + weight * error
    return check_result("Gram loss", total)


def relative_gram_loss(stylized: Sequence[StyleStatistics], style: Sequence[StyleStatistics]) -> Tensor:
    """Compute the mean over layers of ``||G_l - A_l||_F^2 / ||A_l||_F^2``.

    Args:
        stylized: statistics of the stylized images, one entry per layer, gram (N, C, C).
        style: statistics of the style images at the same layers, same shapes.

    Returns:
        (N,), float64, [0, inf), lower is better; every layer counts alike, whatever its scale.

    Raises:
        InvalidTensor: different numbers of layers or channels, a style without any activation, NaN.

    Source: `gram_loss`, each layer relative to the style image's own Gram matrix.
    """
    check_layers("relative Gram loss", stylized, style)
    total = torch.zeros((), dtype=torch.float64)
    for ours, theirs in zip(stylized, style, strict=True):
        check_same_shape("relative Gram loss", ours.gram, theirs.gram)
        error = (ours.gram - theirs.gram).square().sum(dim=(1, 2)) / theirs.gram.square().sum(dim=(1, 2))
        total = total.to(error.device) + error / len(style)
    return check_result("relative Gram loss", total)


def mean_std_loss(stylized: Sequence[StyleStatistics], style: Sequence[StyleStatistics]) -> Tensor:
    """Compute the AdaIN statistics loss: ``sum_l mean_c (mu - mu')^2 + mean_c (sd - sd')^2``.

    Args:
        stylized: statistics of the stylized images, one entry per layer, mean and std (N, C).
        style: statistics of the style images at the same layers, same shapes.

    Returns:
        (N,), float64, [0, inf), lower is better; blind to where things are and to how channels go together.

    Raises:
        InvalidTensor: different numbers of layers or channels, NaN or infinity.

    Source: Huang and Belongie 2017, equation 13. Deviation: squared errors, as in the authors' code,
    not Euclidean norms as in the paper.
    """
    check_layers("mean and deviation loss", stylized, style)
    total = torch.zeros((), dtype=torch.float64)
    for ours, theirs in zip(stylized, style, strict=True):
        check_same_shape("mean and deviation loss", ours.mean, theirs.mean)
        means = (ours.mean - theirs.mean).square().mean(dim=1)
        deviations = (ours.std - theirs.std).square().mean(dim=1)
        total = total.to(means.device) + means + deviations
    return check_result("mean and deviation loss", total)
