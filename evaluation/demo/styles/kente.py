"""Kente cloth after Akan weavers: narrow strips sewn side by side, plain and patterned blocks in turn."""

import numpy as np

from evaluation.demo import canvas

# gold, green, red, black, blue, white; the strips take turns
_PALETTES = (
    ((232, 168, 28), (22, 110, 56), (176, 32, 36), (26, 22, 24), (30, 62, 140), (240, 228, 200)),
    ((224, 150, 34), (18, 92, 70), (150, 26, 52), (30, 24, 28), (64, 46, 120), (236, 222, 190)),
    ((240, 186, 52), (60, 120, 44), (200, 64, 30), (24, 26, 30), (26, 86, 120), (246, 236, 214)),
)
_THREADS = 128
_BLOCKS = 5


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Weave a matrix of threads, one color each, then light every thread."""
    colors = np.array([canvas.vary(rng, color, 5) for color in canvas.pick(rng, _PALETTES)]) / 255.0
    strips = int(rng.integers(5, 7))
    width = _THREADS // strips + 1
    cloth = np.concatenate([_strip(rng, width, offset=strip % 2) for strip in range(strips)], axis=1)
    cloth = cloth[:_THREADS, :_THREADS]
    per_thread = colors[cloth] * (1 + 0.05 * rng.normal(size=(*cloth.shape, 1)))
    per_thread *= (1 + 0.05 * rng.normal(size=(_THREADS, 1)))[..., None]
    index = np.arange(size) * _THREADS // size
    picture = per_thread[index][:, index] * _relief(size)[..., None]
    seams = np.arange(size) * _THREADS // size % width == 0
    picture[:, seams] *= 0.72
    return canvas.close_canvas(canvas.on_cloth(rng, canvas.unsteady(rng, picture, 0.9, 6), 0.035, _THREADS))


def _relief(size: int) -> np.ndarray:
    """Return the light on round threads that lie across, broken by the warp."""
    x, y = canvas.grid(size)
    return np.asarray(
        0.93 + 0.09 * np.abs(np.sin(np.pi * _THREADS * y)) + 0.04 * np.sin(np.pi * _THREADS * x)
    )


def _strip(rng: np.random.Generator, width: int, offset: int) -> np.ndarray:
    """Weave one strip, color numbers of shape (threads, width): plain and patterned blocks in turn."""
    height = _THREADS // _BLOCKS + 1
    stripes = _warp_stripes(rng, width)
    blocks = []
    for block in range(_BLOCKS + 1):
        if (block + offset) % 2:
            blocks.append(np.broadcast_to(stripes, (height, width)))
        else:
            blocks.append(_block(rng, height, width))
    start = int(rng.integers(0, 3))
    return np.concatenate(blocks)[start : start + _THREADS]


def _warp_stripes(rng: np.random.Generator, width: int) -> np.ndarray:
    main, side, thin = rng.permutation(6)[:3]
    row = np.full(width, main)
    edge = max(2, width // 6)
    row[:edge], row[-edge:] = side, side
    row[edge + 1], row[-edge - 2] = thin, thin
    row[width // 2] = thin
    return row


def _block(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Weave one patterned block between two bands of weft stripes."""
    ground, figure, third = rng.permutation(6)[:3]
    y, x = np.mgrid[0:height, 0:width]
    u, v = np.abs(x - (width - 1) / 2), np.abs(y - (height - 1) / 2)
    step = 2
    figures = (
        (u // step + v // step) * step < min(width, height) * 0.42,  # stepped diamond
        (x // (width // 4 + 1) + y // (height // 4 + 1)) % 2 == 0,  # checkers
        (y + np.abs(x % (width // 2) - width // 4)) // 3 % 2 == 0,  # zigzag
        (np.abs(u - v) // step * step < 4),  # hourglass
        (x // 3 % 2 == 0) & (v < height * 0.3),  # comb
    )
    cloth = np.where(figures[int(rng.integers(len(figures)))], figure, ground)
    cloth = np.where((u // step + v // step) * step < min(width, height) * 0.16, third, cloth)
    band = (v > height * 0.36) & (v.astype(int) % 4 < 2)
    return np.asarray(np.where(v > height * 0.36, np.where(band, third, figure), cloth))
