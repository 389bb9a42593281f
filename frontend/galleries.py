"""What a reader asks of the released pairs: which of them, in whose pictures, and which two side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from competitions.selectors.competitions import PairView
from competitions.selectors.galleries import ReleasedPair
from competitions.selectors.leaderboards import RowView
from competitions.slicing import AXES
from frontend.boards import Choice, axis_names

PER_PAGE = 24  # outputs on the page of a pair
MAX_CELLS = 240  # pictures on one page of the grid
MAX_COLUMNS = 24  # more styles than that are a list and not a grid
MIN_FILLED = 0.3  # share of the cells that hold a pair; below, a grid is mostly holes
MAKERS = 12  # generators that the gallery offers by name; every row of the board leads here too
ORIGINALS = ("content", "style")


@dataclass(frozen=True)
class Sheet:
    """What of the gallery is shown; `note` says what of the address was not understood."""

    phase: str = ""
    maker: RowView | None = None
    facets: Mapping[str, str] = field(default_factory=dict)
    page: int = 1
    note: str = ""

    def link(self, **changes: object) -> str:
        """Write the address of this sheet with some changes."""
        sheet = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        query = {"phase": sheet.phase, "by": str(sheet.maker.submission_id) if sheet.maker else ""}
        query |= {axis: sheet.facets.get(axis, "") for axis in AXES}
        query["page"] = str(sheet.page) if sheet.page > 1 else ""
        return _address(query)


@dataclass(frozen=True)
class Grid:
    """Pairs by content image (rows) and style image (columns); `is_list`: too few cells would be filled.

    A row is the pair that its content image is taken from, and one cell per column, None where there is no pair.
    """

    columns: tuple[PairView, ...]
    rows: tuple[tuple[PairView, tuple[PairView | None, ...]], ...]
    pairs: tuple[PairView, ...]
    is_list: bool
    pages: tuple[Choice, ...]


@dataclass(frozen=True)
class PairQuery:
    """Two pictures to compare, each `content`, `style` or the key of a submission, and the page of outputs."""

    a: str
    b: str
    phase: str = ""
    page: int = 1
    note: str = ""

    def link(self, **changes: object) -> str:
        """Write the address of this view with some changes."""
        query = replace(self, **changes)  # type: ignore[arg-type]
        page = str(query.page) if query.page > 1 else ""
        return _address({"phase": query.phase, "a": query.a, "b": query.b, "page": page})


@dataclass(frozen=True)
class Side:
    """One of the two pictures: an original, or the output of a row."""

    key: str
    name: str
    row: RowView | None


def read_sheet(query: QueryDict, rows: Sequence[RowView], pairs: Sequence[ReleasedPair]) -> Sheet:
    """Read the address of the gallery; a value that makes no sense leaves all pairs and a note."""
    phase = query.get("phase", "")
    leader = next((row for row in rows if row.rank is not None), None) or next(iter(rows), None)
    plain = Sheet(phase, leader)
    by, number = query.get("by", ""), query.get("page", "")
    maker, page = _find_row(by, rows) if by else leader, _read_page(number)
    facets = {axis: value for axis in AXES if (value := query.get(axis, ""))}
    unknown = [v for axis, v in facets.items() if v not in {getattr(p.view, axis) for p in pairs}]
    if by and maker is None:
        unknown.append(by)
    if page is None:
        unknown.append(number)
    if unknown:
        return replace(plain, note=_nothing_known(unknown[0]))
    return Sheet(phase, maker, facets, page or 1)


def shown_pairs(pairs: Sequence[ReleasedPair], sheet: Sheet) -> list[ReleasedPair]:
    """Choose the pairs with the labels that the sheet asks for."""
    return [p for p in pairs if all(getattr(p.view, axis) == value for axis, value in sheet.facets.items())]


def grid_of(pairs: Sequence[ReleasedPair], sheet: Sheet) -> Grid:
    """Put pairs into rows and columns, or into a list where a grid would be mostly holes; and cut out a page."""
    styles, contents = _first_of(pairs, "style"), _first_of(pairs, "content")
    cells = {(pair.content, pair.style): pair.view for pair in pairs}
    n_cells = len(styles) * len(contents)
    is_list = not pairs or len(styles) > MAX_COLUMNS or len(pairs) < MIN_FILLED * n_cells
    per_page = MAX_CELLS // 3 if is_list else max(1, MAX_CELLS // max(1, len(styles)))
    n_pages = max(1, -(-(len(pairs) if is_list else len(contents)) // per_page))
    page = min(sheet.page, n_pages)
    part = slice((page - 1) * per_page, page * per_page)
    rows = [
        (view, tuple(cells.get((content, style)) for style in styles)) for content, view in contents.items()
    ]
    return Grid(
        columns=tuple(styles.values()),
        rows=() if is_list else tuple(rows[part]),
        pairs=tuple(pair.view for pair in pairs[part]) if is_list else (),
        is_list=is_list,
        pages=_pages(sheet, page, n_pages),
    )


def maker_choices(board: Sequence[RowView], sheet: Sheet) -> list[Choice]:
    """List the first generators of the board, and the chosen one wherever it stands."""
    rows = list(board[:MAKERS])
    if sheet.maker and sheet.maker not in rows:
        rows.append(sheet.maker)
    return [Choice(row.name, sheet.link(maker=row), row == sheet.maker) for row in rows]


def facet_choices(pairs: Sequence[ReleasedPair], sheet: Sheet) -> list[tuple[str, list[Choice]]]:
    """List the labels by which pairs can be chosen; an axis with one label is no choice."""
    names, made = axis_names(), []
    for axis in AXES:
        labels = sorted({getattr(pair.view, axis) for pair in pairs})
        if len(labels) < 2:
            continue
        others = {name: value for name, value in sheet.facets.items() if name != axis}
        every = Choice(_("all"), sheet.link(facets=others), axis not in sheet.facets)
        some = [
            Choice(label, sheet.link(facets=others | {axis: label}), sheet.facets.get(axis) == label)
            for label in labels
        ]
        made.append((names[axis], [every, *some]))
    return made


def read_pair_query(query: QueryDict, rows: Sequence[RowView]) -> PairQuery:
    """Read which two pictures to compare: by default the first output with the content image."""
    phase = query.get("phase", "")
    first = str(rows[0].submission_id) if rows else "style"
    plain = PairQuery(first, "content", phase)
    number = query.get("page", "")
    page = _read_page(number)
    a, b = query.get("a") or plain.a, query.get("b") or plain.b
    unknown = [key for key in (a, b) if key not in ORIGINALS and _find_row(key, rows) is None]
    if page is None or (page > 1 and (page - 1) * PER_PAGE >= len(rows)):
        unknown.append(number)
    if unknown:
        return replace(plain, note=_nothing_known(unknown[0]))
    return PairQuery(a, b, phase, page or 1)


def side_of(key: str, rows: Sequence[RowView]) -> Side:
    """Return the picture with that key, which the query has been checked for."""
    row = _find_row(key, rows)
    if row is not None:
        return Side(key, row.name, row)
    return Side(key, _("content image") if key == "content" else _("style image"), None)


def _find_row(key: str, rows: Sequence[RowView]) -> RowView | None:
    return next((row for row in rows if str(row.submission_id) == key), None)


def _first_of(pairs: Sequence[ReleasedPair], side: str) -> dict[int, PairView]:
    """Return each image of that side with the first pair that has it, sorted by their labels."""
    found: dict[int, PairView] = {}
    for pair in pairs:
        found.setdefault(getattr(pair, side), pair.view)
    label = "style_family" if side == "style" else "content_kind"
    return dict(sorted(found.items(), key=lambda one: (getattr(one[1], label), one[1].name)))


def _pages(sheet: Sheet, page: int, n_pages: int) -> tuple[Choice, ...]:
    if n_pages == 1:
        return ()
    return tuple(Choice(str(n), sheet.link(page=n), n == page) for n in range(1, n_pages + 1))


def _read_page(text: str) -> int | None:
    """Return the number of a page, 0 where none is asked for, None for nonsense."""
    if not text:
        return 0
    is_number = text.isascii() and text.isdigit() and len(text) < 7
    return int(text) if is_number and int(text) > 0 else None


def _nothing_known(text: str) -> str:
    return _("“{text}” means nothing here.").format(text=text[:80])


def _address(query: Mapping[str, str]) -> str:
    return "?" + urlencode({name: value for name, value in query.items() if value})
