"""What a reader asks of a leaderboard: a slice, another weighting, a page; nothing of it moves an official rank."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from competitions.selectors.leaderboards import Estimate, Leaderboard, RowView
from competitions.selectors.reordering import Line, reordered
from competitions.slicing import AXES, SliceSize
from evaluation.statistics.slices import MIN_PAIRS

PER_PAGE = 50
WEIGHTS = (0, 25, 50, 75, 100)  # percent of style that are offered; others can be typed into the address


@dataclass(frozen=True)
class BoardView:
    """How somebody looks at a board; `note` says what of the address was not understood."""

    phase: str = ""
    axis: str = ""
    label: str = ""
    weight: int | None = None
    has_baselines: bool = True
    page: int = 1
    strip: int = 1
    note: str = ""

    @property
    def is_official(self) -> bool:
        """Tell whether rows stand in the official order."""
        return not self.axis and self.weight is None

    def link(self, **changes: object) -> str:
        """Write the address of this view with some changes; every change but a page begins at the first page."""
        view = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        query = {
            "phase": view.phase,
            "slice": f"{view.axis}:{view.label}" if view.axis else "",
            "weight": "" if view.weight is None else str(view.weight),
            "baselines": "" if view.has_baselines else "hidden",
            "strip": str(view.strip) if view.strip > 1 else "",
            "page": str(view.page) if view.page > 1 else "",
        }
        return "?" + urlencode({name: value for name, value in query.items() if value})


@dataclass(frozen=True)
class Choice:
    """A link that changes the view; without `href` it cannot be chosen, and `title` says why."""

    text: str
    href: str
    is_chosen: bool = False
    title: str = ""


def read_view(query: QueryDict, board: Leaderboard) -> BoardView:
    """Read the address; a value that makes no sense leaves the plain board and a note."""
    plain = BoardView(phase=query.get("phase", ""))
    try:
        axis, label = _read_slice(query.get("slice", ""), board)
        view = replace(
            plain,
            axis=axis,
            label=label,
            weight=_read_number(query.get("weight", ""), 0, 100),
            has_baselines=_read_switch(query.get("baselines", "")),
            page=_read_number(query.get("page", ""), 1, 10**6) or 1,
            strip=_read_number(query.get("strip", ""), 1, max(1, board.n_strips)) or 1,
        )
    except ValueError as error:
        return replace(plain, note=str(error))
    if view.axis and view.weight is not None:
        return replace(plain, note=_("A slice and a weighting of one's own cannot be combined."))
    return view


def read_strip(query: QueryDict) -> int:
    """Return which strip the address asks for, from 1; nonsense is the first one, and `read_view` says so."""
    text = query.get("strip", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def other_pairs(board: Leaderboard, view: BoardView) -> str:
    """Return the address of the same board with the next strip; empty where there is one only."""
    return view.link(strip=view.strip % board.n_strips + 1, page=view.page) if board.n_strips > 1 else ""


def ordered_lines(board: Leaderboard, view: BoardView) -> list[Line]:
    """Put the rows into the order of the view; rows that are not ranked stay at the end."""
    rows = [row for row in board.rows if view.has_baselines or row.kind != "baseline"]
    if view.is_official:
        return [Line(row) for row in rows]
    return reordered(rows, lambda row: _value_of(row, view))


def page_of(lines: Sequence[Line], view: BoardView) -> tuple[list[Line], list[Choice]]:
    """Cut out one page; the links to all pages are empty where there is one only."""
    n_pages = max(1, math.ceil(len(lines) / PER_PAGE))
    page = min(view.page, n_pages)
    links = (
        [Choice(str(n), view.link(page=n), n == page) for n in range(1, n_pages + 1)] if n_pages > 1 else []
    )
    return list(lines[(page - 1) * PER_PAGE : page * PER_PAGE]), links


def page_links(lines: Sequence[Line], view: BoardView) -> dict[int, str]:
    """Return, by position, the address of the page for the rows that stand on another one."""
    last = max(1, math.ceil(len(lines) / PER_PAGE))
    pages = {line.row.position: 1 + place // PER_PAGE for place, line in enumerate(lines)}
    here = min(view.page, last)
    return {position: view.link(page=page) for position, page in pages.items() if page != here}


def slice_choices(board: Leaderboard, view: BoardView) -> list[tuple[str, list[Choice]]]:
    """List the slices of each axis; those that are too thin cannot be chosen, and stand together at the end."""
    sizes = board.snapshot.slices if board.snapshot else {}
    names, made = axis_names(), []
    for axis in (axis for axis in AXES if axis in sizes):
        wide = {label: size for label, size in sizes[axis].items() if not size.is_thin}
        thin: dict[str, list[str]] = {}
        for label, size in sizes[axis].items():
            if size.is_thin:
                thin.setdefault(too_few(size), []).append(label)
        choices = [_slice_choice(view, axis, label, size) for label, size in wide.items()]
        made.append(
            (names[axis], [*choices, *(Choice(", ".join(ls), "", title=why) for why, ls in thin.items())])
        )
    return made


def weight_choices(board: Leaderboard, view: BoardView) -> list[Choice]:
    """List the weightings that are offered, after the official order."""
    plain = replace(view, axis="", label="")
    official = Choice(_("official score"), plain.link(weight=None), view.is_official)
    weights = sorted({*WEIGHTS} if view.weight is None else {*WEIGHTS, view.weight})
    offered = [Choice(_weight_name(w), plain.link(weight=w), w == view.weight) for w in weights]
    return [official, *offered]


def view_title(view: BoardView) -> str:
    """Name what the rows are ordered by, where it is not the official score."""
    if view.axis:
        return f"{axis_names()[view.axis]}: {view.label}"
    return "" if view.weight is None else _weight_name(view.weight)


def axis_names() -> dict[str, str]:
    """Name the axes along which a board is sliced."""
    return {
        "style_family": _("Style family"),
        "culture": _("Culture"),
        "content_kind": _("Content"),
    }


def too_few(size: SliceSize) -> str:
    """Say why a slice has no ranks: `n = 9: too few to rank`."""
    if size.n_pairs < MIN_PAIRS:
        return _("n = {n}: too few to rank").format(n=size.n_pairs)
    styles = ngettext("{n} style: too few to rank", "{n} styles: too few to rank", size.n_styles)
    return styles.format(n=size.n_styles)


def worst_slices(row: RowView, board: Leaderboard) -> list[tuple[str, str, Estimate, int]]:
    """List axis, label, headline and number of pairs of a row's slices, the worst first."""
    sizes: Mapping[str, Mapping[str, SliceSize]] = board.snapshot.slices if board.snapshot else {}
    names = axis_names()
    found = [
        (names[axis], label, estimate, sizes[axis][label].n_pairs)
        for axis, labels in row.slices.items()
        for label, estimate in labels.items()
        if axis in sizes and label in sizes[axis]
    ]
    return sorted(found, key=lambda one: (one[2].value, one[1]))


