"""Distances between the pictures of a group, as a network sees them, and the loss that compares them."""

import torch
import torch.nn.functional as F
from torch import Tensor

KINDS = ("gram", "mean_std", "map")
EPSILON = 1e-5


def group_distances(maps: Tensor) -> Tensor:
    """Compute the squared distances between all pictures of a group, and of each to nothing.

    Args:
        maps: (N, C, H, W), features of one layer.

    Returns:
        (3, N + 1, N + 1), nonnegative: between Gram matrices (``|G - G'|^2``, G divided by the number of
        positions); between means and deviations; between maps (mean over positions of ``|F - F'|^2``). The
        last row and column are the distances to a picture without any features.
    """
    flat = maps.flatten(2)  # (N, C, M)
    positions = flat.shape[2]
    gram = flat @ flat.transpose(1, 2) / positions  # (N, C, C)
    deviation = (flat.var(dim=2) + EPSILON).sqrt()  # (N, C)
    moments = torch.cat([flat.mean(dim=2), deviation], dim=1)  # (N, 2 C)
    points = [gram.flatten(1), moments, flat.flatten(1) / positions**0.5]
    return torch.stack([_squared_distances(rows) for rows in points])


def relation_loss(ours: Tensor, theirs: Tensor, floors: Tensor, offsets: Tensor) -> Tensor:
    """Compute the mean smooth L1 distance between the logarithms of two groups' distances.

    Args:
        ours: (3, N + 1, N + 1), the student's, from `group_distances`.
        theirs: the teacher's, same shape; pictures 0 and 1 are the pair's content and style image.
        floors: (3,), added before the logarithm, so that the smallest distances do not rule.
        offsets: (3,), learned difference of the logarithms.

    Returns:
        scalar, nonnegative, lower is better. Distances to the style image (Gram, moments) and to the content
        image (maps) are what metrics read: they count as much as all others together.
    """
    shift = floors[:, None, None]
    error = (ours + shift).log() - (theirs + shift).log() - offsets[:, None, None]
    loss = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.1, reduction="none")  # (3, N + 1, N + 1)
    row, column = torch.triu_indices(loss.shape[1], loss.shape[2], offset=1)
    read = torch.stack([loss[0, 1, 2:], loss[1, 1, 2:], loss[2, 0, 2:]])
    return loss[:, row, column].mean() + read.mean()


def _squared_distances(points: Tensor) -> Tensor:
    rows = torch.cat([points, torch.zeros_like(points[:1])])  # (N + 1, D)
    products = rows @ rows.T
    lengths = products.diagonal()
    return (lengths[:, None] + lengths[None, :] - 2 * products).clamp_min(0) * (1 - torch.eye(len(rows)))
