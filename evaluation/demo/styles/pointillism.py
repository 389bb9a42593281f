"""Pointillism after the French Neo-Impressionists: a shore in thousands of dots of unmixed color."""

import numpy as np
from PIL import ImageDraw

from evaluation.demo import canvas
from evaluation.demo.canvas import Color

# sky high, sky low, sea, sail, meadow, tree, shade under the tree, path
_PALETTES = (
    (
        (92, 136, 190),
        (246, 222, 176),
        (62, 124, 168),
        (250, 240, 214),
        (150, 172, 70),
        (46, 104, 70),
        (60, 62, 120),
        (228, 178, 116),
    ),
    (
        (134, 120, 180),
        (250, 196, 130),
        (108, 120, 176),
        (255, 226, 160),
        (186, 150, 66),
        (88, 100, 56),
        (84, 50, 98),
        (224, 140, 96),
    ),
    (
        (110, 166, 186),
        (250, 236, 206),
        (58, 150, 160),
        (255, 248, 230),
        (170, 184, 92),
        (40, 110, 96),
        (50, 72, 130),
        (240, 200, 140),
    ),
)
_LAYERS = ((2600, 0.0120, 18.0), (5200, 0.0082, 26.0), (5200, 0.0060, 34.0))


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Dot the canvas in three layers, large to small; every fifth dot takes the complementary hue."""
    scene = _scene(rng, size, canvas.pick(rng, _PALETTES))
    image, pen = canvas.open_canvas(size, (226, 214, 190))
    for count, radius, spread in _LAYERS:
        _dot_layer(rng, pen, scene, image.width, (count, radius, spread))
    picture = canvas.on_cloth(rng, canvas.shrink(image), 0.025, 100)
    return canvas.close_canvas(picture)


def _dot_layer(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    scene: np.ndarray,
    side: int,
    layer: tuple[int, float, float],
) -> None:
    count, radius, spread = layer
    size = scene.shape[0]
    cells = int(np.ceil(np.sqrt(count)))
    for index in rng.permutation(cells * cells):
        place = (np.array(divmod(int(index), cells)) + rng.uniform(-0.25, 1.25, 2)) / cells
        row, column = np.clip((place * size).astype(int), 0, size - 1)
        color = scene[row, column] * 255
        if rng.random() < 0.18:
            color = color.mean() + (color.mean() - color) * 0.9
        red, green, blue = np.clip(color + rng.normal(0, spread, 3), 0, 255).astype(int)
        reach = radius * side * rng.uniform(0.75, 1.2)
        y, x = place * side
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(int(red), int(green), int(blue)))


def _scene(rng: np.random.Generator, size: int, colors: tuple[Color, ...]) -> np.ndarray:
    """Compose sky, sea with sails and light, meadow with a path, and a tree with its shade."""
    high, low, sea, sail, meadow, tree, shade, path = colors
    x, y = canvas.grid(size)
    horizon, shore = rng.uniform(0.38, 0.48), rng.uniform(0.60, 0.70)
    picture = canvas.blend_stops(y, [(0, high), (horizon, low), (1, low)])
    picture += 0.06 * np.clip(canvas.noise(rng, size, (3, 9), 3), 0, 2)[..., None]
    glitter = canvas.noise(rng, size, (5, 40), 2)[..., None]
    water = canvas.as_float(sea) * (1 + 0.14 * glitter)
    picture = canvas.mix(picture, water, (y > horizon) * 1.0)
    sun = rng.uniform(0.25, 0.75)
    gleam = (
        np.exp(-(((x - sun) / (0.05 + 0.2 * (y - horizon))) ** 2)) * (y > horizon) * (glitter[..., 0] > -0.2)
    )
    picture = canvas.mix(picture, canvas.as_float(low), gleam * 0.8)
    for _ in range(int(rng.integers(2, 5))):
        mast, foot, tall = rng.uniform(0.05, 0.95), horizon + rng.uniform(0.02, 0.10), rng.uniform(0.08, 0.20)
        inside = (y < foot) & (y > foot - tall) & (x > mast) & (x - mast < 0.45 * (y - foot + tall))
        picture = canvas.mix(picture, canvas.as_float(sail), inside * 1.0)
    bank = shore + 0.07 * np.sin(3.1 * x + rng.uniform(0, 6)) + 0.01 * canvas.noise(rng, size, (9, 1), 3)[:1]
    ground = canvas.as_float(meadow) * (1 + 0.12 * canvas.noise(rng, size, (6, 14), 3))[..., None]
    bend = rng.uniform(0.3, 0.7) + 0.5 * (y - bank) * np.sin(6 * y + rng.uniform(0, 6))
    ground = canvas.mix(ground, canvas.as_float(path), (np.abs(x - bend) < 0.25 * (y - bank)) * 1.0)
    picture = canvas.mix(picture, ground, (y > bank) * 1.0)
    return _tree(rng, picture, (tree, shade))


def _tree(rng: np.random.Generator, picture: np.ndarray, colors: tuple[Color, ...]) -> np.ndarray:
    tree, shade = colors
    size = picture.shape[0]
    x, y = canvas.grid(size)
    middle = rng.choice([rng.uniform(0.1, 0.25), rng.uniform(0.75, 0.9)])
    crown_y, reach = rng.uniform(0.28, 0.36), rng.uniform(0.2, 0.27)
    lumps = canvas.noise(rng, size, 9, 3)
    cast = np.hypot((x - middle + 0.08) / 1.7, (y - 0.84) * 3.2) < reach
    picture = canvas.mix(picture, canvas.as_float(shade), cast * 0.75)
    trunk = (np.abs(x - middle - 0.02 * np.sin(9 * y)) < 0.022) & (y > crown_y) & (y < 0.85)
    picture = canvas.mix(picture, canvas.as_float(shade), trunk * 1.0)
    crown = np.hypot(x - middle, (y - crown_y) * 0.95) + 0.022 * lumps < reach
    light = np.clip(0.5 + 1.6 * (crown_y - y) + 1.2 * (middle - x) + 0.25 * lumps, 0, 1)
    leaves = canvas.mix(
        np.broadcast_to(canvas.as_float(shade), picture.shape), canvas.as_float(tree) * 1.25, light
    )
    return canvas.mix(picture, leaves, crown * 1.0)
