"""Girih, star lattices of Persian and wider Islamic geometry: strapwork grown from a hidden tiling."""

import numpy as np
from PIL import ImageDraw

from evaluation.demo import canvas
from evaluation.demo.canvas import Color

# ground between the stars, large star, small star, heart, strap, strap edge
_PALETTES = (
    ((28, 104, 128), (18, 52, 108), (196, 146, 62), (226, 206, 150), (238, 228, 202), (24, 30, 48)),
    ((186, 206, 190), (20, 92, 84), (168, 62, 40), (232, 190, 96), (244, 236, 216), (34, 40, 40)),
    ((22, 60, 110), (72, 160, 164), (200, 160, 80), (240, 232, 210), (228, 214, 176), (16, 24, 44)),
)
_CONTACT = np.radians(62)


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Lay eight-fold or twelve-fold stars, each with its rosette, as glazed tiles with straps between them.

    Hankin's construction: rays leave each edge of a tiling at one angle and meet to form stars.
    """
    colors = canvas.pick(rng, _PALETTES)
    image, pen = canvas.open_canvas(size, canvas.vary(rng, colors[0], 4))
    side = image.width
    twelve = bool(rng.integers(2))
    cell = side / float(rng.uniform(2.6, 3.4)) * (1.2 if twelve else 1.0)
    shift = rng.uniform(-cell / 2, 0, 2)
    straps: list[list[canvas.Point]] = []
    for center, count, edge, turn in _tiling(side, cell, twelve):
        place = (float(center[0] + shift[0]), float(center[1] + shift[1]))
        straps += _draw_star(rng, pen, (place, count, edge, turn), colors)
    width = side / 75
    for color, wide in ((colors[5], width * 1.75), (colors[4], width)):
        for line in straps:
            pen.line(line, fill=color, width=round(wide), joint="curve")
            for x, y in line[:2]:
                pen.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=color)
    picture = canvas.unsteady(rng, canvas.shrink(image), 0.45, 14)
    glaze = 1 + 0.05 * canvas.noise(rng, size, 26, 3) + 0.05 * canvas.noise(rng, size, 4, 3)
    return canvas.close_canvas(canvas.emboss(picture * glaze[..., None], picture.mean(axis=-1), 0.07))


Tile = tuple[np.ndarray, int, float, float]


def _tiling(side: int, cell: float, twelve: bool) -> list[Tile]:
    """List (center, sides, edge length, turn): octagons with squares, or dodecagons with triangles."""
    tiles: list[Tile] = []
    for row in range(-1, int(side / cell) + 3):
        for column in range(-2, int(side / cell) + 3):
            if twelve:
                edge = cell * np.tan(np.pi / 12)
                middle = np.array([(column + 0.5 * (row % 2)) * cell, row * cell * np.sqrt(0.75)])
                gap = cell / np.sqrt(3)
                tiles.append((middle, 12, edge, np.pi / 12))
                tiles.append((middle + gap * np.array([0.0, 1.0]), 3, edge, np.pi / 6))
                tiles.append((middle + gap * np.array([0.0, -1.0]), 3, edge, -np.pi / 6))
            else:
                edge = cell * np.tan(np.pi / 8)
                middle = np.array([column * cell, row * cell])
                tiles.append((middle, 8, edge, np.pi / 8))
                tiles.append((middle + cell / 2, 4, edge, 0.0))
    return tiles


def _star(count: int, edge: float, turn: float) -> np.ndarray:
    """Return the star in a regular polygon with a vertex at angle `turn`: its tips and inner corners."""
    half = np.pi / count
    apothem = edge / 2 / np.tan(half)
    # The ray from the middle of an edge meets the line from the center to the next vertex here.
    along = apothem * np.tan(half) / (np.cos(_CONTACT) + np.sin(_CONTACT) * np.tan(half))
    inner = np.hypot(apothem - along * np.sin(_CONTACT), along * np.cos(_CONTACT))
    angles = turn + half * (np.arange(2 * count) + 1)
    radii = np.where(np.arange(2 * count) % 2 == 0, apothem, inner)
    return np.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None])


def _draw_star(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    tile: tuple[canvas.Point, int, float, float],
    colors: tuple[Color, ...],
) -> list[list[canvas.Point]]:
    """Glaze one star and its rosette; return its straps, which are drawn when all tiles lie."""
    place, count, edge, turn = tile
    star = _star(count, edge, turn)
    large = count > 4
    outline = canvas.turned(star, 0.0, place)
    pen.polygon(outline, fill=canvas.vary(rng, colors[1 if large else 2], 9))
    straps = [[outline[i], outline[(i + 1) % len(outline)]] for i in range(len(outline))]
    if not large:
        pen.polygon(canvas.turned(star, 0.0, place, 0.42), fill=canvas.vary(rng, colors[3], 8))
        return straps
    pen.polygon(canvas.turned(star, np.pi / count, place, 0.78), fill=canvas.vary(rng, colors[0], 9))
    inner = canvas.turned(star, 0.0, place, 0.56)
    pen.polygon(inner, fill=canvas.vary(rng, colors[2], 9))
    pen.polygon(canvas.turned(star, np.pi / count, place, 0.34), fill=canvas.vary(rng, colors[3], 9))
    pen.polygon(canvas.turned(star, 0.0, place, 0.17), fill=canvas.vary(rng, colors[1], 9))
    return straps + [[inner[i], inner[(i + 1) % len(inner)]] for i in range(len(inner))]
