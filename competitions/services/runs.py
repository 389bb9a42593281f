"""The life of a claimed run: advance, keep alive, fail, hand back, cancel, and take back from silent workers."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Now

from competitions.clock import in_seconds
from competitions.errors import IllegalTransition, StaleFence
from competitions.models import Run, RunShard
from competitions.rules import LEASED_STATES, RunState, fault_of, pause_before
from competitions.services import outbox
from competitions.services.transitions import NO_LEASE, transition
from evaluation.failures import Fault


@dataclass(frozen=True)
class Claim:
    """A worker's title to a run: writes carry `fence`, and are refused once another claim has raised it."""

    run_id: UUID
    fence: int
    worker: str


def owned(held: Claim) -> Run:
    """Lock and return a claimed run; called within a transaction whose writes belong to this attempt.

    Raises:
        StaleFence: it is no longer this worker's.
    """
    rows = Run.objects.select_for_update(of=("self",)).select_related("submission__phase")
    run = rows.filter(pk=held.run_id, fence=held.fence, state__in=LEASED_STATES).first()
    if run is None:
        raise StaleFence
    return run


def advance(held: Claim, to: RunState, *, changes: dict[str, object] | None = None) -> Run:
    """Move a claimed run to its next stage."""
    return transition(run_id=held.run_id, to=to, actor=held.worker, fence=held.fence, changes=changes)


def keep_alive(held: Claim) -> bool:
    """Extend the lease and add up the shards' progress; False means that the run is no longer this worker's."""
    done = RunShard.objects.filter(run=OuterRef("pk")).values("run").annotate(n=Sum("pairs_done"))
    return bool(
        Run.objects.filter(pk=held.run_id, fence=held.fence, state__in=LEASED_STATES).update(
            lease_expires_at=in_seconds(settings.LEASE_SECONDS),
            last_sign_of_life=Now(),
            pairs_done=Coalesce(Subquery(done.values("n")), 0),
        )
    )


def fail(held: Claim, *, code: str, detail: str) -> Run:
    """End a claimed run by a failure code; a fault of the platform goes back to the queue while tries are left."""
    if fault_of(code) is Fault.PLATFORM:
        return _give_back(held.run_id, held.fence, actor=held.worker, detail=detail)
    return _end_as_failed(held.run_id, held.fence, code=code, actor=held.worker, detail=detail)


@transaction.atomic
def hand_back(held: Claim) -> Run:
    """Return a claimed run to the queue because its worker stops; the attempt does not count."""
    run = transition(
        run_id=held.run_id,
        to=RunState.QUEUED,
        actor=held.worker,
        fence=held.fence,
        detail="The worker stops.",
        changes=NO_LEASE
        | {"fence": F("fence") + 1, "attempts": F("attempts") - 1, "pairs_done": 0, "started_at": None},
    )
    outbox.promise_nudge()
    return run


def cancel(*, run_id: UUID, actor: str) -> Run:
    """End a live run at once; its worker finds out by its next write or sign of life."""
    return transition(run_id=run_id, to=RunState.CANCELLED, actor=actor, changes={"fence": F("fence") + 1})


def reap() -> int:
    """Return runs whose worker fell silent to the queue and count them; needs no worker's cooperation."""
    silent = Run.objects.filter(state__in=LEASED_STATES, lease_expires_at__lt=Now())
    taken_back = 0
    for run_id, fence, owner in silent.values_list("pk", "fence", "lease_owner"):
        try:
            _give_back(run_id, fence, actor="reaper", detail=f"No sign of life from {owner}.")
            taken_back += 1
        except (StaleFence, IllegalTransition):  # it ended, or another reaper was first
            continue
    return taken_back


@transaction.atomic
def _give_back(run_id: UUID, fence: int, *, actor: str, detail: str) -> Run:
    attempts = Run.objects.values_list("attempts", flat=True).get(pk=run_id)
    if attempts >= settings.MAX_ATTEMPTS:
        return _end_as_failed(run_id, fence, code="INFRA", actor=actor, detail=detail)
    run = transition(
        run_id=run_id,
        to=RunState.QUEUED,
        actor=actor,
        fence=fence,
        detail=detail,
        changes=NO_LEASE
        | {
            "fence": F("fence") + 1,
            "not_before": in_seconds(pause_before(attempts, settings.RETRY_SECONDS)),
            "pairs_done": 0,
            "started_at": None,
        },
    )
    outbox.promise_nudge()
    return run


def _end_as_failed(run_id: UUID, fence: int, *, code: str, actor: str, detail: str) -> Run:
    changes = {"failure_code": code, "failure_detail": detail[:2000], "fault": fault_of(code)}
    return transition(
        run_id=run_id,
        to=RunState.FAILED,
        actor=actor,
        fence=fence,
        detail=f"{code}: {detail}",
        changes=changes,
    )
