"""Batik after Javanese wax-resist cloth: kawung ovals and rosettes with fine dots, and cracks in the wax."""

import numpy as np
from PIL import ImageDraw
from scipy import ndimage

from evaluation.demo import canvas
from evaluation.demo.canvas import Color

# ground, wax-white, soga brown, indigo
_PALETTES = (
    ((44, 30, 36), (238, 222, 188), (150, 88, 44), (40, 58, 96)),
    ((36, 48, 84), (240, 228, 200), (164, 100, 50), (24, 30, 56)),
    ((104, 52, 34), (244, 228, 190), (190, 130, 66), (46, 40, 56)),
)
Pen = ImageDraw.ImageDraw


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw the motif with a wax pen on a diagonal lattice, dye it twice and crack the wax."""
    colors = canvas.pick(rng, _PALETTES)
    image, pen = canvas.open_canvas(size, colors[0])
    side = image.width
    cell = side / float(rng.uniform(2.5, 3.3))
    shift = rng.uniform(0, cell, 2)
    for row in range(-2, int(side / cell) + 3):
        for column in range(-2, int(side / cell) + 3):
            center = (float(column * cell + shift[0]), float(row * cell + shift[1]))
            _kawung(rng, pen, center, cell, colors)
            _rosette(rng, pen, (center[0] + cell / 2, center[1] + cell / 2), cell, colors)
    picture = canvas.unsteady(rng, canvas.shrink(image), 1.0, 10)
    return canvas.close_canvas(canvas.on_cloth(rng, _dye(rng, picture, colors), 0.03, 120))


def _kawung(
    rng: np.random.Generator, pen: Pen, center: canvas.Point, cell: float, colors: tuple[Color, ...]
) -> None:
    """Draw four ovals that meet at a point, each with an inner oval and two seeds."""
    _, white, brown, indigo = colors
    turn = np.linspace(0, 2 * np.pi, 40)
    oval = np.stack([np.cos(turn), 0.6 * np.sin(turn)], axis=1)
    for quarter in range(4):
        angle = np.pi / 4 + quarter * np.pi / 2
        middle = (center[0] + cell * 0.33 * np.cos(angle), center[1] + cell * 0.33 * np.sin(angle))
        shades = ((0.29, white), (0.262, canvas.vary(rng, brown, 8)), (0.185, white), (0.16, indigo))
        for reach, color in shades:
            pen.polygon(canvas.turned(oval, angle, middle, cell * reach), fill=color)
        for seed in (-0.06, 0.06):
            x, y = middle[0] + cell * seed * np.cos(angle), middle[1] + cell * seed * np.sin(angle)
            _dot(pen, (x, y), cell * 0.024, white)
    _dot(pen, center, cell * 0.055, white)
    _dot(pen, center, cell * 0.03, brown)


def _rosette(
    rng: np.random.Generator, pen: Pen, center: canvas.Point, cell: float, colors: tuple[Color, ...]
) -> None:
    """Fill the gap between ovals with a flower and rows of dots (cecek)."""
    _, white, brown, indigo = colors
    for petal in range(8):
        angle = petal * np.pi / 4
        place = (center[0] + cell * 0.105 * np.cos(angle), center[1] + cell * 0.105 * np.sin(angle))
        _dot(pen, place, cell * 0.042, white)
        _dot(pen, place, cell * 0.024, canvas.vary(rng, indigo, 10))
    _dot(pen, center, cell * 0.06, canvas.vary(rng, brown, 8))
    _dot(pen, center, cell * 0.025, white)
    for arm in range(4):
        angle = arm * np.pi / 2
        for step in range(5):
            reach = cell * (0.20 + 0.055 * step)
            place = (center[0] + reach * np.cos(angle), center[1] + reach * np.sin(angle))
            _dot(pen, place, cell * (0.021 - 0.002 * step), white)


def _dot(pen: Pen, center: canvas.Point, reach: float, color: Color) -> None:
    x, y = center
    pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=color)


def _dye(rng: np.random.Generator, picture: np.ndarray, colors: tuple[Color, ...]) -> np.ndarray:
    """Let dye creep under the wax: soft edges, clouds, and branching cracks through the pale parts."""
    size = picture.shape[0]
    soft = ndimage.gaussian_filter(picture, (size / 700, size / 700, 0))
    cracks = np.zeros((size, size))
    for cells in (5, 9):
        vein = np.abs(canvas.noise(rng, size, cells, 4))
        cracks = np.maximum(
            cracks, np.clip(1 - vein / 0.05, 0, 1) * np.clip(canvas.noise(rng, size, 4, 2) + 0.3, 0, 1)
        )
    pale = np.clip(soft.mean(axis=-1) * 1.6 - 0.4, 0, 1)
    dyed = canvas.mix(soft, canvas.as_float(colors[2]) * 0.7, cracks * pale * 0.75)
    return np.asarray(dyed * (1 + 0.07 * canvas.noise(rng, size, 5, 4))[..., None])
