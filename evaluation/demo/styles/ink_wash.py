"""Ink-wash landscapes after Chinese shan shui: ridges that rise from mist, bamboo in front, a red seal."""

import numpy as np
from PIL import ImageDraw
from scipy import ndimage

from evaluation.demo import canvas

_PAPERS = ((238, 230, 210), (232, 226, 212), (240, 228, 200))
_INK = (34, 36, 42)
_SEAL = (178, 44, 34)


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Paint mountains back to front, each dark at its ridge and fading into mist, then the foreground."""
    paper = canvas.as_float(_PAPERS[int(rng.integers(len(_PAPERS)))])
    ink = np.zeros((size, size))
    layers = int(rng.integers(5, 7))
    for depth in range(layers):
        ink = _lay_ridge(rng, ink, depth / (layers - 1))
    ink = 1 - (1 - ink) * (1 - _bamboo(rng, size))
    bleed = np.clip(ndimage.gaussian_filter(ink, size / 180), 0, 1)
    ink = np.maximum(ink, 0.75 * bleed) * (1 + 0.10 * canvas.noise(rng, size, 40, 3))
    picture = canvas.mix(
        np.broadcast_to(paper, (size, size, 3)), canvas.as_float(_INK), np.clip(ink * 1.12, 0, 0.97)
    )
    picture = _stamp(rng, picture)
    return canvas.close_canvas(canvas.on_paper(rng, picture, 0.035))


def _lay_ridge(rng: np.random.Generator, ink: np.ndarray, nearness: float) -> np.ndarray:
    """Cover what lies behind one ridge and shade it: brush texture down the slope, mist at its foot."""
    size = ink.shape[0]
    _, y = canvas.grid(size)
    line = canvas.noise(rng, size, (1.5 + 2.5 * nearness, 1), 6)[0]
    top = 0.20 + 0.56 * nearness - 0.085 * (1.1 - 0.5 * nearness) * line
    depth = y - top[None, :]
    inside = np.clip(depth * size * 0.8 + 0.5, 0, 1)
    fade = np.exp(-np.clip(depth, 0, None) / (0.10 + 0.05 * nearness))
    strokes = canvas.displace(
        canvas.noise(rng, size, (size / 5, 7), 3),
        30 * canvas.noise(rng, size, 3, 2),
        20 * canvas.noise(rng, size, 3, 2),
    )
    edge = np.exp(-((depth * size / 2.6) ** 2)) * np.clip(0.6 + 0.5 * canvas.noise(rng, size, 10, 2), 0, 1)
    tone = (0.14 + 0.58 * nearness) * fade * np.clip(
        0.75 + 0.33 * strokes, 0.15, 1.4
    ) + 0.45 * nearness * edge
    hidden = inside * np.clip(fade * 1.6, 0, 1)
    return np.asarray(ink * (1 - hidden) + inside * np.clip(tone, 0, 1))


def _bamboo(rng: np.random.Generator, size: int) -> np.ndarray:
    """Paint a few stalks with nodes and drooping leaves along one side."""
    mask, pen = canvas.open_mask(size)
    side = mask.width
    left = bool(rng.integers(2))
    for _ in range(int(rng.integers(2, 4))):
        foot = rng.uniform(0.03, 0.26)
        x, lean = (foot if left else 1 - foot) * side, rng.normal(0, 0.05)
        y, width, dark = side * 1.02, side * rng.uniform(0.012, 0.024), int(rng.integers(120, 225))
        while y > -0.05 * side:
            length = side * rng.uniform(0.12, 0.2)
            top = (x + lean * length, y - length)
            pen.line((x, y - width * 0.4, *top), fill=dark, width=int(width))
            pen.line(
                (top[0] - width * 0.7, top[1], top[0] + width * 0.7, top[1]), fill=240, width=int(width * 0.3)
            )
            for _ in range(int(rng.integers(2, 6))):
                _leaf(rng, pen, top, side * rng.uniform(0.07, 0.15))
            x, y = top[0], top[1] - width * 0.2
    return canvas.unsteady(rng, canvas.shrink(mask), 0.8, 20) * 0.93


def _leaf(rng: np.random.Generator, pen: ImageDraw.ImageDraw, start: canvas.Point, length: float) -> None:
    blade = np.array([(0, 0), (0.25, 0.07), (0.5, 0.085), (1, 0), (0.5, -0.05), (0.25, -0.05)])
    angle = rng.normal(np.pi / 2, 0.75)
    pen.polygon(canvas.turned(blade, angle, start, length), fill=int(rng.integers(110, 250)))


def _stamp(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Press a red seal into an upper corner: a ring and ripples, deliberately no writing."""
    size = picture.shape[0]
    mask, pen = canvas.open_mask(size)
    edge = mask.width * 0.07
    x, y = mask.width * rng.uniform(0.42, 0.60), mask.width * rng.uniform(0.05, 0.12)
    pen.rounded_rectangle((x, y, x + edge, y + edge), radius=edge * 0.12, fill=255)
    for ring in (0.38, 0.22):
        box = (
            x + edge * (0.5 - ring),
            y + edge * (0.5 - ring),
            x + edge * (0.5 + ring),
            y + edge * (0.5 + ring),
        )
        pen.ellipse(box, outline=0, width=int(edge * 0.08))
    pressed = canvas.shrink(mask) * np.clip(0.85 + 0.18 * canvas.noise(rng, size, 60, 2), 0, 1)
    return canvas.mix(picture, canvas.as_float(_SEAL), np.clip(pressed, 0, 1))
