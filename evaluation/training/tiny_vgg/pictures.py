"""The pictures to learn from and the pictures held out for the study."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from evaluation.errors import InvalidImage
from evaluation.images import resize_square

HELD_OUT_ONE_IN = 5
_SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Collection:
    """Content and style images, uint8 (H, W, 3) of any size, by name."""

    contents: dict[str, np.ndarray]
    styles: dict[str, np.ndarray]


def read_collection(folder: Path, *, held_out: bool, size: int | None = None) -> Collection:
    """Read one side of the fixed split of `folder`/content and `folder`/style, with subfolders.

    Args:
        folder: holds JPEG or PNG files; which side a file is on depends on nothing but its name.
        held_out: which side.
        size: crop and resize to squares of this side; None keeps the pictures as they are.

    Raises:
        InvalidImage: fewer than two content or style images on that side.
    """
    contents, styles = (_read(folder / kind, held_out, size) for kind in ("content", "style"))
    if len(contents) < 2 or len(styles) < 2:
        found = f"{len(contents)} content and {len(styles)} style images"
        raise InvalidImage(f"Expected at least two of each in {folder.name}, found {found}.")
    return Collection(contents, styles)


def is_held_out(name: str) -> bool:
    """Tell whether the file `name` (without folders) belongs to the study: one name in five, by its sha256."""
    return hashlib.sha256(name.encode()).digest()[0] % HELD_OUT_ONE_IN == 0


def to_tensor(pictures: list[np.ndarray]) -> Tensor:
    """Stack uint8 (H, W, 3) of one size to fp32 (N, 3, H, W) in [0, 1]."""
    planes = np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))  # (N, 3, H, W)
    return torch.from_numpy(planes).float() / 255


def _read(folder: Path, held_out: bool, size: int | None) -> dict[str, np.ndarray]:
    pictures = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES or is_held_out(path.name) != held_out:
            continue
        with Image.open(path) as image:
            pictures[path.name] = resize_square(image, size) if size else np.array(image.convert("RGB"))
    return pictures
