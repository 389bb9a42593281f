"""Azulejos, painted tiles of Portugal: blue brushwork on white glaze, four turned tiles to a figure."""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from evaluation.demo import canvas
from evaluation.demo.canvas import Color

# glaze, dark blue, light blue, second color, joint
_PALETTES = (
    ((240, 238, 228), (26, 52, 128), (112, 150, 206), (228, 176, 56), (176, 168, 152)),
    ((238, 234, 222), (20, 64, 116), (130, 170, 200), (208, 150, 48), (168, 160, 148)),
    ((242, 238, 224), (36, 44, 120), (140, 160, 214), (90, 140, 90), (182, 172, 150)),
)


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Paint two tile designs, each mirrored to a full figure, and lay them in turn like a wall."""
    colors = canvas.pick(rng, _PALETTES)
    count = int(rng.integers(2, 4))
    quarter = size // count // 2 + 1
    figures = [_figure(rng, quarter * canvas.SUPERSAMPLING, colors) for _ in range(2)]
    side = figures[0].shape[0]
    wall = np.zeros((side * (count + 1), side * (count + 1), 3))
    for row in range(count + 1):
        for column in range(count + 1):
            tone = 1 + 0.025 * rng.normal() + 0.012 * rng.normal(size=3)
            place = (slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side))
            wall[place] = figures[(row + column) % 2] * tone
    start = rng.integers(0, side, 2)
    picture = wall[start[0] : start[0] + size, start[1] : start[1] + size]
    return canvas.close_canvas(_fire(rng, picture, colors[1]))


def _figure(rng: np.random.Generator, quarter: int, colors: tuple[Color, ...]) -> np.ndarray:
    """Paint one quarter and mirror it to four; its lower right corner becomes the center."""
    glaze, dark, light, second, joint = (canvas.as_float(color) for color in colors)
    size = quarter // canvas.SUPERSAMPLING
    picture = np.ones((size, size, 1)) * glaze
    masks = _draw_quarter(rng, quarter)
    for color, amount, mask in zip((light, second, dark), (0.9, 0.92, 0.97), masks, strict=True):
        picture = canvas.mix(picture, color, canvas.shrink(mask) * amount)
    picture[:1], picture[:, :1] = joint, joint
    half = np.concatenate([picture, picture[:, ::-1]], axis=1)
    return np.concatenate([half, half[::-1]], axis=0)


def _draw_quarter(rng: np.random.Generator, side: int) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Draw wash, accent and line of one quarter: arch around the corner, leaves from the center, flowers."""
    size = side // canvas.SUPERSAMPLING
    (wash, pen_wash), (accent, pen_accent), (line, pen_line) = (canvas.open_mask(size) for _ in range(3))
    width = max(3, side // 30)
    reach = float(rng.uniform(0.62, 0.8))
    _arch(pen_wash, pen_line, side, reach, width)
    for x, y in ((0.16, reach), (reach, 0.16)):
        aim = (side * 0.36, np.arctan2(1 - y, 1 - x) + 1.1 * (y - x))
        _leaf(pen_wash, pen_line, (side * x, side * y), aim, width)
    leaves = int(rng.integers(2, 4))
    for leaf in range(-leaves, leaves + 1):
        angle = np.pi * 1.25 + leaf * np.pi / (4.0 * leaves)
        _leaf(pen_wash, pen_line, (side, side), (side * (0.62 - 0.05 * abs(leaf)), angle), width)
    _flower(pen_accent, pen_line, (side, side), side * float(rng.uniform(0.16, 0.24)), width)
    corner = side * float(rng.uniform(0.26, 0.36))
    for share, fill in ((1.0, 255), (0.78, 0)):
        pen_line.ellipse([-corner * share] * 2 + [corner * share] * 2, fill=fill)
    pen_wash.ellipse([-corner] * 2 + [corner] * 2, fill=255)
    for petal in range(3):
        aim = (corner * 0.8, np.pi / 4 * petal)
        _leaf(pen_accent, pen_line, (0, 0), aim, width)
    return wash, accent, line


def _flower(
    accent: ImageDraw.ImageDraw, line: ImageDraw.ImageDraw, center: canvas.Point, reach: float, width: int
) -> None:
    x, y = center
    for share, pen, fill in ((1.0, line, 255), (0.82, line, 0), (0.82, accent, 255), (0.42, line, 255)):
        r = reach * share
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _arch(wash: ImageDraw.ImageDraw, line: ImageDraw.ImageDraw, side: int, reach: float, width: int) -> None:
    """Draw a quarter ring around the corner that opens into the next tile, with scallops inside."""
    outer, inner = side * reach, side * (reach - 0.17)
    for radius, pen, fill in ((outer, line, 255), (outer - width * 1.6, line, 0), (inner, line, 255)):
        pen.ellipse((-radius, -radius, radius, radius), fill=fill)
    wash.ellipse((-outer, -outer, outer, outer), fill=255)
    clear = inner - width
    for pen in (line, wash):
        pen.ellipse((-clear, -clear, clear, clear), fill=0)
    middle, bead = (outer + inner) / 2, side * 0.045
    for step in range(7):
        angle = np.pi / 2 * (step + 0.5) / 7
        x, y = middle * np.cos(angle), middle * np.sin(angle)
        line.ellipse((x - bead, y - bead, x + bead, y + bead), fill=255)


def _leaf(
    wash: ImageDraw.ImageDraw,
    line: ImageDraw.ImageDraw,
    start: canvas.Point,
    aim: tuple[float, float],
    width: int,
) -> None:
    """Draw a leaf of (length, angle): a pale blade, a dark outline and a vein."""
    length, angle = aim
    along = np.linspace(0, 1, 20)
    bulge = 0.19 * np.sin(np.pi * along**0.8)
    blade = np.concatenate([np.stack([along, bulge], axis=1), np.stack([along[::-1], -bulge[::-1]], axis=1)])
    shape = canvas.turned(blade, angle, start, length)
    wash.polygon(shape, fill=255)
    line.line([*shape, shape[0]], fill=255, width=width, joint="curve")
    line.line(
        canvas.turned(np.array([(0.1, 0.0), (0.75, 0.0)]), angle, start, length), fill=255, width=width // 2
    )


def _fire(rng: np.random.Generator, picture: np.ndarray, dark: Color) -> np.ndarray:
    """Let the blue pool and thin like watercolor, run into the glaze, and craze a little."""
    size = picture.shape[0]
    picture = canvas.unsteady(rng, picture, 0.6, 16)
    blue = np.clip(1 - picture[..., 0], 0, 1)
    pool = 1 + 0.22 * canvas.noise(rng, size, 30, 3) * blue
    soft = ndimage.gaussian_filter(picture, (size / 150, size / 150, 0))
    picture = 1 - (1 - (0.75 * picture + 0.25 * soft)) * pool[..., None]
    craze = np.abs(canvas.noise(rng, size, 12, 3)) < 0.02
    picture = canvas.mix(picture, canvas.as_float(dark), craze * 0.12)
    return np.asarray(picture * (1 + 0.02 * canvas.noise(rng, size, 5, 3))[..., None])
