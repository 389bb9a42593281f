"""Fixed pictures for checking machines, drawn with integers alone: the same bits everywhere."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

_PURE = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)])


@dataclass(frozen=True)
class Vector:
    """One output for a pair of fixed pictures: uint8 (side, side, 3)."""

    content: str
    style: str
    output: np.ndarray


def content_pictures(side: int) -> dict[str, np.ndarray]:
    """Draw the content images: smooth, noisy, almost flat, and of high contrast; int64 (side, side, 3)."""
    x, y = _grid(side)
    smooth = np.stack([_wave(3 * x + 2 * y, side), _wave(x - 2 * y, side), _wave(x + y, 2 * side)], axis=-1)
    noise = _noise(side)
    flat = 118 + (x // 64 + y // 64)[..., None] % 4 + np.array([0, 5, 9])
    disc = (x - side // 2) ** 2 + (y - side // 3) ** 2 < (side // 4) ** 2
    checks = (x // 16 + y // 16) % 2 == 0
    contrast = np.repeat(np.where(checks ^ disc, 255, 0)[..., None], 3, axis=-1)
    return {"smooth": smooth, "noisy": (2 * smooth + noise) // 3, "flat": flat, "contrast": contrast}


def style_pictures(side: int) -> dict[str, np.ndarray]:
    """Draw the style images: tiles of pure colors, and colored strokes; int64 (side, side, 3)."""
    x, y = _grid(side)
    tiles = _PURE[((3 * x + y) // 23 + (x + 2 * y) // 31) % 6]
    bend = x * y // 64
    strokes = np.stack([_wave(7 * x + 3 * y + bend, 40), _wave(5 * y - x, 28), _wave(x + bend, 60)], axis=-1)
    return {"pure": tiles, "strokes": (4 * strokes + _noise(side)) // 5}


def draw_vectors(side: int) -> dict[str, Vector]:
    """Draw the outputs that are scored: from almost the content image to almost the style image."""
    contents, styles = content_pictures(side), style_pictures(side)
    mixed: dict[str, tuple[str, str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
        "blend": ("smooth", "pure", lambda c, s: (2 * c + s) // 3),
        "product": ("smooth", "strokes", lambda c, s: c * s // 255),
        "noise": ("noisy", "strokes", lambda c, s: (c + s + _noise(side)) // 3),
        "tiny": ("noisy", "pure", lambda c, s: c + np.clip(s - c, -2, 2)),
        "flat": ("flat", "pure", lambda c, s: (7 * c + s) // 8),
        "edges": ("contrast", "strokes", np.maximum),
        "saturated": ("contrast", "pure", lambda c, s: np.where(c > 0, s, 255 - s)),
        "near-style": ("flat", "strokes", lambda c, s: (c + 7 * s) // 8),
    }
    return {
        name: Vector(content, style, as_picture(mix(contents[content], styles[style])))
        for name, (content, style, mix) in mixed.items()
    }


def as_picture(values: np.ndarray) -> np.ndarray:
    """Turn integers from 0 to 255 into uint8; anything else is a mistake in this file.

    Raises:
        ValueError: a value outside of 0 to 255.
    """
    if values.min() < 0 or values.max() > 255:
        raise ValueError(f"pixels run from {values.min()} to {values.max()}")
    return np.ascontiguousarray(values, dtype=np.uint8)


def pictures_digest(vectors: Mapping[str, Vector]) -> str:
    """Return the sha256 over all outputs, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(vectors):
        digest.update(name.encode() + vectors[name].output.tobytes())
    return digest.hexdigest()


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:side, 0:side].astype(np.int64)
    return x, y


def _wave(position: np.ndarray, period: int) -> np.ndarray:
    """Return a triangular wave from 0 to 255."""
    half = period // 2
    return np.asarray(np.abs(position % (2 * half) - half) * 255 // half)


def _noise(side: int) -> np.ndarray:
    """Return noise from 0 to 255, int64 (side, side, 3): a linear congruential sequence, its bits mixed."""
    state = np.arange(side * side * 3, dtype=np.int64)
    for _ in range(3):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        state ^= state >> 13
    return (state >> 11).reshape(side, side, 3) % 256
