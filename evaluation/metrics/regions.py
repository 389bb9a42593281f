"""Style by region: Gram matrices under masks, and how much style leaks between regions."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_layers, check_maps, check_result, check_same_shape


def pool_masks(masks: Tensor, size: tuple[int, int], erosion: int = 1) -> Tensor:
    """Bring region masks to the size of a layer and shrink them by `erosion` positions.

    Features near the border of a region look across it; the erosion leaves them out. Where a region ends
    at the edge of the picture there is nothing to look at, and it is not shrunk.

    Args:
        masks: (N, R, H, W), floating, [0, 1]: one plane per region.
        size: height and width of the layer, at most H and W.
        erosion: positions of the layer to shrink by, from 0; 1 is the step of one 3 x 3 convolution.

    Returns:
        (N, R, height, width), fp64, [0, 1].

    Raises:
        InvalidTensor: wrong shape or dtype, values outside [0, 1], NaN, or a layer larger than the masks.

    Source: Gatys et al. 2017 (spatial guidance), section 4; shrunk by gray-scale erosion.
    """
    check_maps("region masks", masks)
    if not bool(((masks >= 0) & (masks <= 1)).all()):
        raise InvalidTensor("region masks: expected values in [0, 1], found others or NaN.")
    if erosion < 0 or not all(1 <= ours <= full for ours, full in zip(size, masks.shape[2:], strict=True)):
        full = tuple(masks.shape[2:])
        raise InvalidTensor(f"region masks: cannot bring {full} to {size} with erosion {erosion}.")
    pooled = F.adaptive_avg_pool2d(masks.double(), size)  # (N, R, height, width)
    for _ in range(erosion):
        pooled = -F.max_pool2d(-pooled, kernel_size=3, stride=1, padding=1)
    return pooled


def region_grams(features: Tensor, masks: Tensor) -> Tensor:
    """Compute the Gram matrix of each region: ``(F T_r) (F T_r)^T / sum T_r^2``.

    Args:
        features: (N, C, H, W), floating: one layer.
        masks: (N, R, H, W), floating, [0, 1], from `pool_masks`.

    Returns:
        (N, R, C, C), float64.

    Raises:
        InvalidTensor: shapes that do not fit, NaN or infinity, a region of which nothing is left.

    Source: Gatys et al. 2017 (spatial guidance), section 4.1; the division by the weight of the region lets
    regions of different sizes compare.
    """
    check_maps("region Gram", features)
    check_maps("region Gram", masks)
    if features.shape[0] != masks.shape[0] or features.shape[2:] != masks.shape[2:]:
        shapes = f"{tuple(features.shape)} and {tuple(masks.shape)}"
        raise InvalidTensor(f"region Gram: features and masks of shapes {shapes} do not fit.")
    flat, squares = features.double().flatten(2), masks.double().square().flatten(2)  # (N, C, M), (N, R, M)
    weight = squares.sum(dim=2)  # (N, R)
    if not bool((weight > 0).all()):
        image, region = (~(weight > 0)).nonzero()[0].tolist()
        raise InvalidTensor(
            f"region Gram: nothing is left of region {region} of image {image}.",
            fix="Leave small regions out, erode less, or use earlier layers.",
        )
    # one region at a time: all at once would hold R copies of the layer
    grams = [(flat * squares[:, r, None]) @ flat.transpose(1, 2) for r in range(squares.shape[1])]
    return check_result("region Gram", torch.stack(grams, dim=1) / weight[:, :, None, None])


def region_gram_loss(stylized: Sequence[Tensor], style: Sequence[Tensor]) -> Tensor:
    """Compute the style loss of matched regions: ``mean_l sum_r 1/4 MSE(G_r(o), G_r(s))``.

    Args:
        stylized: one entry per layer, (N, R, C, C) from `region_grams` with the content's regions.
        style: the same layers of the style images; region r of the style belongs to region r.

    Returns:
        (N,), float64, [0, inf), lower is better.

    Raises:
        InvalidTensor: different numbers of layers, regions or channels, NaN or infinity.

    Source: Gatys et al. 2017 (spatial guidance), section 4.1, scaled as `evaluation.metrics.style.gram_loss`.
    """
    check_layers("region Gram loss", stylized, style)
    per_layer = [
        _distances(ours, theirs).diagonal(dim1=1, dim2=2).sum(dim=1)
        for ours, theirs in zip(stylized, style, strict=True)
    ]
    return check_result("region Gram loss", torch.stack(per_layer).mean(dim=0))


def region_leakage(stylized: Sequence[Tensor], style: Sequence[Tensor]) -> Tensor:
    """Compute how much nearer regions are to their own style than to the nearest wrong one.

    ``mean_r (min_{q != r} d(o_r, s_q) - d(o_r, s_r))`` with ``d = mean_l 1/4 MSE`` of Gram matrices.

    Args:
        stylized: one entry per layer, (N, R, C, C) from `region_grams`, R >= 2.
        style: the same layers of the style images, same shapes.

    Returns:
        (N,), float64, higher is better; 0 where all regions share one style, below 0 where styles went
        to the wrong regions.

    Raises:
        InvalidTensor: a single region; different numbers of layers, regions or channels; NaN or infinity.

    Source: this project; with two regions it is the distance to the wrong style less that to the right one.
    """
    check_layers("region leakage", stylized, style)
    pairs = zip(stylized, style, strict=True)
    distances = torch.stack([_distances(ours, theirs) for ours, theirs in pairs]).mean(dim=0)  # (N, R, R)
    if distances.shape[1] < 2:
        raise InvalidTensor("region leakage: expected at least two regions, found one.")
    right = distances.diagonal(dim1=1, dim2=2)  # (N, R)
    is_right = torch.eye(distances.shape[1], dtype=torch.bool, device=distances.device)
    wrong = distances.masked_fill(is_right, torch.inf).amin(dim=2)  # (N, R)
    return check_result("region leakage", (wrong - right).mean(dim=1))


def _distances(ours: Tensor, theirs: Tensor) -> Tensor:
    """Return 1/4 MSE between all regions of two images, (N, R, R); the last axis is the style's region."""
    check_same_shape("region Gram matrices", ours, theirs)
    if ours.ndim != 4 or ours.shape[2] != ours.shape[3] or ours.numel() == 0:
        raise InvalidTensor(f"region Gram matrices: expected (N, R, C, C), found {tuple(ours.shape)}.")
    columns = [(ours - theirs[:, r, None]).square().mean(dim=(2, 3)) / 4 for r in range(theirs.shape[1])]
    return torch.stack(columns, dim=2)
