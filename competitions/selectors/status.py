"""Read the state of the platform: queue, workers, and why something waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from competitions.models import Run, Worker
from competitions.rules import LEASED_STATES, RunState

SILENT_AFTER_SECONDS = 45


@dataclass(frozen=True)
class WorkerView:
    """A worker that gave a sign of life lately."""

    name: str
    seen_at: datetime
    driver: str
    can_run_untrusted: bool
    reason: str
    advice: str


@dataclass(frozen=True)
class Waiting:
    """Why queued runs do not start, and what to do; empty texts where they only wait for their turn."""

    reason: str = ""
    advice: str = ""


@dataclass(frozen=True)
class StatusView:
    """The platform at one glance."""

    n_queued: int
    n_running: int
    median_wait_seconds: float | None
    workers: tuple[WorkerView, ...]
    waiting: Waiting


NO_WORKER = Waiting(
    "No worker is running, so nothing can be evaluated now.",
    "The operator starts one with `./run up`, or `celery -A config worker -Q evaluation` on another machine.",
)


def workers() -> tuple[WorkerView, ...]:
    """List the workers that gave a sign of life lately."""
    since = timezone.now() - timedelta(seconds=SILENT_AFTER_SECONDS)
    return tuple(
        WorkerView(row.name, row.seen_at, row.driver, row.can_run_untrusted, row.reason, row.advice)
        for row in Worker.objects.filter(seen_at__gte=since).order_by("name")
    )


def waiting_for(*, is_shipped: bool, alive: tuple[WorkerView, ...] | None = None) -> Waiting:
    """Say why a queued run cannot start; a run of a shipped archive needs no sandbox."""
    alive = workers() if alive is None else alive
    if not alive:
        return NO_WORKER
    if is_shipped or any(worker.can_run_untrusted for worker in alive):
        return Waiting()
    return Waiting(alive[0].reason, alive[0].advice)


def status() -> StatusView:
    """Read queue length, running runs, the median wait of the last day, and the workers."""
    alive = workers()
    return StatusView(
        n_queued=Run.objects.filter(state=RunState.QUEUED).count(),
        n_running=Run.objects.filter(state__in=LEASED_STATES).count(),
        median_wait_seconds=_median_wait(),
        workers=alive,
        waiting=waiting_for(is_shipped=False, alive=alive),
    )


def _median_wait() -> float | None:
    since = timezone.now() - timedelta(days=1)
    started = Run.objects.filter(started_at__gte=since).values_list("queued_at", "started_at")
    waits = sorted((start - queued).total_seconds() for queued, start in started if start is not None)
    return waits[len(waits) // 2] if waits else None


def lease_seconds() -> int:
    """Return after how many silent seconds a run is taken from its worker."""
    return settings.LEASE_SECONDS
