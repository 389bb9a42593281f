"""Find out by one small query whether a board still says what it said, and keep what was made of it until then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache as kept_things
from django.db import InterfaceError, OperationalError, connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from competitions.models import BoardVersion, Phase
from competitions.rules import phase_state, phase_that_matters
from competitions.selectors.access import Viewer, visible_competitions

Made = TypeVar("Made")

KEPT_SECONDS = 60  # so long lives what somebody changes in the database by hand, past every service
_SLUG = "stands for the slug in a query that is written once"


@dataclass(frozen=True)
class BoardNow:
    """The board of a phase at this moment: what was made of the same `number` says the same."""

    phase_pk: int
    competition: str
    phase: str
    number: int


def board_now(slug: str, phase: str, viewer: Viewer) -> BoardNow | None:
    """Tell which board of a competition is asked for; without a phase that of the one that matters now.

    None: the viewer may see no such board.
    """
    rows = _phases(slug, viewer)
    if rows and not phase:
        now = timezone.now()
        states = [phase_state(row.opens_at, row.closes_at, now) for row in rows]
        phase = rows[phase_that_matters(states)].slug
    found = (row for row in rows if row.slug == phase)
    return next((BoardNow(row.pk, slug, row.slug, row.number or 0) for row in found), None)


def board_number(phase_pk: int) -> int:
    """Return the number of a phase's board, 0 before it has one."""
    return BoardVersion.objects.filter(phase=phase_pk).values_list("number", flat=True).first() or 0


def kept(kind: str, phase_pk: int, number: int, make: Callable[[], Made]) -> Made:
    """Return what was made of this very board, or make it and keep it.

    What is kept must be the same for everybody who may see the board, in every language. Of each kind there is
    one thing a phase: the next number takes its place.
    """
    place = f"board-{kind}-{phase_pk}"
    found: tuple[int, Made] | None = kept_things.get(place)
    if found is not None and found[0] == number:
        return found[1]
    made = make()
    kept_things.set(place, (number, made), KEPT_SECONDS)
    return made


class _Row(NamedTuple):
    """A phase and the number of its board."""

    pk: int
    slug: str
    opens_at: datetime
    closes_at: datetime
    number: int | None


def _phases(slug: str, viewer: Viewer) -> list[_Row]:
    """Read a competition's phases in the order in which they open."""
    if not isinstance(viewer, AnonymousUser):
        return [_Row(*row) for row in _numbered(viewer, slug).values_list(*_Row._fields)]
    sql, parameters = _sql_for_strangers()  # most requests, and all by one query
    found = [_Row(*row) for row in _answer(sql, [slug if value == _SLUG else value for value in parameters])]
    return [row._replace(opens_at=_in_utc(row.opens_at), closes_at=_in_utc(row.closes_at)) for row in found]


def _answer(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Ask the database without asking first whether it is there, which would take as long; ask again if it was not."""
    connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs do not know it
    try:
        return _fetched(sql, parameters)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _fetched(sql, parameters)


def _fetched(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


@cache
def _sql_for_strangers() -> tuple[str, tuple[Any, ...]]:
    """Write the query once: writing it takes longer than its answer."""
    return _numbered(AnonymousUser(), _SLUG).values_list(*_Row._fields).query.sql_with_params()


def _numbered(viewer: Viewer, slug: str) -> QuerySet[Phase]:
    """Ask by subqueries of one row each: the database thinks longer about a join than it needs to read."""
    seen = visible_competitions(viewer).filter(slug=slug).values("pk")
    number = BoardVersion.objects.filter(phase=OuterRef("pk")).values("number")
    return (
        Phase.objects.filter(competition=Subquery(seen))
        .annotate(number=Subquery(number))
        .order_by("opens_at")
    )


def _in_utc(moment: datetime) -> datetime:
    """SQLite tells no time zone."""
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
