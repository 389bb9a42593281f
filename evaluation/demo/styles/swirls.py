"""Swirling brushwork after Dutch Post-Impressionism: a landscape in thick directed strokes."""

import numpy as np
from PIL import ImageDraw
from scipy import ndimage

from evaluation.demo import canvas
from evaluation.demo.canvas import Color

# sky deep, sky light, light of stars, far hills, fields, near ground, tree
_PALETTES = (
    (
        (22, 42, 102),
        (92, 140, 190),
        (248, 220, 110),
        (40, 70, 120),
        (72, 104, 90),
        (30, 56, 66),
        (22, 34, 36),
    ),
    (
        (66, 132, 170),
        (190, 214, 200),
        (250, 226, 120),
        (90, 120, 150),
        (214, 170, 60),
        (176, 120, 44),
        (44, 74, 48),
    ),
    (
        (40, 60, 84),
        (150, 160, 130),
        (250, 200, 90),
        (70, 80, 110),
        (150, 130, 60),
        (92, 66, 44),
        (34, 44, 34),
    ),
)
_LAYERS = ((1500, 0.016, 16), (3600, 0.0105, 12), (3000, 0.0075, 9))


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Lay three layers of strokes along a flow that turns around the lights, then light the thick paint."""
    scene, flow = _compose(rng, size, canvas.pick(rng, _PALETTES))
    image, pen = canvas.open_canvas(size, (70, 74, 80))
    relief, knife = canvas.open_mask(size)
    for count, width, steps in _LAYERS:
        cells = int(np.sqrt(count))
        for index in rng.permutation(cells * cells):
            start = (np.array(divmod(int(index), cells)) + rng.uniform(0, 1, 2)) / cells
            _stroke(rng, (pen, knife), (scene, flow), start, (width, steps))
    picture = canvas.shrink(image)
    bristles = canvas.shrink(relief) + 0.10 * canvas.noise(rng, size, 70, 2)
    return canvas.close_canvas(canvas.emboss(picture, ndimage.gaussian_filter(bristles, 0.5), 0.16))


def _compose(rng: np.random.Generator, size: int, colors: tuple[Color, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the color of every pixel and the direction of the brush there (an angle)."""
    deep, pale, glow, hill, field, near, tree = colors
    x, y = canvas.grid(size)
    skyline = rng.uniform(0.55, 0.66)
    along, across = np.full((size, size), 1.0), 0.5 * canvas.noise(rng, size, 3, 2)
    light = np.zeros((size, size))
    for number in range(int(rng.integers(5, 8))):
        cx, cy = rng.uniform(0.05, 0.95), rng.uniform(0.05, skyline - 0.1)
        reach = rng.uniform(0.05, 0.09) if number else 0.15
        distance = np.hypot(x - cx, y - cy)
        pull = 2.6 * np.exp(-((distance / (1.5 * reach)) ** 2)) * (1 if number % 2 else -1)
        along += pull * -(y - cy) / reach * 2
        across += pull * (x - cx) / reach * 2
        rings = 0.75 + 0.25 * np.cos(distance / reach * 9)
        light = np.maximum(light, np.clip(1.25 - distance / reach, 0, 1) ** 0.6 * rings)
    drift = 0.5 + 0.5 * np.sin(14 * y + 2.2 * canvas.noise(rng, size, 3, 2))
    picture = canvas.mix(
        canvas.as_float(deep) * np.ones((size, size, 1)), canvas.as_float(pale), drift * 0.75
    )
    picture = canvas.mix(picture, canvas.as_float(glow), light)
    flow = np.arctan2(across, along)
    for depth, color in enumerate((hill, field, near)):
        line = skyline + 0.12 * depth + 0.05 * canvas.noise(rng, size, (2.5 + depth, 1), 3)[:1]
        below = (y > line) * 1.0
        furrows = 1 + 0.22 * np.sin(2 * np.pi * (y - line) / 0.035 + 5 * x * (depth - 1))
        picture = canvas.mix(picture, canvas.as_float(color) * furrows[..., None], below)
        slope = np.arctan(np.gradient(line[0]) * size) * 0.8 + 0.5 * (depth - 1)
        flow = np.where(below > 0, slope[None, :], flow)
    return _cypress(rng, picture, flow, tree)


def _cypress(
    rng: np.random.Generator, picture: np.ndarray, flow: np.ndarray, color: Color
) -> tuple[np.ndarray, np.ndarray]:
    """Add one flame-shaped tree whose strokes climb."""
    size = picture.shape[0]
    x, y = canvas.grid(size)
    middle, top = rng.choice([rng.uniform(0.1, 0.25), rng.uniform(0.75, 0.9)]), rng.uniform(0.12, 0.35)
    rise = np.clip((y - top) / (1 - top), 0, 1)
    sway = middle + 0.025 * np.sin(11 * y)
    inside = (np.abs(x - sway) < 0.095 * np.sin(np.pi * rise**0.7 * 0.86) + 0.008 * np.sin(40 * y) * rise) & (
        y > top
    )
    tone = canvas.as_float(color) * (1.1 + 0.5 * np.sin(70 * (x - sway)))[..., None]
    return canvas.mix(picture, tone, inside * 1.0), np.where(inside, -np.pi / 2 + 0.5 * np.sin(30 * y), flow)


def _stroke(
    rng: np.random.Generator,
    pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw],
    fields: tuple[np.ndarray, np.ndarray],
    start: np.ndarray,
    brush: tuple[float, int],
) -> None:
    """Draw one stroke that follows the flow from `start` (row, column in 0..1)."""
    scene, flow = fields
    size, side = scene.shape[0], scene.shape[0] * canvas.SUPERSAMPLING
    row, column = start
    points: list[canvas.Point] = []
    color = scene[int(row * size), int(column * size)]
    width, steps = brush
    for _ in range(int(steps * rng.uniform(0.5, 1.1))):
        points.append((column * side, row * side))
        angle = flow[int(np.clip(row * size, 0, size - 1)), int(np.clip(column * size, 0, size - 1))]
        row, column = row + 0.0065 * np.sin(angle), column + 0.0065 * np.cos(angle)
    tone = tuple(int(v) for v in np.clip(color * 255 + rng.normal(0, 13) + rng.normal(0, 9, 3), 0, 255))
    wide = max(2, int(width * side * rng.uniform(0.6, 1.15)))
    pens[0].line(points, fill=(tone[0], tone[1], tone[2]), width=wide, joint="curve")
    pens[1].line(points, fill=int(rng.integers(90, 255)), width=wide, joint="curve")
    pens[1].line(points, fill=int(rng.integers(40, 160)), width=max(1, wide // 3))
