"""The parts of a run: cut them, lease them to workers, keep what is done, open again what was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from competitions.clock import in_seconds
from competitions.errors import StaleFence
from competitions.models import Artifact, Outbox, Run, RunOutput, RunShard
from competitions.rules import LEASED_STATES, SHARED_STATES
from competitions.selectors.queue import within
from competitions.services import outbox, runs
from competitions.services.artifacts import store_path
from competitions.services.runs import Claim
from competitions.services.workers import Ability

OPEN, LEASED, DONE = RunShard.State.OPEN, RunShard.State.LEASED, RunShard.State.DONE
CANDIDATES = 5
UNLEASED = {"lease_owner": "", "lease_expires_at": None}


@dataclass(frozen=True)
class ShardClaim:
    """A worker's title to a shard: it lapses with the attempt at the run, and when the shard passes to another."""

    run: Claim
    shard_id: int
    fence: int
    pairs: tuple[str, ...]


@transaction.atomic
def plan(held: Claim, order: Sequence[str], *, size: int) -> bool:
    """Cut a run into shards of about `size` pairs, shown in this order; say whether an earlier attempt left some.

    What an earlier attempt finished stays done; everything else is open again.
    """
    run = runs.owned(held)
    rows = RunShard.objects.filter(run=run)
    if rows.exists():
        rows.exclude(state=DONE).update(state=OPEN, fence=F("fence") + 1, pairs_done=0, **UNLEASED)
        return True
    parts = -(-len(order) // size)
    ends = [len(order) * part // parts for part in range(parts + 1)]
    RunShard.objects.bulk_create(
        RunShard(run=run, index=part, pairs=list(order[ends[part] : ends[part + 1]])) for part in range(parts)
    )
    return False


@transaction.atomic
def invite(held: Claim) -> None:
    """Tell other workers that there are shards to take; one of them stays with the run's own worker."""
    for _ in range(RunShard.objects.filter(run=held.run_id, state=OPEN).count() - 1):
        outbox.promise_assistance()


@transaction.atomic
def forget(held: Claim) -> None:
    """Throw away what earlier attempts left, because it cannot be relied on."""
    run = runs.owned(held)
    RunOutput.objects.filter(run=run).delete()
    RunShard.objects.filter(run=run).update(
        state=OPEN, fence=F("fence") + 1, pairs_done=0, pair_scores=None, statistics=None, **UNLEASED
    )


def take(held: Claim) -> ShardClaim | None:
    """Take the next open shard of one's own run."""
    return _take_first(RunShard.objects.filter(run=held.run_id, run__fence=held.fence), held.worker)


def take_any(*, worker: str, ability: Ability) -> ShardClaim | None:
    """Take an open shard of a run that another worker owns and that this one could do, oldest run first."""
    theirs = Run.objects.filter(within(ability), state__in=SHARED_STATES)
    return _take_first(RunShard.objects.filter(run__in=theirs), worker)


def keep_alive(shard: ShardClaim, *, pairs_done: int) -> bool:
    """Extend the lease and report progress; False means that shard or run are no longer this worker's."""
    expires = in_seconds(settings.LEASE_SECONDS)
    return bool(_mine(shard).update(lease_expires_at=expires, pairs_done=pairs_done))


def check_held(shard: ShardClaim) -> None:
    """Lock a shard within a transaction, or refuse.

    Raises:
        StaleFence: shard or run are no longer this worker's.
    """
    if not _mine(shard).select_for_update().exists():
        raise StaleFence


def finish(
    shard: ShardClaim, *, pair_scores: Path, statistics: Path | None, provenance: dict[str, object]
) -> None:
    """Keep what the shard brought in, and end its lease.

    Raises:
        StaleFence: shard or run are no longer this worker's.
    """
    scores = store_path(kind=Artifact.Kind.PAIR_SCORES, path=pair_scores)
    kept = None if statistics is None else store_path(kind=Artifact.Kind.STATISTICS, path=statistics)
    done = _mine(shard).update(
        state=DONE,
        pair_scores=scores,
        statistics=kept,
        provenance=provenance,
        pairs_done=len(shard.pairs),
        **UNLEASED,
    )
    if not done:
        raise StaleFence


@transaction.atomic
def release(shard: ShardClaim, *, detail: str, is_fault: bool) -> None:
    """Open a shard again that its worker cannot finish; too many faults give the whole run back."""
    run = Run.objects.select_for_update().get(pk=shard.run.run_id)
    rows = _mine(shard)
    attempts = rows.values_list("attempts", flat=True).first()
    if attempts is None:
        return
    rows.update(
        state=OPEN,
        fence=F("fence") + 1,
        attempts=F("attempts") - int(not is_fault),
        pairs_done=0,
        **UNLEASED,
    )
    if is_fault and attempts >= settings.MAX_ATTEMPTS and run.fence == shard.run.fence:
        runs.fail(shard.run, code="INFRA", detail=detail)
    else:
        outbox.promise_assistance()


def reap(held: Claim) -> None:
    """Open the shards of one's own run whose workers fell silent."""
    silent = RunShard.objects.filter(run=held.run_id, state=LEASED, lease_expires_at__lt=Now())
    if silent.update(state=OPEN, fence=F("fence") + 1, pairs_done=0, **UNLEASED):
        with transaction.atomic():
            outbox.promise_assistance()


def promise_assistance_if_open() -> None:
    """Make good lost invitations: promise one where shards wait and none is on its way."""
    waiting = RunShard.objects.filter(state=OPEN, run__state__in=SHARED_STATES)
    if waiting.exists() and not Outbox.objects.filter(topic=Outbox.Topic.ASSIST).exists():
        with transaction.atomic():
            outbox.promise_assistance()


def _take_first(rows: QuerySet[RunShard], worker: str) -> ShardClaim | None:
    found = rows.filter(state=OPEN).order_by("run__started_at", "run_id", "index").select_related("run")
    for shard in found[:CANDIDATES]:
        title = Claim(run_id=shard.run_id, fence=shard.run.fence, worker=worker)
        taken = RunShard.objects.filter(
            pk=shard.pk, state=OPEN, fence=shard.fence, run_id__in=_still_owned(title)
        ).update(
            state=LEASED,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_owner=worker[:200],
            lease_expires_at=in_seconds(settings.LEASE_SECONDS),
        )
        if taken:
            return ShardClaim(title, shard.pk, shard.fence + 1, tuple(shard.pairs))
    return None


def _mine(shard: ShardClaim) -> QuerySet[RunShard]:
    return RunShard.objects.filter(
        pk=shard.shard_id, state=LEASED, fence=shard.fence, run_id__in=_still_owned(shard.run)
    )


def _still_owned(title: Claim) -> QuerySet[Run]:
    """Select the run while its attempt lasts; a subquery, so that an UPDATE checks the shard's own row again."""
    rows = Run.objects.filter(pk=title.run_id, fence=title.fence, state__in=LEASED_STATES)
    return rows.values("pk")  # type: ignore[return-value]  # only its query is used
