"""Read a competition as its organizers run it: what to do next, the queue, failures by code, latest submissions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from competitions.errors import NotFound
from competitions.models import Competition, Draft, Phase, Run, RunFlag, Submission
from competitions.queueing import Needs
from competitions.rules import LIVE_STATES, RunState, shown_progress
from competitions.selectors.access import Viewer, organized_competitions
from competitions.selectors.drafts import missing_steps
from competitions.selectors.queue import places
from competitions.selectors.status import Waiting, waiting_for, workers
from evaluation.failures import Fault

LATEST = 50


@dataclass(frozen=True)
class LiveRun:
    """A run that waits or is under way; `place` is 1 for the next one."""

    id: UUID
    submission_id: UUID
    name: str
    team: str
    purpose: str
    state: str
    place: int | None
    pairs_done: int
    pairs_total: int
    queued_at: datetime


@dataclass(frozen=True)
class FailureCount:
    """How many runs ended by one code, and the latest submission it befell."""

    code: str
    fault: str
    n: int
    latest: UUID


@dataclass(frozen=True)
class Handed:
    """A submission in the organizers' list."""

    id: UUID
    name: str
    team: str
    kind: str
    state: str
    failure_code: str
    created_at: datetime
    is_disqualified: bool
    n_open_flags: int

    @property
    def is_live(self) -> bool:
        """Say whether its latest run waits or is under way: such a one can be cancelled, and not run again."""
        return self.state in LIVE_STATES


@dataclass(frozen=True)
class Issue:
    """Something to resolve: what kind, how many, and where to look first."""

    code: str
    n: int = 1
    submission_id: UUID | None = None
    step: str = ""


@dataclass(frozen=True)
class OrganizerView:
    """Everything on the organizers' page."""

    pk: int
    slug: str
    title: str
    is_published: bool
    has_draft: bool
    issues: tuple[Issue, ...]
    waiting: Waiting
    live: tuple[LiveRun, ...]
    failures: tuple[FailureCount, ...]
    latest: tuple[Handed, ...]
    phases: tuple[tuple[int, str, str], ...]
    n_submissions: int


def organizer_view(slug: str, viewer: Viewer) -> OrganizerView:
    """Return a competition that the viewer organizes, or raise NotFound."""
    row = organized_competitions(viewer).filter(slug=slug).first()
    if row is None:
        raise NotFound("There is no such competition, or you do not organize it.")
    runs = Run.objects.filter(submission__phase__competition=row)
    live, failures = _live(row), _failures(row)
    draft = Draft.objects.filter(competition=row).select_related("competition", "dataset_version").first()
    waiting = waiting_for(Needs(), workers()) if live else Waiting()
    phases = (
        Phase.objects.filter(competition=row).order_by("opens_at").values_list("pk", "title", "suite__name")
    )
    return OrganizerView(
        pk=row.pk,
        slug=row.slug,
        title=row.title,
        is_published=row.is_published,
        has_draft=draft is not None,
        issues=tuple(_issues(row, draft, failures)),
        waiting=waiting,
        live=live,
        failures=failures,
        latest=_latest(row),
        phases=tuple(phases),
        n_submissions=runs.values("submission").distinct().count(),
    )


def _issues(row: Competition, draft: Draft | None, failures: tuple[FailureCount, ...]) -> list[Issue]:
    """List what wants an organizer, the most pressing first."""
    found = []
    for failure in failures:
        if failure.fault == Fault.PLATFORM:
            found.append(Issue("PLATFORM_FAILED", failure.n, failure.latest))
    flags = RunFlag.objects.filter(run__submission__phase__competition=row, verdict=RunFlag.Verdict.OPEN)
    first = flags.order_by("created_at").values_list("run__submission", flat=True).first()
    if first:
        found.append(Issue("FLAG_OPEN", flags.count(), first))
    if draft and not row.is_published:
        missing = missing_steps(draft)
        found.append(
            Issue("NOT_COMPLETE", len(missing), step=next(iter(missing)))
            if missing
            else Issue("NOT_PUBLISHED")
        )
    elif draft and draft.untried_reason:
        found.append(Issue("NEVER_TRIED"))
    return found


def _live(row: Competition) -> tuple[LiveRun, ...]:
    runs = Run.objects.filter(
        submission__phase__competition=row, state__in=[str(state) for state in LIVE_STATES]
    ).select_related("submission__team")
    found = list(runs.order_by("priority", "turn", "queued_at", "pk")[:LATEST])
    place = places([run.pk for run in found])
    return tuple(
        LiveRun(
            id=run.pk,
            submission_id=run.submission_id,
            name=run.submission.name,
            team=run.submission.team.name if run.submission.team else "",
            purpose=run.purpose,
            state=run.state,
            place=place.get(run.pk),
            pairs_done=shown_progress(run.pairs_done, run.pairs_total),
            pairs_total=run.pairs_total,
            queued_at=run.queued_at,
        )
        for run in found
    )


def _failures(row: Competition) -> tuple[FailureCount, ...]:
    """Count failures of the newest run of each submission, so that what was repeated with success is gone."""
    failed = [run for run in _newest_runs(row).values() if run.state == RunState.FAILED]
    by_code: dict[str, list[Run]] = {}
    for run in failed:
        by_code.setdefault(run.failure_code, []).append(run)
    counted = [
        FailureCount(
            code, of_code[0].fault, len(of_code), max(of_code, key=lambda run: run.queued_at).submission_id
        )
        for code, of_code in by_code.items()
    ]
    return tuple(sorted(counted, key=lambda failure: (failure.fault != Fault.PLATFORM, -failure.n)))


def _newest_runs(row: Competition) -> dict[UUID, Run]:
    """Read the newest run of every submission; those of a dry run count while it is not published."""
    runs = Run.objects.filter(submission__phase__competition=row).order_by("queued_at", "sequence")
    if row.is_published:
        runs = runs.exclude(purpose=Run.Purpose.DRY_RUN)
    fields = ("submission_id", "state", "failure_code", "fault", "queued_at")
    return {run.submission_id: run for run in runs.only(*fields)}


def _latest(row: Competition) -> tuple[Handed, ...]:
    submissions = Submission.objects.filter(phase__competition=row).select_related("team")
    found = list(submissions.prefetch_related("runs", "disqualifications").order_by("-created_at")[:LATEST])
    flags = RunFlag.objects.filter(run__submission__in=found, verdict=RunFlag.Verdict.OPEN)
    n_flags = dict(flags.values_list("run__submission").annotate(Count("pk")))
    handed = []
    for submission in found:
        newest = max(submission.runs.all(), key=lambda run: run.queued_at, default=None)
        handed.append(
            Handed(
                id=submission.pk,
                name=submission.name,
                team=submission.team.name if submission.team else "",
                kind="dry_run" if newest and newest.purpose == Run.Purpose.DRY_RUN else submission.kind,
                state=newest.state if newest else "",
                failure_code=newest.failure_code if newest else "",
                created_at=submission.created_at,
                is_disqualified=any(one.lifted_at is None for one in submission.disqualifications.all()),
                n_open_flags=n_flags.get(submission.pk, 0),
            )
        )
    return tuple(handed)
