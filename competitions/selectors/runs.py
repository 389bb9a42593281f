"""Read runs as the operator sees them, whoever they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from competitions.errors import InvalidInput, NotFound
from competitions.models import Run, RunLogChunk
from competitions.rules import RunState
from competitions.selectors.queue import needs_of, places
from competitions.selectors.status import Waiting, waiting_for

LONGEST_LIST = 200
LOG_CHARACTERS = 2000


@dataclass(frozen=True)
class RunLine:
    """A run in one line."""

    id: UUID
    state: str
    purpose: str
    competition: str
    phase: str
    team: str
    submission: str
    attempts: int
    pairs_done: int
    pairs_total: int
    worker: str
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failure_code: str


@dataclass(frozen=True)
class RunReport:
    """Everything about one run that helps at night; events are (when, from, to, who, what about it)."""

    line: RunLine
    submission_id: UUID
    suite: str
    fence: int
    priority: int
    turn: int
    needs: Mapping[str, object]
    place: int | None
    estimated_start_at: datetime | None
    not_before: datetime | None
    waiting: Waiting
    lease_expires_at: datetime | None
    last_sign_of_life: datetime | None
    failure_detail: str
    quota: str
    events: tuple[tuple[datetime, str, str, str, str], ...]
    log: str


def list_runs(*, state: str = "", phase: str = "", team: str = "") -> list[RunLine]:
    """List runs, the newest first; `phase` is COMPETITION or COMPETITION/PHASE, `team` a slug.

    Raises:
        InvalidInput: there is no such state.
    """
    if state and state not in list(RunState):
        raise InvalidInput(f"There is no state {state!r}.", fix=f"Choose one of {', '.join(RunState)}.")
    competition, _, slug = phase.partition("/")
    wanted = {
        "state": state,
        "submission__phase__competition__slug": competition,
        "submission__phase__slug": slug,
        "submission__team__slug": team,
    }
    rows = _rows().filter(**{name: value for name, value in wanted.items() if value})
    return [_line(run) for run in rows.order_by("-queued_at", "pk")[:LONGEST_LIST]]


def find_run(prefix: str) -> UUID:
    """Return the run whose id begins like this.

    Raises:
        NotFound: none does.
        InvalidInput: several do.
    """
    start = prefix.replace("-", "").lower()
    low, high = start.ljust(32, "0"), start.ljust(32, "f")
    try:
        found = Run.objects.filter(pk__gte=UUID(low), pk__lte=UUID(high)).values_list("pk", flat=True)[:2]
    except ValueError as error:
        raise InvalidInput(
            f"{prefix!r} is no id of a run.", fix="`manage.py runs list` shows them."
        ) from error
    if not found:
        raise NotFound(f"There is no run {prefix}.", fix="`manage.py runs list` shows them.")
    if len(found) > 1:
        raise InvalidInput(f"Several runs begin with {prefix}.", fix="Write more of the id.")
    return found[0]


def report_run(run_id: UUID) -> RunReport:
    """Read everything about a run."""
    run = _rows().get(pk=run_id)
    is_queued = run.state == RunState.QUEUED
    quota = getattr(run, "quota_entry", None)
    return RunReport(
        line=_line(run),
        submission_id=run.submission_id,
        suite=run.suite.name,
        fence=run.fence,
        priority=run.priority,
        turn=run.turn,
        needs=vars(needs_of(run)),
        place=places([run.pk]).get(run.pk),
        estimated_start_at=run.estimated_start_at,
        not_before=run.not_before,
        waiting=waiting_for(needs_of(run)) if is_queued else Waiting(),
        lease_expires_at=run.lease_expires_at,
        last_sign_of_life=run.last_sign_of_life,
        failure_detail=run.failure_detail,
        quota=quota.state if quota else "free",
        events=tuple(
            run.events.order_by("sequence").values_list(
                "created_at", "from_state", "to_state", "actor", "detail"
            )
        ),
        log=_end_of_log(run),
    )


def _rows() -> QuerySet[Run]:
    return Run.objects.select_related(
        "submission__phase__competition", "submission__team", "suite", "quota_entry"
    )


def _line(run: Run) -> RunLine:
    submission = run.submission
    return RunLine(
        id=run.pk,
        state=run.state,
        purpose=run.purpose,
        competition=submission.phase.competition.slug,
        phase=submission.phase.slug,
        team=submission.team.slug if submission.team else "",
        submission=submission.name,
        attempts=run.attempts,
        pairs_done=run.pairs_done,
        pairs_total=run.pairs_total,
        worker=run.lease_owner,
        queued_at=run.queued_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        failure_code=run.failure_code,
    )


def _end_of_log(run: Run) -> str:
    """Read the last of what the generator wrote; also what participants may not see."""
    chunks = RunLogChunk.objects.filter(run=run).order_by("-sequence").values_list("text", flat=True)[:50]
    return "".join(reversed(chunks))[-LOG_CHARACTERS:]
