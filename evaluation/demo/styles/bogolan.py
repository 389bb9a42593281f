"""Bogolan, mud cloth after Bamana dyers: pale hand-drawn signs on cloth dyed with fermented mud."""

from collections.abc import Callable

import numpy as np
from PIL import ImageDraw

from evaluation.demo import canvas

_PALETTES = (
    ((48, 36, 30), (226, 212, 184)),
    ((72, 48, 32), (232, 216, 182)),
    ((40, 38, 42), (220, 208, 190)),
    ((112, 58, 36), (236, 216, 184)),
)
Pen = ImageDraw.ImageDraw
Box = tuple[float, float, float, float]


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Divide the cloth into bands of panels, draw one sign per panel again and again, then dye unevenly."""
    mud, pale = canvas.pick(rng, _PALETTES)
    mask, pen = canvas.open_mask(size)
    side = mask.width
    edges = [0.0]
    while edges[-1] < side:
        edges.append(edges[-1] + side * rng.uniform(0.14, 0.24))
    stroke = side // 75
    for top, bottom in zip(edges, edges[1:], strict=False):
        pen.line((0, bottom, side, bottom), fill=255, width=stroke)
        _draw_band(rng, pen, (0, top + stroke * 1.5, side, bottom - stroke * 1.5), stroke)
    drawn = canvas.unsteady(rng, canvas.shrink(mask), 1.1, 16)
    rough = np.clip(drawn * (1.0 + 0.22 * canvas.noise(rng, size, 50, 3)) * 1.15, 0, 0.97)
    dye = (
        canvas.as_float(mud)
        * (1 + 0.13 * canvas.noise(rng, size, 4, 4) + 0.05 * canvas.noise(rng, size, 40, 2))[..., None]
    )
    cloth = canvas.as_float(pale) * (1 + 0.05 * canvas.noise(rng, size, 8, 4))[..., None]
    return canvas.close_canvas(canvas.on_cloth(rng, canvas.mix(dye, cloth, rough), 0.09, 84))


def _draw_band(rng: np.random.Generator, pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    count = int(rng.integers(4, 8))
    signs = [_SIGNS[i] for i in rng.permutation(len(_SIGNS))[: int(rng.integers(1, 3))]]
    width = (right - left) / count
    framed = bool(rng.random() < 0.6)
    for panel in range(-1, count + 1):
        x = left + panel * width
        if framed:
            pen.line((x, top, x, bottom), fill=255, width=stroke * 2 // 3)
        pad = width * 0.14
        signs[panel % len(signs)](pen, (x + pad, top + stroke, x + width - pad, bottom - stroke), stroke)


def _cross(pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    pen.line((left, top, right, bottom), fill=255, width=stroke)
    pen.line((left, bottom, right, top), fill=255, width=stroke)
    x, y = (left + right) / 2, (top + bottom) / 2
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        _dot(pen, x + dx * (right - left) * 0.36, y + dy * (bottom - top) * 0.36, stroke * 0.75)


def _zigzag(pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    for row in range(3):
        base = top + (bottom - top) * (row + 0.75) / 3
        lift = (bottom - top) / 4.5
        points = [(left + (right - left) * i / 4, base - lift * (i % 2)) for i in range(5)]
        pen.line(points, fill=255, width=stroke, joint="curve")


def _dots(pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    for row in range(4):
        for column in range(3):
            x = left + (right - left) * (column + 0.5) / 3
            _dot(pen, x, top + (bottom - top) * (row + 0.5) / 4, stroke * 0.85)


def _diamonds(pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    for share in (1.0, 0.55):
        w, h = (right - left) / 2 * share, (bottom - top) / 2 * share
        pen.line(
            [(x, y - h), (x + w, y), (x, y + h), (x - w, y), (x, y - h), (x + w, y)], fill=255, width=stroke
        )
    _dot(pen, x, y, stroke * 0.8)


def _comb(pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    pen.line((left, bottom, right, bottom), fill=255, width=stroke)
    for tooth in range(4):
        x = left + (right - left) * tooth / 3
        pen.line((x, top + (bottom - top) * 0.15 * (tooth % 2), x, bottom), fill=255, width=stroke)


def _rings(pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    x, y, reach = (left + right) / 2, (top + bottom) / 2, min(right - left, bottom - top) / 2
    for share in (1.0, 0.5):
        r = reach * share
        pen.ellipse((x - r, y - r, x + r, y + r), outline=255, width=stroke)


def _ladder(pen: Pen, box: Box, stroke: int) -> None:
    left, top, right, bottom = box
    for rung in range(5):
        y = top + (bottom - top) * rung / 4
        pen.line((left, y, right, y), fill=255, width=stroke)


def _dot(pen: Pen, x: float, y: float, reach: float) -> None:
    pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)


_SIGNS: tuple[Callable[[Pen, Box, int], None], ...] = (
    _cross,
    _zigzag,
    _dots,
    _diamonds,
    _comb,
    _rings,
    _ladder,
)
