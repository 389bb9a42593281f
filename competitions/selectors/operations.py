"""Read the figures by which operators watch the platform: a fixed number of queries, whatever there is to count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone

from competitions.models import Outbox, QuotaEntry, Run, RunEvent, Worker
from competitions.rules import END_STATES, LEASED_STATES, RunState
from competitions.selectors.status import SILENT_AFTER_SECONDS

REAPER = "reaper"


@dataclass(frozen=True)
class Backlog:
    """How many wait under one label, and for how long the oldest has."""

    label: str
    length: int
    oldest_seconds: float


@dataclass(frozen=True)
class Figures:
    """The platform in numbers; what has ended is counted by state and failure code."""

    queue: tuple[Backlog, ...]
    outbox: tuple[Backlog, ...]
    running: dict[str, int]
    ended: dict[tuple[str, str], int]
    workers: dict[bool, int]
    reaped: int
    quota: dict[str, int]


def figures() -> Figures:
    """Count everything once."""
    queued = Run.objects.filter(state=RunState.QUEUED).values_list("purpose")
    running = Run.objects.filter(state__in=LEASED_STATES).values_list("state").annotate(Count("pk"))
    ended = Run.objects.filter(state__in=END_STATES).values_list("state", "failure_code")
    lately = timezone.now() - timedelta(seconds=SILENT_AFTER_SECONDS)
    workers = Worker.objects.filter(seen_at__gte=lately).values_list("can_run_untrusted")
    quota = QuotaEntry.objects.values_list("state").annotate(Count("pk"))
    return Figures(
        queue=_backlogs(Run.Purpose.values, queued.annotate(Count("pk"), Min("queued_at")).order_by()),
        outbox=_backlogs(
            Outbox.Topic.values,
            Outbox.objects.values_list("topic").annotate(Count("pk"), Min("created_at")).order_by(),
        ),
        running={str(state): 0 for state in LEASED_STATES} | dict(running.order_by()),
        ended={(state, code): n for state, code, n in ended.annotate(Count("pk")).order_by()},
        workers={True: 0, False: 0} | dict(workers.annotate(Count("pk")).order_by()),
        reaped=RunEvent.objects.filter(actor=REAPER).count(),
        quota={state: 0 for state in QuotaEntry.State.values} | dict(quota.order_by()),
    )


def _backlogs(labels: Iterable[str], rows: Iterable[tuple[str, int, datetime]]) -> tuple[Backlog, ...]:
    """Name every label there is, so that an empty queue reads as zero and not as missing."""
    now = timezone.now()
    found = {label: Backlog(label, n, max(0.0, (now - oldest).total_seconds())) for label, n, oldest in rows}
    return tuple(found.get(label, Backlog(label, 0, 0.0)) for label in labels)
