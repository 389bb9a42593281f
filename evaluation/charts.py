"""The geometry of the charts of a report: where marks stand; the template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.report import Report

SIDE = 400.0  # of the plotting area, in units of the drawing
MOST_DOTS = 1000
CONTOURS = (0.2, 0.4, 0.6, 0.8)
BINS = 20


@dataclass(frozen=True)
class Dot:
    """One pair in the content-against-style chart; `text` says in words what it shows."""

    x: float
    y: float
    text: str
    is_hidden: bool


@dataclass(frozen=True)
class Contour:
    """All points of one headline value: the path, and where its label stands."""

    level: float
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class Cross:
    """Mean and 95 % intervals of C (left, right) and S (bottom, top)."""

    x: float
    y: float
    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Scatter:
    """The content-against-style chart; `total` counts the pairs, of which `dots` are drawn."""

    dots: tuple[Dot, ...]
    contours: tuple[Contour, ...]
    mean: Cross | None
    total: int


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: its place, and how many pairs lie from `low` to `high`."""

    x: float
    width: float
    height: float
    low: float
    high: float
    count: int


def plot_scatter(report: Report, style_weight: float) -> Scatter:
    """Place every valid pair by C (to the right) and S (upwards), at most 1,000, evenly chosen, with H contours."""
    hidden = {label.pair_id for label in report.labels if label.split == "hidden"}
    valid = [pair for pair in report.pairs if not pair.invalid]
    step = max(1, -(-len(valid) // MOST_DOTS))
    dots = []
    for pair in valid[::step]:
        content, style, headline = (pair.values[name] for name in ("content", "style", "headline"))
        text = f"{pair.pair_id}: C {100 * content:.1f}, S {100 * style:.1f}, H {100 * headline:.1f}"
        dots.append(Dot(_right(content), _up(style), text, pair.pair_id in hidden))
    contours = tuple(_contour(level, style_weight) for level in CONTOURS if 0 < style_weight < 1)
    return Scatter(tuple(dots), contours, _mean_cross(report), len(valid))


def plot_histogram(values: Sequence[float]) -> tuple[Bar, ...]:
    """Count values from 0 to 1 in 20 bins; the highest bar has height 1."""
    counts, edges = np.histogram(np.asarray(values, dtype=np.float64), bins=BINS, range=(0.0, 1.0))
    tallest = max(1, int(counts.max()))
    width = SIDE / BINS
    return tuple(
        Bar(k * width, width, int(count) / tallest, float(edges[k]), float(edges[k + 1]), int(count))
        for k, count in enumerate(counts)
    )


def _contour(level: float, style_weight: float) -> Contour:
    """Trace S = (H / C^(1-w))^(1/w) from where S is 1 to where C is 1."""
    first = level ** (1 / (1 - style_weight))
    contents = np.linspace(first, 1.0, 40)
    styles = np.minimum(1.0, (level / contents ** (1 - style_weight)) ** (1 / style_weight))
    points = [f"{_right(c):.1f} {_up(s):.1f}" for c, s in zip(contents, styles, strict=True)]
    return Contour(level, "M" + "L".join(points), _right(1.0), _up(float(styles[-1])))


def _mean_cross(report: Report) -> Cross | None:
    rows = {row.metric: row for row in report.rows if not row.split}
    content, style = rows.get("content"), rows.get("style")
    if content is None or style is None:
        return None
    ends = (content.low, content.high, style.low, style.high)
    left, right, bottom, top = (
        mean if end is None else end
        for end, mean in zip(ends, (content.value,) * 2 + (style.value,) * 2, strict=True)
    )
    return Cross(_right(content.value), _up(style.value), _right(left), _right(right), _up(bottom), _up(top))


def _right(value: float) -> float:
    return round(SIDE * value, 1)


def _up(value: float) -> float:
    return round(SIDE * (1 - value), 1)
