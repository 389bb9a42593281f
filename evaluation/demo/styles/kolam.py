"""Kolam after South Indian threshold drawings: lines of rice flour that loop around a grid of dots."""

import numpy as np
from scipy import ndimage

from evaluation.demo import canvas
from evaluation.demo.canvas import Point

# earth, line, dots and border
_PALETTES = (
    ((122, 62, 42), (246, 240, 230), (206, 84, 44)),
    ((92, 58, 46), (248, 244, 236), (190, 70, 50)),
    ((150, 84, 52), (250, 244, 232), (120, 34, 30)),
)
# the middles of the four sides of a cell, as direction: east, south, west, north
_SIDES = np.array([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)])


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw one symmetric loop pattern on swept earth, each line as poured powder."""
    earth, white, red = canvas.pick(rng, _PALETTES)
    lines, pen = canvas.open_mask(size)
    dots, dot_pen = canvas.open_mask(size)
    side = lines.width
    count = int(rng.choice([7, 9, 9]))
    joined = _joins(rng, count)
    cell = side / (count - 1.6)
    for row in range(count):
        for column in range(count):
            center = ((column - count // 2) * cell + side / 2, (row - count // 2) * cell + side / 2)
            pen.line(
                _loop(center, cell, joined[row, column]), fill=255, width=int(cell * 0.105), joint="curve"
            )
            reach = cell * 0.075
            dot_pen.ellipse(
                (center[0] - reach, center[1] - reach, center[0] + reach, center[1] + reach), fill=255
            )
    ground = canvas.as_float(earth) * _swept(rng, size)[..., None]
    picture = canvas.mix(ground, canvas.as_float(red), _powder(rng, canvas.shrink(dots)))
    picture = canvas.mix(picture, canvas.as_float(white), _powder(rng, canvas.shrink(lines)))
    return canvas.close_canvas(picture)


def _joins(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw which neighbors share a crossing, shape (row, column, side), with the symmetry of a square."""
    middle = count // 2
    share = rng.uniform(0.55, 0.75)
    across = rng.random((count, count)) < share
    for row in range(count):
        for column in range(count):
            u, v = abs(row - middle), min(column, count - 2 - column)
            across[row, column] = across[middle - u if u <= middle else 0, v]
    joined = np.zeros((count, count, 4), dtype=bool)
    joined[:, :-1, 0] = across[:, :-1]
    joined[:, 1:, 2] = across[:, :-1]
    joined[:-1, :, 1] = across.T[:-1]
    joined[1:, :, 3] = across.T[:-1]
    return joined


def _loop(center: Point, cell: float, joined: np.ndarray) -> list[Point]:
    """Return the closed line around one dot: to the side where it crosses a neighbor, around it elsewhere."""
    points: list[Point] = []
    for side in range(4):
        start, end = _anchor(side, bool(joined[side])), _anchor((side + 1) % 4, bool(joined[(side + 1) % 4]))
        leave = _SIDES[(side + 1) % 4] - (_SIDES[side] if joined[side] else 0)
        arrive = -_SIDES[side] + (_SIDES[(side + 1) % 4] if joined[(side + 1) % 4] else 0)
        for t in np.linspace(0, 1, 14):
            b0, b1, b2, b3 = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            x, y = b0 * start + b1 * (start + 0.2 * leave) + b2 * (end - 0.2 * arrive) + b3 * end
            points.append((center[0] + x * cell, center[1] + y * cell))
    return points


def _anchor(side: int, joined: bool) -> np.ndarray:
    return np.asarray(_SIDES[side] * (0.5 if joined else 0.33))


def _swept(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return the light on damp swept ground: broom arcs, clods and sand."""
    broom = canvas.displace(
        canvas.noise(rng, size, (4, size / 6), 2), *[14 * canvas.noise(rng, size, 3, 2)] * 2
    )
    sand = ndimage.gaussian_filter(rng.normal(size=(size, size)), 0.7)
    return np.asarray(1 + 0.05 * broom + 0.09 * canvas.noise(rng, size, 5, 4) + 0.10 * sand)


def _powder(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    """Break a clean line into poured powder: uneven width, grains at the edge, a dusty halo."""
    size = mask.shape[0]
    shaken = canvas.unsteady(rng, mask, 0.7, 22)
    grains = canvas.displace(shaken, *(0.4 * rng.normal(size=(2, size, size))))
    halo = 0.10 * ndimage.gaussian_filter(shaken, size / 100)
    return np.asarray(np.clip(grains * (0.92 + 0.10 * canvas.noise(rng, size, 60, 2)) + halo, 0, 0.97))
