"""Paper cuts after Chinese jianzhi: folded red paper, opened to rosettes with crescents and saw teeth."""

import numpy as np
from PIL import ImageDraw
from scipy import ndimage

from evaluation.demo import canvas

# paper that is cut, sheet below
_PALETTES = (
    ((188, 28, 34), (246, 238, 222)),
    ((168, 24, 40), (244, 226, 190)),
    ((200, 44, 30), (238, 232, 226)),
)
_PAPER, _HOLE = 255, 0


def paint(rng: np.random.Generator, size: int) -> np.ndarray:
    """Cut a large rosette and four corner rosettes from one sheet, and lay it over another."""
    cut, below = canvas.pick(rng, _PALETTES)
    mask, pen = canvas.open_mask(size)
    side = mask.width
    pen.rectangle((0, 0, side, side), fill=_PAPER)
    folds = int(rng.choice([8, 10, 12]))
    for corner in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):
        _cut_rosette(rng, pen, (corner[0] * side, corner[1] * side), side * 0.34, 12)
    _cut_rosette(rng, pen, (side / 2, side / 2), side * 0.43, folds)
    _cut_sides(rng, pen, side)
    paper = canvas.unsteady(rng, canvas.shrink(mask), 0.7, 10)
    shadow = ndimage.shift(ndimage.gaussian_filter(paper, size / 110), size / 110, mode="nearest")
    sheet = canvas.as_float(below) * (1 - 0.30 * shadow * (1 - paper))[..., None]
    tone = canvas.as_float(cut) * (1 + 0.05 * canvas.noise(rng, size, 5, 3))[..., None]
    rim = np.clip(paper - ndimage.gaussian_filter(paper, size / 200), -0.5, 0.5)
    return canvas.close_canvas(
        canvas.on_paper(rng, canvas.mix(sheet, tone * (1 + 0.5 * rim)[..., None], paper), 0.03)
    )


def _cut_rosette(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, center: canvas.Point, reach: float, folds: int
) -> None:
    """Cut rings of one motif each, from the rim inward; the same rings on both sides of each fold."""
    x, y = center
    pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_HOLE)
    inside = reach * 0.97
    pen.ellipse((x - inside, y - inside, x + inside, y + inside), fill=_PAPER)
    radius, step = reach * 0.83, 0
    motifs = list(_MOTIFS)
    rng.shuffle(motifs)
    while radius > reach * 0.18:
        motif, narrow = motifs[step % len(motifs)]
        count = folds * max(1, round(2 * np.pi * radius / (folds * reach * 0.30 * narrow)))
        width = min(2 * np.pi * radius / (count * narrow), reach * 0.36)
        for turn in range(count):
            angle = 2 * np.pi * (turn + 0.5 * (step % 2)) / count
            place = (x + radius * np.cos(angle), y + radius * np.sin(angle))
            for shape, color in motif:
                pen.polygon(canvas.turned(shape, angle, place, width), fill=color)
        radius -= width * 0.80
        step += 1
    pen.ellipse((x - reach * 0.07, y - reach * 0.07, x + reach * 0.07, y + reach * 0.07), fill=_HOLE)


def _cut_sides(rng: np.random.Generator, pen: ImageDraw.ImageDraw, side: int) -> None:
    """Cut a spray of crescents into the gap at the middle of each side."""
    for quarter in range(4):
        angle = quarter * np.pi / 2
        middle = (side / 2 + side * 0.475 * np.cos(angle), side / 2 + side * 0.475 * np.sin(angle))
        for leaf in np.linspace(-1.0, 1.0, 5):
            for shape, color in _TEARDROP:
                pen.polygon(canvas.turned(shape, angle + np.pi / 2 * leaf, middle, side * 0.055), fill=color)


def _arc(radius: float, start: float, end: float, shift: float = 0.0) -> list[canvas.Point]:
    angles = np.linspace(start, end, 18)
    return [(float(shift + radius * np.cos(a)), float(radius * np.sin(a))) for a in angles]


Motif = list[tuple[np.ndarray, int]]

_OVAL = np.array(_arc(0.5, 0, 2 * np.pi))
_TEARDROP: Motif = [
    (np.array([(0.55, 0.0), *_arc(0.28, 0.9, 2 * np.pi - 0.9, -0.18)]), _HOLE),
    (_OVAL * 0.30 + (-0.18, 0.0), _PAPER),
]
_CRESCENT: Motif = [
    (np.array(_arc(0.48, -1.6, 1.6) + _arc(0.46, 1.35, -1.35, -0.2)), _HOLE),
    (_OVAL * 0.42 + (-0.16, 0.0), _HOLE),
]
_DIAMOND: Motif = [
    (np.array([(0.5, 0.0), (0.0, 0.34), (-0.5, 0.0), (0.0, -0.34)]), _HOLE),
    (np.array([(0.3, 0.0), (0.0, 0.2), (-0.3, 0.0), (0.0, -0.2)]), _PAPER),
    (_OVAL * 0.16, _HOLE),
]
_TEETH: Motif = [
    (np.array([(0.5, 0.0), (-0.1, 0.32), (-0.1, -0.32)]), _HOLE),
    (np.array([(-0.18, 0.34), (-0.4, 0.34), (-0.4, -0.34), (-0.18, -0.34)]), _HOLE),
]
_PETAL: Motif = [
    (np.array([(-0.5, 0.0), (-0.1, 0.27), (0.25, 0.24), (0.5, 0.0), (0.25, -0.24), (-0.1, -0.27)]), _HOLE),
    (np.array([(-0.3, 0.0), (0.0, 0.07), (0.4, 0.0), (0.0, -0.07)]), _PAPER),
]
# each motif, and the distance to its neighbor in widths
_MOTIFS = ((_TEARDROP, 0.62), (_CRESCENT, 1.0), (_DIAMOND, 0.74), (_TEETH, 0.72), (_PETAL, 0.62))
