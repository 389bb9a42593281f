"""Draw plots as numbers for SVG templates: pure functions from rows to places in pixels."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from competitions.selectors.leaderboards import RowView
from evaluation.statistics.comparison import Comparison

MAX_POINTS, MAX_NAMES = 200, 40
LEFT, RIGHT, TOP, BOTTOM = 44.0, 14.0, 14.0, 44.0
LETTER, LINE = 6.6, 15.0  # how much room a letter of a name takes, at 12 px
TICK_STEPS = (1, 2, 5, 10, 20)
MAX_TICKS = 8


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Point:
    """One generator: its place, the ends of its 95 % bars, and its name where there is room for it.

    `is_frontier`: no other entry has more of both scores. Baselines count only where there is nothing else.
    `is_own`: it belongs to a team of the reader.
    """

    row: RowView
    href: str
    x: float
    y: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    is_frontier: bool = False
    is_own: bool = False
    name: str = ""
    name_x: float = 0.0
    name_y: float = 0.0
    anchor: str = "start"


@dataclass(frozen=True)
class Plot:
    """Content kept against style matched; better is to the upper right."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[Point, ...]
    frontier: str
    n_left_out: int

    @property
    def has_own(self) -> bool:
        """Say whether an entry of the reader is among the points."""
        return any(point.is_own for point in self.points)

    @property
    def x_middle(self) -> float:
        """Return the middle of the horizontal axis."""
        return (self.left + self.right) / 2

    @property
    def y_middle(self) -> float:
        """Return the middle of the vertical axis."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class DifferenceBar:
    """The difference of two runs in one metric with its 95 % interval; right of 0 the first run is ahead."""

    comparison: Comparison
    at: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Return how wide the interval is."""
        return round(self.high - self.low, 1)


@dataclass(frozen=True)
class _Scale:
    """Maps scores, 0 to 100, to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Choose round numbers along the axis."""
        step = next(s for s in TICK_STEPS if (self.high - self.low) / s <= MAX_TICKS)
        first = ceil(self.low / step) * step
        return tuple(Tick(self(v), str(v)) for v in range(first, floor(self.high) + 1, step))


def frontier_of(rows: Iterable[RowView]) -> tuple[RowView, ...]:
    """Return the rows than which none keeps more content and matches more style, by content."""
    best = -1.0
    found = []
    for row in sorted(rows, key=lambda row: (-_score(row, "content"), -_score(row, "style"))):
        if _score(row, "style") > best:
            best = _score(row, "style")
            found.append(row)
    return tuple(reversed(found))


def tradeoff_plot(
    rows: Sequence[RowView],
    *,
    width: float = 860,
    height: float = 460,
    pages: Mapping[int, str] | None = None,
    own_teams: Collection[int] = (),
    has_names: bool = True,
) -> Plot | None:
    """Place the ranked rows and the baselines; None where nothing has both scores.

    Args:
        rows: a board in its order; rows that are not ranked are left out, as they are from the frontier.
        width: of the picture in pixels.
        height: of the picture in pixels.
        pages: position of a row -> what to put before the anchor of its link, for rows on another page.
        own_teams: the teams of the reader, whose entries are marked.
        has_names: write names where they cover nothing.
    """
    known = [row for row in rows if not row.unranked_reason and {"content", "style"} <= row.values.keys()]
    if not known:
        return None
    frontier = frontier_of([row for row in known if row.kind != "baseline"] or known)
    edge = {row.submission_id for row in frontier}
    beyond = [row for row in known[MAX_POINTS:] if row.submission_id in edge]
    shown = [*known[:MAX_POINTS], *beyond[:MAX_POINTS]]
    x = _Scale(*_range(shown, "content"), LEFT, width - RIGHT)
    y = _Scale(*_range(shown, "style"), height - BOTTOM, TOP)
    points = [_point(row, x, y, (pages or {}).get(row.position, "")) for row in shown]
    points = [
        replace(
            point,
            is_frontier=point.row.submission_id in edge,
            is_own=point.row.team_id in own_teams,
        )
        for point in points
    ]
    return Plot(
        width=width,
        height=height,
        left=LEFT,
        right=width - RIGHT,
        top=TOP,
        bottom=height - BOTTOM,
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        points=_named(points, width, height) if has_names else tuple(points),
        frontier=" ".join(f"{x(_score(row, 'content'))},{y(_score(row, 'style'))}" for row in frontier),
        n_left_out=len(known) - len(shown),
    )


def difference_bars(differences: Sequence[Comparison]) -> tuple[DifferenceBar, ...]:
    """Place differences of scores on one scale, from -100 to 100 with 0 for no difference."""
    ends = [abs(end) for d in differences for end in (d.difference, d.low, d.high) if end is not None]
    scale = 95 / max([*ends, 0.01])
    return tuple(
        DifferenceBar(
            comparison=d,
            at=round(scale * d.difference, 1),
            low=round(scale * (d.difference if d.low is None else d.low), 1),
            high=round(scale * (d.difference if d.high is None else d.high), 1),
        )
        for d in differences
    )


def anchor_of(row: RowView) -> str:
    """Return the id that a row has on its page."""
    return f"r-{str(row.submission_id)[:8]}"


def _score(row: RowView, metric: str) -> float:
    return 100 * row.values[metric].value


def _ends(row: RowView, metric: str) -> tuple[float, float]:
    found = row.values[metric]
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    return 100 * low, 100 * high


def _range(rows: Sequence[RowView], metric: str) -> tuple[float, float]:
    """Leave a little room around all bars, within 0 to 100."""
    ends = [_ends(row, metric) for row in rows]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    room = max(2.0, 0.05 * (high - low))
    return max(0.0, low - room), min(100.0, high + room)


def _point(row: RowView, x: _Scale, y: _Scale, page: str) -> Point:
    (x_low, x_high), (y_low, y_high) = _ends(row, "content"), _ends(row, "style")
    return Point(
        row=row,
        href=f"{page}#{anchor_of(row)}",
        x=x(_score(row, "content")),
        y=y(_score(row, "style")),
        x_low=x(x_low),
        x_high=x(x_high),
        y_low=y(y_low),
        y_high=y(y_high),
    )


def _named(points: Sequence[Point], width: float, height: float) -> tuple[Point, ...]:
    """Write names beside points, those of the frontier and of baselines first, where they cover nothing."""
    taken = [(p.x - 6, p.y - 6, p.x + 6, p.y + 6) for p in points]
    order = sorted(
        range(len(points)), key=lambda i: (not points[i].is_frontier, points[i].row.rank is not None)
    )
    made = list(points)
    for index in order[:MAX_NAMES]:
        point = points[index]
        name = point.row.name if len(point.row.name) <= 24 else f"{point.row.name[:23]}…"
        for dx, dy, anchor in ((9, -7, "start"), (9, 16, "start"), (-9, -7, "end"), (-9, 16, "end")):
            box = _box(point.x + dx, point.y + dy, name, anchor)
            is_inside = box[0] >= LEFT and box[2] <= width and box[1] >= TOP and box[3] <= height - BOTTOM
            if is_inside and not any(_meet(box, other) for other in taken):
                taken.append(box)
                made[index] = replace(
                    point, name=name, name_x=point.x + dx, name_y=point.y + dy, anchor=anchor
                )
                break
    return tuple(made)


def _box(x: float, y: float, name: str, anchor: str) -> tuple[float, float, float, float]:
    letters = sum(2 if ord(letter) > 0x2E7F else 1 for letter in name)  # Chinese characters are wide
    start = x if anchor == "start" else x - LETTER * letters
    return start, y - LINE + 4, start + LETTER * letters, y + 4


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
