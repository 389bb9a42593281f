"""Mosaics after Byzantine pavements and vaults: tesserae in curved rows around a medallion on gold."""

import numpy as np
from PIL import ImageDraw
from scipy import ndimage

from evaluation.demo import canvas
from evaluation.demo.canvas import Color, Point

# gold, deep, mid, warm, pale, dark
_PALETTES = (
    ((206, 162, 72), (30, 62, 120), (76, 132, 150), (162, 54, 44), (236, 226, 204), (52, 44, 48)),
    ((198, 152, 66), (24, 84, 84), (110, 156, 120), (176, 80, 44), (240, 230, 208), (46, 46, 52)),
    ((212, 170, 86), (72, 44, 104), (90, 110, 160), (180, 60, 60), (238, 228, 212), (50, 40, 46)),
)
_GROUT = (92, 84, 76)


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Set stones row by row around a medallion; each row follows the one inside it."""
    colors = canvas.pick(rng, _PALETTES)
    image, pen = canvas.open_canvas(size, _GROUT)
    side = image.width
    center = (side * rng.uniform(0.35, 0.65), side * rng.uniform(0.35, 0.65))
    stone = side / float(rng.uniform(44, 54))
    design = _Design(rng, side)
    radius = stone * 0.6
    while radius < side * 1.2:
        count = max(4, round(2 * np.pi * radius / (stone * 1.04)))
        offset = rng.uniform(0, 2 * np.pi)
        for index in range(count):
            angle = offset + 2 * np.pi * (index + rng.normal(0, 0.06)) / count
            hue = design.hue(radius, angle)
            _set_stone(rng, pen, (center, radius, angle, stone), colors[hue])
        radius += stone * 1.02
    picture = canvas.shrink(image)
    relief = ndimage.gaussian_filter(picture.mean(axis=-1), 0.7)
    picture = canvas.emboss(picture, relief, 0.10)
    picture *= (1 + 0.05 * canvas.noise(rng, size, 3, 3) + 0.035 * rng.normal(size=(size, size)))[..., None]
    return canvas.close_canvas(picture)


class _Design:
    """Which hue a stone takes at a radius and angle of the medallion."""

    def __init__(self, rng: np.random.Generator, side: int) -> None:
        self.petals = int(rng.choice([6, 8, 12]))
        self.turn = float(rng.uniform(0, 2 * np.pi))
        self.core = side * float(rng.uniform(0.17, 0.23))
        self.band = side * float(rng.uniform(0.085, 0.11))
        self.hues = [int(hue) for hue in rng.permutation([1, 2, 3])]

    def hue(self, radius: float, angle: float) -> int:
        """Return the number of a palette color."""
        wave = np.cos(self.petals * (angle + self.turn))
        first, second, third = self.hues
        if radius < self.core:
            return self._flower(radius / self.core, wave)
        ring = (radius - self.core) / self.band
        if ring < 0.28 or 1.0 <= ring < 1.22:
            return 4 if ring < 0.28 else 5
        if ring < 1.0:
            strand = np.cos(2 * self.petals * (angle + self.turn)) * 0.34
            near = min(abs(ring - 0.64 - strand), abs(ring - 0.64 + strand))
            return 4 if near < 0.12 else (first if near < 0.26 else second)
        if ring < 3.0:
            return (
                third
                if abs(ring - 2.1 - 0.5 * wave) < 0.17
                else (4 if abs(ring - 2.1 + 0.5 * wave) < 0.15 else 0)
            )
        return first if ring < 3.3 else (second if int(ring * 1.6 + 0.6 * wave) % 2 else 0)

    def _flower(self, share: float, wave: float) -> int:
        edge = 0.62 + 0.32 * wave
        if share < 0.16:
            return 3
        if share < 0.26:
            return 4
        if share < edge - 0.16:
            return self.hues[0]
        return 4 if share < edge else 0 if share < 0.93 else 5


def _set_stone(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, place: tuple[Point, float, float, float], color: Color
) -> None:
    """Set one four-sided stone, slightly off square and of its own tone; a few gold ones glint."""
    (x, y), radius, angle, stone = place
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * 0.435 + rng.normal(0, 0.05, (4, 2))
    spot = (x + radius * np.cos(angle), y + radius * np.sin(angle))
    glint = 34 if rng.random() < 0.10 else 0
    red, green, blue = canvas.vary(rng, color, 15)
    fill = (min(255, red + glint), min(255, green + glint), min(255, blue + glint))
    pen.polygon(canvas.turned(corners, angle + rng.normal(0, 0.06), spot, stone), fill=fill)
