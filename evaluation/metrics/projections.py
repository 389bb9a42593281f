"""Sliced Wasserstein distance of feature maps: how alike their values are along fixed random directions."""

import numpy as np
import torch
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_maps, check_result, check_same_shape

DIRECTIONS = 64
SEED = 1
QUANTILES = 1024
PROJECTIONS_ID = f"sphere{DIRECTIONS}-pcg64-seed{SEED}-q{QUANTILES}"  # changes whenever values would


def projection_directions(channels: int) -> Tensor:
    """Draw the unit directions that belong to a number of channels, the same ones on every machine.

    Args:
        channels: C, at least 1.

    Returns:
        float32 (64, C), rows of length 1, uniform on the sphere.

    Raises:
        InvalidTensor: no channels.
    """
    if channels < 1:
        raise InvalidTensor(f"sliced Wasserstein: expected at least one channel, found {channels}.")
    random = np.random.Generator(np.random.PCG64((SEED, channels)))
    normal = random.standard_normal((DIRECTIONS, channels))
    unit = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return torch.from_numpy(unit.astype(np.float32))


def quantile_ranks(positions: int, quantiles: int) -> np.ndarray:
    """Return where in so many sorted values the quantile of level ``(q + 1/2) / Q`` is, for each q: int64 (Q,).

    It is the first value up to which at least that share of all values lies: the inverse distribution function.
    """
    return np.asarray(((2 * np.arange(quantiles) + 1) * positions - 1) // (2 * quantiles))


def project_quantiles(features: Tensor, directions: Tensor, quantiles: int = QUANTILES) -> Tensor:
    """Project the feature vector of each position on each direction and keep quantiles of the results.

    The q-th quantile is the value of the inverse distribution function at ``(q + 1/2) / Q``, so maps of
    different sizes compare, and the order of positions is forgotten exactly.

    Args:
        features: (N, C, H, W), floating.
        directions: (K, C), floating, from `projection_directions`.
        quantiles: Q, at least 1.

    Returns:
        (N, K, Q), rising along Q; float64 for float64 features, else float32.

    Raises:
        InvalidTensor: wrong shape or dtype, other channels in the directions, NaN or infinity.

    Source: Heitz, Vanhoey, Chambon, Belcour 2021, the projection and sorting of their sliced Wasserstein
    loss. Deviations: fixed directions in place of fresh ones at each call; quantiles in place of all
    sorted values.
    """
    check_maps("sliced Wasserstein", features)
    if directions.ndim != 2 or directions.shape[1] != features.shape[1] or directions.numel() == 0:
        found = f"{tuple(directions.shape)} for {features.shape[1]} channels"
        raise InvalidTensor(f"sliced Wasserstein: expected directions (K, C), found {found}.")
    if quantiles < 1:
        raise InvalidTensor(f"sliced Wasserstein: expected at least one quantile, found {quantiles}.")
    dtype = torch.promote_types(features.dtype, torch.float32)
    flat = features.detach().flatten(2).to(dtype)  # (N, C, H*W)
    values = directions.to(flat.device, dtype) @ flat  # (N, K, H*W)
    if values.is_cuda:
        values = values.sort(dim=2).values
    else:
        values.numpy().sort(axis=2)  # in place, and far faster than torch on a CPU
    check_result("sliced Wasserstein", values[..., [0, -1]])  # infinities sort to the ends, NaN to the last
    return values[..., quantile_ranks(values.shape[2], quantiles)]


def sliced_wasserstein(stylized: Tensor, style: Tensor) -> Tensor:
    """Compute ``mean_k mean_q (Q_kq(stylized) - Q_kq(style))^2``, the squared sliced 2-Wasserstein distance.

    Args:
        stylized: quantiles of one layer, (N, K, Q), floating, from `project_quantiles`.
        style: the same for the style images, same shape and directions.

    Returns:
        (N,), float64, [0, inf), lower is better; blind to where things are.

    Raises:
        InvalidTensor: not (N, K, Q), different shapes, NaN or infinity.

    Source: Heitz, Vanhoey, Chambon, Belcour 2021, their sliced Wasserstein loss. Deviations: as
    `project_quantiles`; one layer, so that the caller adds up layers.
    """
    if stylized.ndim != 3 or stylized.numel() == 0:
        raise InvalidTensor(f"sliced Wasserstein: expected (N, K, Q), found {tuple(stylized.shape)}.")
    check_same_shape("sliced Wasserstein", stylized, style)
    squares = (stylized.double() - style.double()).square()
    return check_result("sliced Wasserstein", squares.mean(dim=(1, 2)))
