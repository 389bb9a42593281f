"""Seigaiha, the blue-sea waves of Japanese cloth and paper: overlapping scales of concentric rings."""

import numpy as np
from PIL import ImageDraw

from evaluation.demo import canvas
from evaluation.demo.canvas import Color

# deep ring, pale ring, ground at the bottom, accent
_PALETTES = (
    ((24, 48, 96), (236, 230, 214), (94, 140, 170), (196, 150, 74)),
    ((30, 62, 74), (240, 232, 212), (120, 162, 150), (190, 74, 52)),
    ((66, 40, 74), (240, 228, 216), (150, 110, 140), (206, 160, 80)),
)
_RINGS = 4


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Paint rows of wave scales, deep at the top and pale below, as if printed from a wood block."""
    deep, pale, bottom, accent = canvas.pick(rng, _PALETTES)
    image, pen = canvas.open_canvas(size, deep)
    side = image.width
    radius = side / float(rng.uniform(8.0, 11.0))
    rows = int(side / (radius / 2)) + 4
    for row in range(rows):
        ring = _toward(deep, bottom, row / rows)
        for column in range(int(side / (2 * radius)) + 3):
            center = ((2 * column - 1 + row % 2) * radius, row * radius / 2)
            inked = canvas.vary(rng, accent if rng.random() < 0.08 else ring, 7)
            _draw_scale(pen, center, radius, inked, canvas.vary(rng, pale, 4))
    picture = canvas.unsteady(rng, canvas.shrink(image), 0.9, 14)
    return canvas.close_canvas(_print_block(rng, picture, pale))


def _draw_scale(
    pen: ImageDraw.ImageDraw, center: canvas.Point, radius: float, dark: Color, light: Color
) -> None:
    """Draw one scale: dark rings on light ground, each thinner than the one around it."""
    x, y = center
    for ring in range(_RINGS):
        outer = radius * (1 - ring / _RINGS)
        inner = outer - radius / _RINGS * (0.66 - 0.04 * ring)
        for reach, color in ((outer, dark), (inner, light)):
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=color)


def _toward(start: Color, end: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share**1.5) for a, b in zip(start, end, strict=True))
    return red, green, blue


def _print_block(rng: np.random.Generator, picture: np.ndarray, paper: Color) -> np.ndarray:
    """Let the wood grain and thin ink show through, more so where the ink ran out."""
    size = picture.shape[0]
    wood = canvas.noise(rng, size, (3, size / 5), 3)
    worn = np.clip(canvas.noise(rng, size, 60, 2) - 1.5, 0, 1) * 0.5 + np.clip(wood - 0.6, 0, 2) * 0.09
    return canvas.on_paper(rng, canvas.mix(picture, canvas.as_float(paper), np.clip(worn, 0, 1)))
