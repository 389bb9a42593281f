"""Find out by one small query whether a board still says what it said, and keep what was made of it until then."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache as kept_things
from django.db.models import F, QuerySet
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
        return _board_now(rows[phase_that_matters(states)], slug)
    return next((_board_now(row, slug) for row in rows if row.slug == phase), None)


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


def _phases(slug: str, viewer: Viewer) -> list[Phase]:
    """Read a competition's phases in the order in which they open."""
    if isinstance(viewer, AnonymousUser):  # most requests, and all by one query
        sql, parameters = _sql_for_strangers()
        return list(Phase.objects.raw(sql, [slug if value == _SLUG else value for value in parameters]))
    return list(_numbered(viewer, slug))


@cache
def _sql_for_strangers() -> tuple[str, tuple[Any, ...]]:
    """Write the query once: writing it takes longer than its answer."""
    return _numbered(AnonymousUser(), _SLUG).query.sql_with_params()


def _numbered(viewer: Viewer, slug: str) -> QuerySet[Phase]:
    seen = visible_competitions(viewer).filter(slug=slug)
    phases = Phase.objects.filter(competition__in=seen).annotate(number=F("board_version__number"))
    return phases.only("slug", "opens_at", "closes_at").order_by("opens_at")


def _board_now(row: Phase, slug: str) -> BoardNow:
    number: int | None = getattr(row, "number")  # noqa: B009  # mypy knows no annotations of raw queries
    return BoardNow(row.pk, slug, row.slug, number or 0)
