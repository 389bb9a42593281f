"""What every metric refuses: wrong dimensions, dtypes and shapes, and numbers that are not finite."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from evaluation.errors import InvalidTensor


def check_maps(name: str, *maps: Tensor) -> None:
    """Refuse anything else than floating feature maps of one common shape (N, C, H, W), none empty."""
    shape = tuple(maps[0].shape)
    for features in maps:
        if features.ndim != 4 or not features.is_floating_point() or features.numel() == 0:
            found = f"{features.dtype} of shape {tuple(features.shape)}"
            raise InvalidTensor(f"{name}: expected floating (N, C, H, W), found {found}.")
        if tuple(features.shape) != shape:
            raise InvalidTensor(f"{name}: shapes {shape} and {tuple(features.shape)} differ.")


def check_layers(name: str, first: Sequence[object], second: Sequence[object]) -> None:
    """Refuse layer lists that are empty or of different lengths."""
    if len(first) != len(second) or not first:
        raise InvalidTensor(f"{name}: {len(first)} and {len(second)} layers, expected equal numbers above 0.")


def check_same_shape(name: str, first: Tensor, second: Tensor) -> None:
    """Refuse two statistics of different shapes."""
    if first.shape != second.shape:
        raise InvalidTensor(f"{name}: shapes {tuple(first.shape)} and {tuple(second.shape)} differ.")


def check_result(name: str, result: Tensor) -> Tensor:
    """Return `result` if all of it is finite; NaN or infinity in any input always arrives here."""
    if not bool(torch.isfinite(result).all()):
        raise InvalidTensor(f"{name}: the features hold NaN or infinity.")
    return result


def check_pixels(name: str, *images: np.ndarray) -> None:
    """Refuse anything else than uint8 pictures of one common shape (H, W, 3)."""
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise InvalidTensor(f"{name}: expected uint8 (H, W, 3), found {image.dtype} {image.shape}.")
        if image.shape != images[0].shape:
            raise InvalidTensor(f"{name}: sizes {images[0].shape} and {image.shape} differ.")
