"""Read submissions, their runs, logs and scores, as far as the viewer may see them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from competitions.errors import NotFound
from competitions.models import Run, Submission
from competitions.rules import LIVE_STATES, RunState, shown_progress
from competitions.selectors.access import Viewer, managed_submissions
from competitions.selectors.queue import needs_of, places
from competitions.selectors.status import Waiting, lately, waiting_for
from competitions.selectors.submission_rows import Rows, read_submission, read_submissions
from evaluation.failures import FAILURES


@dataclass(frozen=True)
class FailureView:
    """Why a run failed. `detail` belongs to this run and is shown to its team only."""

    code: str
    sentence: str
    advice: str
    fault: str
    detail: str
    charged: bool


@dataclass(frozen=True)
class EventView:
    """One change of state."""

    to_state: str
    created_at: datetime
    detail: str


@dataclass(frozen=True)
class RunView:
    """A run as pages and API show it; `queue_place` is 1 for the next one, None when not queued.

    `estimated_start_at` is what was told when it was queued, until it starts for the first time. `outputs_of` is
    the run whose outputs and log it shows: its own, or for a rescoring those that were scored again.
    """

    id: UUID
    state: str
    is_live: bool
    purpose: str
    attempt: int
    pairs_done: int
    pairs_total: int
    queue_place: int | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_sign_of_life: datetime | None
    failure: FailureView | None
    waiting: Waiting
    events: tuple[EventView, ...]
    provenance: Mapping[str, object]
    outputs_of: UUID
    estimated_start_at: datetime | None = None


@dataclass(frozen=True)
class SubmissionView:
    """A submission with its latest run; a rescoring replaces what it scores again once it has scores.

    `can_manage`: the viewer is of the team, an organizer or staff. `disqualified_for`: why it is off the board.
    `is_final`: its team chose to be ranked by it.
    """

    id: UUID
    name: str
    kind: str
    competition: str
    competition_title: str
    phase: str
    team: str
    team_slug: str
    note: str
    created_at: datetime
    archive_sha256: str
    archive_size: int
    manifest: Mapping[str, object]
    run: RunView
    can_manage: bool
    disqualified_for: str = ""
    is_final: bool = False


@dataclass(frozen=True)
class End:
    """How one of a submission's runs ended, or where it stands."""

    run_id: UUID
    purpose: str
    state: str
    failure_code: str


@dataclass(frozen=True)
class WholeSubmission(SubmissionView):
    """A submission with what is read of a single one only.

    `is_organizer`: the viewer runs its competition. `ends` are all of its runs, the last of each purpose first.
    `n_outputs` counts the pictures of public pairs that there are, `queue_length` the runs that wait, while its own
    is one of them.
    """

    is_organizer: bool = False
    ends: tuple[End, ...] = ()
    n_outputs: int = 0
    queue_length: int | None = None


def own_submissions(viewer: Viewer) -> QuerySet[Submission]:
    """Submissions of the viewer's teams."""
    rows = managed_submissions(viewer)
    return rows.filter(team__members=viewer.pk).distinct() if viewer.pk else rows.none()


def submissions_of(viewer: Viewer, *, only: Collection[UUID] | None = None) -> list[SubmissionView]:
    """List what the viewer's teams handed in, or only the submissions with these keys, newest first."""
    own = own_submissions(viewer)
    shown = [
        (rows, _shown_run(rows))
        for rows in read_submissions(own if only is None else own.filter(pk__in=only))
    ]
    waiting = [run.pk for _, run in shown if run.state == RunState.QUEUED]
    in_queue = places(waiting) if waiting else {}
    return [
        SubmissionView(**_fields(rows, _run_view(run, rows, in_queue.get(run.pk)))) for rows, run in shown
    ]


def get_submission(submission_id: UUID, viewer: Viewer, *, run_id: UUID | None = None) -> WholeSubmission:
    """Return one submission with its latest run (or the one named), or raise NotFound."""
    rows = read_submission(submission_id, viewer)
    if rows is None:
        raise NotFound("There is no such submission, or you may not see it.")
    run = _shown_run(rows, run_id)
    place, length = rows.places.get(run.pk, (None, None))
    latest = sorted(rows.runs, key=lambda run: run.sequence, reverse=True)
    return WholeSubmission(
        **_fields(rows, _run_view(run, rows, place)),
        is_organizer=rows.is_organizer,
        ends=tuple(End(run.pk, run.purpose, run.state, run.failure_code) for run in latest),
        n_outputs=rows.n_outputs.get(run.pk, 0),
        queue_length=length,
    )


