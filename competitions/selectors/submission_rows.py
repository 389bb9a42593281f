"""Read the rows that views of submissions are made of: one submission by one query, lists by a few."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from competitions.models import Disqualification, ImagePair, Run, RunEvent, RunOutput, Submission
from competitions.rules import RunState
from competitions.selectors.access import (
    Viewer,
    managed_submissions,
    organized_competitions,
    visible_submissions,
)
from competitions.selectors.queue import place_in_queue, queue_length

Event = tuple[str, datetime, str]  # the state that began, when, and what about it

# What belongs to one submission and its runs, and has one row at most.
_JOINED = (
    *("submission__phase__competition", "submission__team", "submission__archive"),
    *("submission__final_choice", "quota_entry"),
)


@dataclass(frozen=True)
class Rows:
    """A submission, its runs with the latest first, and their events in order.

    `places` are queued runs -> place and length of the queue; `n_outputs` are runs -> pictures of public pairs.
    Both are read for a single submission only.
    """

    submission: Submission
    runs: tuple[Run, ...]
    events: Mapping[UUID, tuple[Event, ...]]
    disqualified_for: str
    can_manage: bool
    is_organizer: bool = False
    places: Mapping[UUID, tuple[int, int]] = field(default_factory=dict)
    n_outputs: Mapping[UUID, int] = field(default_factory=dict)


def read_submission(submission_id: UUID, viewer: Viewer) -> Rows | None:
    """Read a submission with everything by one query, each run once for each of its events.

    None: there is no such submission, or the viewer may not see it.
    """
    visible = visible_submissions(viewer, only=submission_id)
    runs = Run.objects.filter(submission=submission_id, submission__in=visible.values("pk"))
    found: list[Any] = list(  # runs, each with what is asked along
        runs.select_related(*_JOINED)
        .annotate(**_asked_along(viewer))
        .order_by("-queued_at", "-sequence", "events__sequence")
    )
    if not found:
        return None
    first, once = found[0], {run.pk: run for run in found}
    events: dict[UUID, tuple[Event, ...]] = dict.fromkeys(once, ())
    for run in found:
        if run.event_state is not None:
            events[run.pk] += ((run.event_state, run.event_at, run.event_detail),)
    return Rows(
        submission=first.submission,
        runs=tuple(once.values()),
        events=events,
        disqualified_for=first.standing_reason or "",
        can_manage=first.is_managed,
        is_organizer=first.is_organized,
        places={run.pk: (run.place, run.length) for run in once.values() if run.place is not None},
        n_outputs={run.pk: run.n_outputs or 0 for run in once.values()},
    )


def read_submissions(submissions: QuerySet[Submission]) -> list[Rows]:
    """Read submissions that the viewer manages, the newest first."""
    runs = (
        Run.objects.select_related("quota_entry")
        .order_by("-queued_at", "-sequence")
        .prefetch_related(Prefetch("events", RunEvent.objects.order_by("sequence")))
    )
    found = (
        Submission.objects.filter(pk__in=submissions.values("pk"))
        .select_related("phase__competition", "team", "archive", "final_choice")
        .prefetch_related(Prefetch("runs", runs))
        .annotate(standing_reason=_standing_reason("pk"))
        .order_by("-created_at", "-pk")
    )
    return [
        Rows(
            submission=row,
            runs=tuple(row.runs.all()),
            events={run.pk: tuple(_events(run.events.all())) for run in row.runs.all()},
            disqualified_for=row.standing_reason or "",
            can_manage=True,
        )
        for row in found
    ]


def _asked_along(viewer: Viewer) -> dict[str, object]:
    """Name what the database tells about each run besides its row."""
    submission, competition = OuterRef("submission"), OuterRef("submission__phase__competition")
    return {
        "event_state": F("events__to_state"),
        "event_at": F("events__created_at"),
        "event_detail": F("events__detail"),
        "is_managed": Exists(managed_submissions(viewer).filter(pk=submission)),
        "is_organized": Exists(organized_competitions(viewer).filter(pk=competition)),
        "standing_reason": _standing_reason("submission"),
        "place": Case(When(state=RunState.QUEUED, then=place_in_queue())),
        "length": Case(When(state=RunState.QUEUED, then=queue_length())),
        "n_outputs": _counted_outputs(),
    }


def _standing_reason(submission: str) -> Subquery:
    standing = Disqualification.objects.filter(submission=OuterRef(submission), lifted_at__isnull=True)
    return Subquery(standing.values("reason"))


def _counted_outputs() -> Subquery:
    maker = Coalesce(OuterRef("source"), OuterRef("pk"))
    shown = RunOutput.objects.filter(run=maker, pair__split=ImagePair.Split.PUBLIC).order_by()
    return Subquery(shown.values("run").annotate(n=Count("pk")).values("n"))


def _events(rows: Iterable[RunEvent]) -> Iterable[Event]:
    return ((row.to_state, row.created_at, row.detail) for row in rows)
