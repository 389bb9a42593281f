"""What the painters share: a supersampled canvas, noise, irregular hands and surfaces such as paper."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

Color = tuple[int, int, int]
Point = tuple[float, float]

SUPERSAMPLING = 4
_HAND_MADE = 0.35


def open_canvas(size: int, color: Color) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Open a canvas of four times the final side, filled with one color, and its pen."""
    side = size * SUPERSAMPLING
    image = Image.new("RGB", (side, side), color)
    return image, ImageDraw.Draw(image)


def open_mask(size: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Open an empty mask of four times the final side, and its pen."""
    side = size * SUPERSAMPLING
    image = Image.new("L", (side, side), 0)
    return image, ImageDraw.Draw(image)


def shrink(image: Image.Image) -> np.ndarray:
    """Average blocks of 4 x 4 pixels: float64 of shape (H, W, 3), or (H, W) for a mask, range 0..1."""
    return np.asarray(image.reduce(SUPERSAMPLING), dtype=np.float64) / 255.0


def close_canvas(picture: np.ndarray) -> np.ndarray:
    """Round floats in 0..1 to a uint8 picture; values outside are clipped."""
    return np.asarray(np.rint(np.clip(picture, 0.0, 1.0) * 255.0), dtype=np.uint8)


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of every pixel center, each of shape (size, size), range 0..1."""
    axis = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(axis, axis)
    return x, y


def as_float(color: Color) -> np.ndarray:
    """Return a color as three floats in 0..1."""
    return np.array(color, dtype=np.float64) / 255.0


def vary(rng: np.random.Generator, color: Color, amount: float) -> Color:
    """Draw a color near `color`: mostly lighter or darker by about `amount` levels, a little in hue."""
    shift = rng.normal(0.0, amount) + rng.normal(0.0, amount / 3, 3)
    red, green, blue = (int(np.clip(value, 0, 255)) for value in np.array(color) + shift)
    return red, green, blue


def pick(rng: np.random.Generator, options: Sequence[tuple[Color, ...]]) -> tuple[Color, ...]:
    """Draw one palette."""
    return options[int(rng.integers(len(options)))]


def mix(below: np.ndarray, above: np.ndarray, alpha: np.ndarray | float) -> np.ndarray:
    """Lay `above` over `below`; alpha is a number or has shape (H, W), range 0..1."""
    weight = np.asarray(alpha)[..., None] if np.ndim(alpha) == 2 else alpha
    return np.asarray(below * (1.0 - weight) + above * weight)


def blend_stops(position: np.ndarray, stops: Iterable[tuple[float, Color]]) -> np.ndarray:
    """Color each position (0..1) from a list of (position, color) by linear interpolation."""
    places, colors = zip(*stops, strict=True)
    table = np.array(colors, dtype=np.float64) / 255.0
    return np.stack([np.interp(position, places, table[:, channel]) for channel in range(3)], axis=-1)


def noise(
    rng: np.random.Generator, size: int, cells: float | tuple[float, float], octaves: int = 4
) -> np.ndarray:
    """Paint smooth random clouds, shape (size, size), mean about 0, standard deviation 1.

    `cells` is the number of lumps across the picture, or (across, down) for streaks.
    """
    across, down = cells if isinstance(cells, tuple) else (cells, cells)
    total = np.zeros((size, size))
    for octave in range(octaves):
        shape = tuple(min(size, max(2, round(count * 2**octave) + 1)) for count in (down, across))
        coarse = Image.fromarray(rng.normal(size=shape).astype(np.float32))
        total += np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)) * 0.5**octave
    return np.asarray((total - total.mean()) / (total.std() + 1e-9))


def displace(picture: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Shift every pixel by (dx, dy), given in pixels, with mirrored borders."""
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float64)
    where = np.stack([rows + dy, columns + dx])
    planes = np.atleast_3d(picture)
    moved = [
        ndimage.map_coordinates(planes[..., channel], where, order=1, mode="mirror")
        for channel in range(planes.shape[2])
    ]
    return np.stack(moved, axis=-1).reshape(picture.shape)


def unsteady(rng: np.random.Generator, picture: np.ndarray, amount: float, cells: float = 9) -> np.ndarray:
    """Make straight lines look drawn by hand: displace by clouds of about `amount` 256ths of the side."""
    size = picture.shape[0]
    scale = amount * size / 256.0
    return displace(picture, noise(rng, size, cells, 3) * scale, noise(rng, size, cells, 3) * scale)


def on_paper(rng: np.random.Generator, picture: np.ndarray, strength: float = 0.03) -> np.ndarray:
    """Give the picture the tooth of paper: fine grain, long fibers and faint clouds."""
    size = picture.shape[0]
    tooth = ndimage.gaussian_filter(rng.normal(size=(size, size)), 0.6)
    fibers = noise(rng, size, (size / 24, size / 3), 2)
    clouds = noise(rng, size, 3, 3)
    light = 1.0 + strength * (1.4 * tooth + 0.5 * fibers + 0.5 * clouds)
    return np.asarray(picture * light[..., None])


def on_cloth(
    rng: np.random.Generator, picture: np.ndarray, strength: float = 0.06, threads: int = 96
) -> np.ndarray:
    """Give the picture a plain weave of `threads` threads across, each of its own lightness."""
    size = picture.shape[0]
    x, y = grid(size)
    over = np.sin(np.pi * threads * x) * np.sin(np.pi * threads * y)
    index = np.arange(size) * threads // size
    warp, weft = rng.normal(size=threads)[index], rng.normal(size=threads)[index]
    light = 1.0 + strength * (over + _HAND_MADE * (warp[None, :] + weft[:, None]))
    light += strength * 0.5 * ndimage.gaussian_filter(rng.normal(size=(size, size)), 0.7)
    return np.asarray(picture * light[..., None])


def emboss(picture: np.ndarray, height: np.ndarray, strength: float) -> np.ndarray:
    """Light a relief from the upper left; `height` has shape (H, W), any unit."""
    slope = ndimage.sobel(height, axis=0) + ndimage.sobel(height, axis=1)
    light = 1.0 + strength * np.tanh(slope / (2.0 * slope.std() + 1e-9))
    return np.asarray(picture * light[..., None])


def turned(points: np.ndarray, angle: float, center: Point, scale: float = 1.0) -> list[Point]:
    """Turn points of shape (n, 2) by `angle` radians, scale them and move them to `center`."""
    cosine, sine = np.cos(angle), np.sin(angle)
    moved = points @ np.array([[cosine, sine], [-sine, cosine]]) * scale + np.array(center)
    return [(float(x), float(y)) for x, y in moved]