def runs_of(submission: SubmissionView, viewer: Viewer, *, only: Collection[UUID]) -> list[RunView]:
    """List those of a submission's runs that have these keys, newest first."""
    rows = read_submission(submission.id, viewer)
    if rows is None:
        return []
    places = {run_id: place for run_id, (place, _) in rows.places.items()}
    return [_run_view(run, rows, places.get(run.pk)) for run in rows.runs if run.pk in only]


def get_submission_of_run(run_id: UUID, viewer: Viewer) -> WholeSubmission:
    """Return the submission that a run belongs to, with this run instead of the latest, or raise NotFound."""
    submission_id = Run.objects.filter(pk=run_id).values_list("submission_id", flat=True).first()
    if submission_id is None:
        raise NotFound("There is no such run, or you may not see it.")
    return get_submission(submission_id, viewer, run_id=run_id)


def has_earlier_submission(*, phase_pk: int, team_pk: int, archive_sha256: str) -> bool:
    """Say whether the team has an entry of this archive with a run that it neither cancelled nor lost by our fault."""
    runs = Run.objects.filter(
        purpose=Run.Purpose.SCORE,
        submission__phase=phase_pk,
        submission__team=team_pk,
        submission__archive__sha256=archive_sha256,
    )
    return runs.exclude(failure_code="INFRA").exclude(state=RunState.CANCELLED).exists()


def _shown_run(rows: Rows, run_id: UUID | None = None) -> Run:
    """Choose the run that is asked for, or the latest; a rescoring that has no scores is nothing to look at."""
    if run_id is not None:
        return next(run for run in rows.runs if run.pk == run_id)
    return next(
        run for run in rows.runs if run.purpose != Run.Purpose.RESCORE or run.state == RunState.SCORED
    )


def _fields(rows: Rows, run: RunView) -> dict[str, Any]:
    row, team = rows.submission, rows.submission.team
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "competition": row.phase.competition.slug,
        "competition_title": row.phase.competition.title,
        "phase": row.phase.slug,
        "team": team.name if team else "",
        "team_slug": team.slug if team else "",
        "note": row.note if rows.can_manage else "",
        "created_at": row.created_at,
        "archive_sha256": row.archive.sha256,
        "archive_size": row.archive.size,
        "manifest": row.manifest,
        "run": run,
        "can_manage": rows.can_manage,
        "disqualified_for": rows.disqualified_for,
        "is_final": hasattr(row, "final_choice"),
    }


def _run_view(run: Run, rows: Rows, place: int | None) -> RunView:
    is_queued = run.state == RunState.QUEUED
    return RunView(
        id=run.pk,
        state=run.state,
        is_live=run.state in LIVE_STATES,
        purpose=run.purpose,
        attempt=run.attempts,
        pairs_done=shown_progress(run.pairs_done, run.pairs_total),
        pairs_total=run.pairs_total,
        queue_place=place,
        queued_at=run.queued_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        last_sign_of_life=run.last_sign_of_life,
        failure=_failure_view(run, can_manage=rows.can_manage) if run.state == RunState.FAILED else None,
        waiting=waiting_for(needs_of(run), lately().workers) if is_queued else Waiting(),
        events=tuple(
            EventView(state, at, detail if rows.can_manage else "")
            for state, at, detail in rows.events[run.pk]
        ),
        provenance=run.manifest,
        outputs_of=run.source_id or run.pk,
        estimated_start_at=run.estimated_start_at if is_queued and run.fence == 0 else None,
    )


def _failure_view(run: Run, *, can_manage: bool) -> FailureView:
    known = FAILURES[run.failure_code]
    entry = getattr(run, "quota_entry", None)
    return FailureView(
        code=known.code,
        sentence=known.sentence,
        advice=known.advice,
        fault=run.fault,
        detail=run.failure_detail if can_manage else "",
        charged=entry is not None and entry.state == "charged",
    )
