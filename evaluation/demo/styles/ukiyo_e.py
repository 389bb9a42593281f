"""Landscape prints after ukiyo-e: flat layers with outlines, faded skies (bokashi), a mountain and waves."""

import numpy as np

from evaluation.demo import canvas
from evaluation.demo.canvas import Color

# top of sky, horizon, mountain, hills, sea, foam, line, sun
_PALETTES = (
    (
        (28, 66, 122),
        (244, 222, 184),
        (70, 96, 128),
        (84, 112, 84),
        (38, 82, 132),
        (240, 234, 216),
        (28, 34, 56),
        (206, 74, 50),
    ),
    (
        (176, 60, 52),
        (246, 220, 176),
        (96, 70, 72),
        (70, 92, 76),
        (44, 92, 110),
        (242, 234, 214),
        (40, 30, 40),
        (236, 186, 92),
    ),
    (
        (40, 84, 96),
        (240, 214, 190),
        (120, 76, 70),
        (110, 118, 70),
        (52, 100, 122),
        (244, 238, 222),
        (32, 36, 44),
        (220, 110, 70),
    ),
)


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Paint sky, sun, mountain, hills and a sea of curling waves, then pull it from the block."""
    sky, horizon, mountain, hill, sea, foam, line, sun = canvas.pick(rng, _PALETTES)
    x, y = canvas.grid(size)
    picture = _sky(rng, size, (sky, horizon, sun, foam))
    peak = _mountain(rng, x, float(rng.uniform(0.3, 0.7)))
    picture = _layer(
        picture, y - peak, canvas.blend_stops((y - 0.2) / 0.5, [(0, mountain), (1, horizon)]), line
    )
    snow_line = 0.375 + 0.022 * np.sin(x * 95 + 2 * np.sin(x * 31)) + 0.012 * np.sin(x * 211)
    white = np.clip((y - peak) * size, 0, 1) * np.clip((snow_line - y) * size, 0, 1)
    picture = canvas.mix(picture, canvas.as_float(foam), white * 0.95)
    for depth in range(2):
        ridge = 0.60 + 0.05 * depth + 0.05 * _ridge(rng, size, 4 + 2 * depth)[None, :]
        tone = canvas.blend_stops((y - ridge) * 6, [(0, hill), (1, canvas.vary(rng, horizon, 8))])
        picture = _layer(picture, y - ridge, tone, line)
    for row in range(7):
        picture = _wave_row(rng, picture, row, (sea, foam, line))
    return canvas.close_canvas(_pull(rng, picture))


def _sky(rng: np.random.Generator, size: int, colors: tuple[Color, ...]) -> np.ndarray:
    sky, horizon, sun, foam = colors
    x, y = canvas.grid(size)
    picture = canvas.blend_stops(y, [(0, sky), (0.16, sky), (0.42, horizon), (1, horizon)])
    center = (float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.12, 0.3)))
    disc = np.clip((0.085 - np.hypot(x - center[0], y - center[1])) * size, 0, 1)
    picture = canvas.mix(picture, canvas.as_float(sun), disc * 0.95)
    for _ in range(4):
        middle, length = rng.uniform(0, 1), rng.uniform(0.2, 0.45)
        height = rng.uniform(0.1, 0.5)
        band = 0.016 * np.sqrt(np.clip(1 - ((x - middle) / length) ** 4, 0, 1))
        inside = np.clip((band - np.abs(y - height)) * size, 0, 1)
        picture = canvas.mix(picture, canvas.as_float(foam), inside * 0.85)
    return picture


def _mountain(rng: np.random.Generator, x: np.ndarray, middle: float) -> np.ndarray:
    """Return the height line of one volcano with concave flanks."""
    flank = np.abs(x - middle) + 0.012 * _ridge(rng, x.shape[1], 12)[None, :]
    return np.asarray(0.26 + 0.46 * np.clip(flank - 0.03, 0, 1) ** 0.72)


def _ridge(rng: np.random.Generator, size: int, cells: float) -> np.ndarray:
    return np.asarray(canvas.noise(rng, size, (cells, 1), 4)[0])


def _layer(picture: np.ndarray, depth: np.ndarray, tone: np.ndarray, line: Color) -> np.ndarray:
    """Lay a flat shape over the picture where depth > 0, with an outline along its upper edge."""
    size = picture.shape[0]
    picture = canvas.mix(picture, tone, np.clip(depth * size + 0.5, 0, 1))
    outline = np.clip(1.1 - np.abs(depth) * size / 1.1, 0, 1)
    return canvas.mix(picture, canvas.as_float(line), outline * 0.9)


def _wave_row(
    rng: np.random.Generator, picture: np.ndarray, row: int, colors: tuple[Color, ...]
) -> np.ndarray:
    """Lay one row of crests over the picture: foam on the crest, lines that follow it below."""
    sea, foam, line = colors
    size = picture.shape[0]
    x, y = canvas.grid(size)
    length = 0.16 + 0.045 * row
    phase = x / length + rng.uniform() + 0.25 * np.sin(7 * x + rng.uniform(0, 6))
    swing = np.abs(np.sin(np.pi * phase)) ** 0.7
    crest = 0.70 + 0.047 * row + length * (0.22 - 0.30 * swing)
    depth = y - crest
    tone = canvas.blend_stops(np.clip(depth / 0.1, 0, 1), [(0, canvas.vary(rng, sea, 8)), (1, foam)])
    picture = _layer(picture, depth, tone, line)
    contour = (np.sin(2 * np.pi * depth / (0.014 + 0.002 * row)) > 0.45) & (depth > 0.012)
    picture = canvas.mix(picture, canvas.as_float(line), contour * 0.55)
    tips = np.clip((0.012 + 0.006 * np.sin(40 * phase) - depth) * size, 0, 1) * (depth > 0) * (swing > 0.72)
    return canvas.mix(picture, canvas.as_float(foam), tips)


def _pull(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Print: wood grain in the flat areas, then paper."""
    size = picture.shape[0]
    grain = canvas.noise(rng, size, (2, size / 6), 3)
    picture = canvas.unsteady(rng, picture, 0.8, 12)
    return canvas.on_paper(rng, picture * (1 + 0.022 * grain)[..., None], 0.035)
