"""Read the queue: who is served before whom, whose turn comes next, and when a run may start."""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from competitions.models import Run, RunShard
from competitions.queueing import (
    Backlog,
    Needs,
    Offer,
    least_offer,
    next_turn,
    seconds_left,
    seconds_until_start,
    suffices,
    usual_seconds,
)
from competitions.rules import LEASED_STATES, RunState
from competitions.selectors.status import WorkerView, workers

ORDER = ("priority", "turn", "queued_at", "pk")
# The turn being served is the highest of so many last starts: a run that starts again does not turn it back.
LAST_STARTS = 100
# What is usual is the median of so many durations: of the phase, or else of all phases.
LAST_OF_PHASE = 20
LAST_OF_ALL = 200

Measured = Mapping[int | None, list[float]]


def due() -> QuerySet[Run]:
    """List what waits and may start now."""
    waiting = Run.objects.filter(state=RunState.QUEUED)
    return waiting.filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()))


def within(offer: Offer) -> Q:
    """Select the runs that ask for no more than is offered."""
    fitting = Q(device__in=offer.devices, memory_mb__lte=offer.memory_mb, runtime__in=offer.runtimes)
    return fitting if offer.can_run_untrusted else fitting & Q(needs_sandbox=False)


def needs_of(run: Run) -> Needs:
    """Return what a run asks of a worker."""
    return Needs(run.device, run.memory_mb, run.runtime, run.needs_sandbox)


def turn_of(run: Run) -> int:
    """Return the turn of a run that is to be queued now; the rule is `queueing.next_turn`."""
    rivals = Run.objects.filter(priority=run.priority)
    lane = rivals.filter(submission__phase=run.submission.phase_id, submission__team=run.submission.team_id)
    turns = lane.aggregate(
        served=Max("turn", filter=Q(started_at__isnull=False)),
        waiting=Max("turn", filter=Q(state=RunState.QUEUED)),
    )
    return next_turn(clock=_clock(rivals, needs_of(run)), **turns)


def places(run_ids: Collection[UUID]) -> dict[UUID, int]:
    """Count the place in the queue of each of these runs that waits; 1 is the next one."""
    waiting = Run.objects.filter(pk__in=run_ids, state=RunState.QUEUED)
    return dict(waiting.annotate(place=place_in_queue()).values_list("pk", "place"))


def place_in_queue() -> CombinedExpression:
    """Count in a query of queued runs which place each has; 1 is the next one."""
    ahead = Run.objects.filter(_before([OuterRef(name) for name in ORDER]), state=RunState.QUEUED)
    count = ahead.order_by().values("state").annotate(n=Count("pk")).values("n")
    return 1 + Coalesce(Subquery(count), 0)


def queue_length() -> Coalesce:
    """Count in a query of runs how many wait."""
    waiting = Run.objects.filter(state=RunState.QUEUED).order_by()
    return Coalesce(Subquery(waiting.values("state").annotate(n=Count("pk")).values("n")), 0)


def estimated_start(run: Run) -> datetime | None:
    """Estimate when a run that waits, or is to be queued, starts; None where nothing is known to go by."""
    able = [worker for worker in workers() if not worker.obstacle and suffices(worker, needs_of(run))]
    if not able:
        return None
    ahead = _ahead(run, able)
    busy = _busy([worker.name for worker in able])
    priorities = {priority for priority, *_ in ahead} | {row.priority for row in busy.values()}
    measured = {priority: _measured(priority) for priority in priorities}
    free_in = [_free_in(busy.get(worker.name), measured) for worker in able]
    backlog = [Backlog(n, _usual(measured[priority], phase)) for priority, phase, n in ahead]
    seconds = seconds_until_start(free_in, backlog)
    return None if math.isinf(seconds) else timezone.now() + timedelta(seconds=seconds)


def _busy(names: Sequence[str]) -> dict[str, Run]:
    """Read which run each of these workers is at: its own, or another's of which it has taken a shard.

    Who helps goes on while there are shards to take, so both are free about when the run is done.
    """
    helping = RunShard.objects.filter(
        state=RunShard.State.LEASED, lease_owner__in=names, run__state__in=LEASED_STATES
    ).select_related("run__submission")
    running = Run.objects.filter(state__in=LEASED_STATES, lease_owner__in=names).select_related("submission")
    return {shard.lease_owner: shard.run for shard in helping} | {run.lease_owner: run for run in running}


def _clock(rivals: QuerySet[Run], needs: Needs) -> int:
    """Read which turn is being served; no higher than what waits for the workers that this run needs.

    A run that went back to the queue was served once: its turn has been reached, and it waits out of order.
    """
    waiting = rivals.filter(state=RunState.QUEUED)
    started = rivals.filter(started_at__isnull=False).order_by("-started_at").values_list("turn", flat=True)
    returned = waiting.filter(fence__gt=0).aggregate(turn=Max("turn"))["turn"]
    first = (
        waiting.filter(within(least_offer(needs)), fence=0).order_by(*ORDER).values_list("turn", flat=True)
    )
    return min([max([0, *started[:LAST_STARTS], *([] if returned is None else [returned])]), *first[:1]])


def _before(keys: Sequence[object]) -> Q:
    """Select what is served before a run with these values of `ORDER`."""
    earlier = Q()
    for depth, name in enumerate(ORDER):
        same = dict(zip(ORDER[:depth], keys, strict=False))
        earlier |= Q(**same, **{f"{name}__lt": keys[depth]})
    return earlier


def _ahead(run: Run, able: Sequence[WorkerView]) -> list[tuple[int, int, int]]:
    """Count by priority and phase what the same workers do before a run."""
    earlier = Run.objects.filter(_before([getattr(run, name) for name in ORDER]), state=RunState.QUEUED)
    theirs = earlier.filter(reduce(or_, {within(worker) for worker in able}))
    counted = theirs.values("priority", "submission__phase").annotate(n=Count("pk"))
    return list(counted.values_list("priority", "submission__phase", "n"))


def _measured(priority: int) -> Measured:
    """Read how long the last scored runs took, by phase; under None those of all phases together."""
    rows = Run.objects.filter(priority=priority, state=RunState.SCORED, started_at__isnull=False)
    recent = rows.order_by("-started_at").values_list("submission__phase", "started_at", "finished_at")
    found: dict[int | None, list[float]] = {None: []}
    for phase, started, finished in recent[:LAST_OF_ALL]:
        if started is not None and finished is not None:
            seconds = (finished - started).total_seconds()
            found[None].append(seconds)
            found.setdefault(phase, []).append(seconds)
    return found


def _usual(measured: Measured, phase: int) -> float:
    return usual_seconds((measured.get(phase) or measured[None])[:LAST_OF_PHASE])


def _free_in(run: Run | None, measured: Mapping[int, Measured]) -> float:
    """Estimate in how many seconds a worker is free that has this run, or none."""
    if run is None or run.started_at is None:
        return 0.0
    return seconds_left(
        usual=_usual(measured[run.priority], run.submission.phase_id),
        elapsed=(timezone.now() - run.started_at).total_seconds(),
        share_done=run.pairs_done / run.pairs_total if run.pairs_total else 0.0,
    )