def _weight_name(percent: int) -> str:
    names = {0: _("content only"), 100: _("style only")}
    return names.get(percent) or _("style {n} %").format(n=percent)


def _slice_choice(view: BoardView, axis: str, label: str, size: SliceSize) -> Choice:
    is_chosen = (axis, label) == (view.axis, view.label)
    href = view.link(axis="", label="") if is_chosen else view.link(axis=axis, label=label, weight=None)
    return Choice(label, href, is_chosen, f"n = {size.n_pairs}")


def _read_slice(text: str, board: Leaderboard) -> tuple[str, str]:
    if not text:
        return "", ""
    axis, _colon, label = text.partition(":")
    sizes = board.snapshot.slices if board.snapshot else {}
    size = sizes.get(axis, {}).get(label)
    if size is None:
        raise ValueError(_("There is no slice “{name}” on this board.").format(name=text[:80]))
    if size.is_thin:
        raise ValueError(f"{label}: {too_few(size)}")
    return axis, label


def _read_number(text: str, low: int, high: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 8 and low <= int(text) <= high):
        raise ValueError(
            _("“{text}” is not a number from {low} to {high}.").format(text=text[:40], low=low, high=high)
        )
    return int(text)


def _read_switch(text: str) -> bool:
    if text not in ("", "hidden"):
        raise ValueError(_("“{text}” means nothing here; baselines can be hidden.").format(text=text[:40]))
    return not text


def _value_of(row: RowView, view: BoardView) -> Estimate | None:
    if view.axis:
        return row.slices.get(view.axis, {}).get(view.label)
    content, style = row.values.get("content"), row.values.get("style")
    if content is None or style is None or view.weight is None:
        return None
    share = view.weight / 100
    low, high = (_mixed(getattr(content, end), getattr(style, end), share) for end in ("low", "high"))
    value = _mixed(content.value, style.value, share)
    return None if value is None else Estimate(value, low, high)


def _mixed(content: float | None, style: float | None, share: float) -> float | None:
    """Return the geometric mean with that share of style."""
    if content is None or style is None:
        return None
    return float(max(0.0, content) ** (1 - share) * max(0.0, style) ** share)
