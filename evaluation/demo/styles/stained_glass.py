"""Stained glass after Gothic rose windows: petals of colored glass in lead, lit from behind."""

import numpy as np
from PIL import ImageDraw
from scipy import ndimage

from evaluation.demo import canvas
from evaluation.demo.canvas import Color, Point

# cobalt, ruby, gold, emerald, violet, pale
_PALETTES = (
    ((22, 56, 150), (170, 20, 40), (236, 170, 40), (20, 110, 80), (92, 36, 120), (150, 190, 210)),
    ((16, 84, 140), (190, 44, 30), (240, 196, 84), (44, 120, 60), (50, 40, 120), (206, 196, 160)),
    ((40, 40, 130), (150, 16, 70), (230, 150, 60), (16, 120, 120), (120, 44, 110), (170, 200, 190)),
)
_LEAD = (22, 20, 24)


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Lead a rose of petal rings over a field of quarries, then shine uneven light through."""
    colors = canvas.pick(rng, _PALETTES)
    image, pen = canvas.open_canvas(size, _LEAD)
    side = image.width
    center = (side * rng.uniform(0.4, 0.6), side * rng.uniform(0.4, 0.6))
    _draw_field(rng, pen, side, colors)
    _draw_rose(rng, pen, (center, side * rng.uniform(0.42, 0.5)), colors)
    glass = canvas.unsteady(rng, canvas.shrink(image), 0.9, 10)
    x, y = canvas.grid(size)
    streaks = canvas.displace(canvas.noise(rng, size, (30, 6), 3), 18 * canvas.noise(rng, size, 4, 2), 0 * x)
    distance = np.hypot(x - center[0] / side, y - center[1] / side)
    light = (1.12 - 0.62 * distance) * (1 + 0.10 * streaks + 0.07 * canvas.noise(rng, size, 3, 3))
    lit = glass * light[..., None]
    lead = np.clip(1 - glass.max(axis=-1) * 4, 0, 1)
    glow = ndimage.gaussian_filter(lit, (size / 64, size / 64, 0)) * 0.30
    picture = canvas.mix(lit + glow * 0.9, canvas.as_float(_LEAD) + glow * 0.25, lead)
    return canvas.close_canvas(canvas.emboss(picture, ndimage.gaussian_filter(lead, 0.8), 0.10))


def _draw_field(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, side: int, colors: tuple[Color, ...]
) -> None:
    """Fill the background with small diamond quarries of one or two hues."""
    first, second = rng.permutation(len(colors) - 1)[:2]
    step = side / 11
    for row in range(-1, 24):
        for column in range(-1, 13):
            x, y = (column + 0.5 * (row % 2)) * step, row * step / 2
            hue = colors[first if (row % 4) < 3 else second]
            reach = step * 0.46
            points = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
            pen.polygon(points, fill=canvas.vary(rng, hue, 16))


def _draw_rose(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, place: tuple[Point, float], colors: tuple[Color, ...]
) -> None:
    """Draw rings of panes, petals and roundels from the rim inward."""
    (x, y), reach = place
    pen.ellipse((x - reach * 1.04, y - reach * 1.04, x + reach * 1.04, y + reach * 1.04), fill=_LEAD)
    petals = int(rng.choice([8, 10, 12]))
    hues = [colors[i] for i in rng.permutation(len(colors))]
    rings = ((1.0, 0.90, 3 * petals), (0.88, 0.47, petals), (0.45, 0.37, 2 * petals), (0.35, 0.12, petals))
    for ring, (outer, inner, count) in enumerate(rings):
        for pane in range(count):
            angle = 2 * np.pi * (pane + 0.5 * (ring == 3)) / count
            hue = hues[(ring + pane % 2 * 2) % len(hues)]
            shape = _pane(reach * inner, reach * outer, np.pi / count)
            pen.polygon(canvas.turned(shape, angle, (x, y)), fill=canvas.vary(rng, hue, 12))
            if ring % 2:
                fill = (hues[(ring + 1) % 6], hues[(ring + 4 - pane % 2) % 6])
                _draw_petal(rng, pen, ((x, y), reach * outer, reach * inner, np.pi / count, angle), fill)
    core = reach * 0.105
    pen.ellipse((x - core, y - core, x + core, y + core), fill=canvas.vary(rng, hues[2], 10))


def _pane(inner: float, outer: float, half: float) -> np.ndarray:
    """Return one sector of a ring around the x axis, less the lead between panes."""
    outside = np.linspace(-half, half, 16) * (1 - 0.012 * outer / (outer * half))
    inside = outside[::-1] * 0.97
    return np.array(
        [(outer * np.cos(a), outer * np.sin(a)) for a in outside]
        + [(inner * np.cos(a), inner * np.sin(a)) for a in inside]
    )


def _draw_petal(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    place: tuple[Point, float, float, float, float],
    hues: tuple[Color, Color],
) -> None:
    """Draw a petal of three lights into one pane: a pointed border around a smaller petal, and a roundel."""
    center, outer, inner, half, angle = place
    length = (outer - inner) * 0.97
    along = np.linspace(0, 1, 24)
    swell = np.sin(np.pi * along**1.5) ** 0.8 * (inner + length * 0.68) * np.tan(half) * 0.86
    for share, color in ((1.0, _LEAD), (0.90, hues[0]), (0.62, _LEAD), (0.53, hues[1])):
        x = inner + length * (0.62 + (along - 0.62) * share)
        upper = np.stack([x, swell * share], axis=1)
        petal = np.concatenate([upper, upper[::-1] * (1, -1)])
        fill = color if color is _LEAD else canvas.vary(rng, color, 12)
        pen.polygon(canvas.turned(petal, angle, center), fill=fill)
    seam = canvas.turned(np.array([(inner, 0.0), (inner + length * 0.30, 0.0)]), angle, center)
    pen.line(seam, fill=_LEAD, width=max(2, int(outer / 60)))
