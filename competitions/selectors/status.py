"""Read the state of the platform: queue, workers, and why something waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from competitions.clock import in_seconds
from competitions.models import Run, Worker
from competitions.queueing import Needs
from competitions.rules import LEASED_STATES, RunState
from evaluation.obstacles import OBSTACLES, Told

SILENT_AFTER_SECONDS = 45
KEPT_SECONDS = 3  # every page that waits asks again every few seconds, and all would be told the same


@dataclass(frozen=True)
class WorkerView:
    """A worker that gave a sign of life lately. `obstacle` says why it takes no run at all for the moment.

    `obstacle`, `reason` and `advice` are in English; pages translate those that are `Told`.
    """

    name: str
    seen_at: datetime
    driver: str
    can_run_untrusted: bool
    reason: str
    advice: str
    devices: tuple[str, ...]
    memory_mb: int
    runtimes: tuple[str, ...]
    obstacle: str


@dataclass(frozen=True)
class Waiting:
    """Why queued runs do not start, and what to do; empty texts where they only wait for their turn."""

    reason: str = ""
    advice: str = ""


@dataclass(frozen=True)
class StatusView:
    """The platform at one glance; the error of estimates is how far off they were, in seconds, on the median."""

    n_queued: int
    n_running: int
    median_wait_seconds: float | None
    median_estimate_error_seconds: float | None
    workers: tuple[WorkerView, ...]
    waiting: Waiting


@dataclass(frozen=True)
class Lately:
    """The workers of this moment and the typical wait of the last day, a few seconds old at most."""

    workers: tuple[WorkerView, ...]
    median_wait_seconds: float | None


NO_WORKER = Waiting(
    "No worker is running, so nothing can be evaluated now.",
    "The operator starts one with `./run up`, or `celery -A config worker -Q evaluation` on another machine.",
)
OBSTACLE_ADVICE = OBSTACLES["DISK_FULL"].advice
NO_DEVICE = Waiting(
    "None of the workers that are running offers the device that this run asks for.",
    "The operator starts a worker on a machine with a GPU.",
)
NO_MEMORY = Waiting(
    "None of the workers that are running has as much memory as the phase allows generators.",
    "The operator starts a worker on a machine with more memory.",
)
NO_RUNTIME = Waiting(
    "None of the workers that are running offers the runtime that this archive asks for.",
    "The operator starts a worker of the version that has this runtime.",
)


def workers() -> tuple[WorkerView, ...]:
    """List the workers that gave a sign of life lately."""
    alive = Worker.objects.filter(seen_at__gte=in_seconds(-SILENT_AFTER_SECONDS))
    return tuple(
        WorkerView(
            name=row.name,
            seen_at=row.seen_at,
            driver=row.driver,
            can_run_untrusted=row.can_run_untrusted,
            reason=_told(row, "reason"),
            advice=_told(row, "advice"),
            devices=tuple(row.devices),
            memory_mb=row.memory_mb,
            runtimes=tuple(row.runtimes),
            obstacle=_told(row, "obstacle"),
        )
        for row in alive.order_by("name")
    )


def lately() -> Lately:
    """Return what all who wait are told, read once for all of them."""
    found: Lately | None = cache.get("platform-lately")
    if found is None:
        found = Lately(workers(), _median_wait())
        cache.set("platform-lately", found, KEPT_SECONDS)
    return found


def waiting_for(needs: Needs, alive: Sequence[WorkerView] | None = None) -> Waiting:
    """Say why no worker takes a queued run, looking at one need after the other."""
    left = list(workers() if alive is None else alive)
    if not left:
        return NO_WORKER
    checks: tuple[tuple[Callable[[WorkerView], bool], Callable[[WorkerView], Waiting]], ...] = (
        (lambda worker: not worker.obstacle, lambda worker: Waiting(worker.obstacle, OBSTACLE_ADVICE)),
        (lambda worker: needs.device in worker.devices, lambda _: NO_DEVICE),
        (lambda worker: needs.memory_mb <= worker.memory_mb, lambda _: NO_MEMORY),
        (lambda worker: needs.runtime in worker.runtimes, lambda _: NO_RUNTIME),
        (
            lambda worker: worker.can_run_untrusted or not needs.needs_sandbox,
            lambda worker: Waiting(worker.reason, worker.advice),
        ),
    )
    for can, say_why_not in checks:
        able = [worker for worker in left if can(worker)]
        if not able:
            return say_why_not(left[0])
        left = able
    return Waiting()


def status() -> StatusView:
    """Read queue length, running runs, waits and errors of estimates of the last day, and the workers."""
    alive = workers()
    return StatusView(
        n_queued=Run.objects.filter(state=RunState.QUEUED).count(),
        n_running=Run.objects.filter(state__in=LEASED_STATES).count(),
        median_wait_seconds=_median_wait(),
        median_estimate_error_seconds=_median_estimate_error(),
        workers=alive,
        waiting=_most_pressing(alive),
    )


def lease_seconds() -> int:
    """Return after how many silent seconds a run is taken from its worker."""
    return settings.LEASE_SECONDS


def _told(row: Worker, name: str) -> str:
    """Return one of a worker's texts with what it was made of, where that is known."""
    text: str = getattr(row, name)
    found = (row.told or {}).get(name)
    return Told(*found) if text and found else text


def _most_pressing(alive: tuple[WorkerView, ...]) -> Waiting:
    """Say why some queued run cannot start; with an empty queue, why an entry could not."""
    asked = Run.objects.filter(state=RunState.QUEUED).order_by()
    needs = [
        Needs(*row) for row in asked.values_list("device", "memory_mb", "runtime", "needs_sandbox").distinct()
    ]
    found = (waiting_for(each, alive) for each in [*needs, Needs()])
    return next((waiting for waiting in found if waiting.reason), Waiting())


def _median_wait() -> float | None:
    started = Run.objects.filter(started_at__gte=_a_day_ago()).values_list("queued_at", "started_at")
    waits = [(start - queued).total_seconds() for queued, start in started if start is not None]
    return median(waits) if waits else None


def _median_estimate_error() -> float | None:
    """Compare what teams were told with what came; not for runs that had to start again."""
    told = Run.objects.filter(started_at__gte=_a_day_ago(), estimated_start_at__isnull=False, fence=1)
    errors = [
        abs((started - estimated).total_seconds())
        for started, estimated in told.values_list("started_at", "estimated_start_at")
        if started is not None and estimated is not None
    ]
    return median(errors) if errors else None


def _a_day_ago() -> datetime:
    return timezone.now() - timedelta(days=1)
