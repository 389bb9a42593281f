"""Cut long lists into pages by cursors: where the page before ended, so that new lines shift nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet

from competitions.errors import InvalidInput

Row = TypeVar("Row")
Record = TypeVar("Record", bound=Model)


@dataclass(frozen=True)
class Window:
    """Which part of a list is asked for: after a cursor, or so many lines from the beginning."""

    limit: int
    cursor: str = ""
    offset: int = 0


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A part of a list of `count` lines; `next_cursor` and `next_offset` lead to the one after it, if there is one."""

    count: int
    rows: list[Row]
    next_cursor: str | None
    next_offset: int | None


def page_of(rows: QuerySet[Record], window: Window, order: Sequence[str]) -> Page[Record]:
    """Read a page of a query in an order of fields, the last of which tells any two rows apart."""
    place = _read_cursor(window.cursor, order)
    ordered = rows.order_by(*order)
    start = 0 if place else window.offset
    wanted = ordered.filter(_after(order, place)) if place else ordered
    found = list(wanted[start : start + window.limit + 1])
    shown = found[: window.limit]
    is_last = len(found) <= window.limit
    return Page(
        count=rows.order_by().count(),
        rows=shown,
        next_cursor=None if is_last else _cursor(shown[-1], order),
        next_offset=None if is_last or place else start + window.limit,
    )


def page_of_list(rows: Sequence[Row], window: Window, name: Callable[[Row], str]) -> Page[Row]:
    """Cut a page out of a list that is in the order of its names."""
    place = _read_cursor(window.cursor, ("name",))
    rest = [row for row in rows if not place or name(row) > place[0]]
    start = 0 if place else window.offset
    shown = rest[start : start + window.limit]
    is_last = len(rest) <= start + window.limit
    return Page(
        count=len(rows),
        rows=list(shown),
        next_cursor=None if is_last else signing.dumps([name(shown[-1])], salt="name"),
        next_offset=None if is_last or place else start + window.limit,
    )


def _after(order: Sequence[str], place: Sequence[str]) -> Q:
    """Select what comes after a row with these values."""
    later = Q()
    names = [field.lstrip("-") for field in order]
    for depth, field in enumerate(order):
        same = dict(zip(names[:depth], place, strict=False))
        way = "lt" if field.startswith("-") else "gt"
        later |= Q(**same, **{f"{names[depth]}__{way}": place[depth]})
    return later


def _cursor(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, field.lstrip("-")) for field in order]
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return signing.dumps(texts, salt=",".join(order))


def _read_cursor(cursor: str, order: Sequence[str]) -> list[str]:
    """Return the values that a cursor stands for; it is signed, so they are those of a row that was shown."""
    if not cursor:
        return []
    try:
        return list(signing.loads(cursor, salt=",".join(order)))
    except signing.BadSignature as error:
        raise InvalidInput(
            "This cursor does not belong to this list.",
            fix="Take the cursor from the page before, or leave it out to begin anew.",
            fields={"cursor": "It does not belong to this list."},
        ) from error
