"""A worker dies at every edge of the state machine, just before and just after its step is committed.

Nothing is mended by hand: the reaper finds what the dead worker held, another worker does it, and whatever the
dead one still sends is refused.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from competitions.errors import IllegalTransition, StaleFence
from competitions.models import (
    Artifact,
    ImagePair,
    Phase,
    QuotaEntry,
    Run,
    RunEvent,
    RunLogChunk,
    RunOutput,
    RunShard,
    Score,
)
from competitions.ranking import SplitScore
from competitions.rules import END_STATES, LEASED_STATES, TRANSITIONS, RunState, is_charged
from competitions.services import queue, results, runs, shards
from competitions.services.runs import Claim
from competitions.services.shards import ShardClaim
from competitions.services.transitions import transition
from evaluation.failures import Fault
from tests.crowds import WORKER, enqueue, make_phase

EDGES = [(start, end) for start, ends in TRANSITIONS.items() for end in sorted(ends)]
PAIR = "p000"


class Died(Exception):
    """The worker was killed."""


@pytest.fixture
def run(db: None) -> Run:
    """A queued run over one pair."""
    phase: Phase = make_phase()
    image = Artifact.objects.create(sha256="3" * 64, size=1, kind=Artifact.Kind.IMAGE)
    ImagePair.objects.create(
        version=phase.dataset_version, name=PAIR, content=image, style=image, split="hidden"
    )
    return enqueue(phase, "monet")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that stands for whatever is stored."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def claim(worker: str) -> Claim:
    """Have a worker take the run."""
    held = queue.claim(worker=worker, ability=WORKER)
    assert held is not None
    return held


def reach(state: RunState, worker: str) -> Claim | None:
    """Bring the queued run to a state, by a worker where it needs one."""
    if state is RunState.QUEUED:
        return None
    held = claim(worker)
    for stage in LEASED_STATES[1 : LEASED_STATES.index(state) + 1]:
        runs.advance(held, stage)
    return held


def complete(held: Claim, file: Path) -> Run:
    """End a publishing run as scored."""
    scores = [SplitScore("headline", "hidden", 0.5, 0.4, 0.6, 1)]
    return results.complete(held, pair_scores=file, scores=scores, n_pairs=1, n_valid=1)


def step(run: Run, held: Claim | None, to: RunState, file: Path) -> Claim | None:
    """Take the edge by the service that takes it in life; return the claim that its worker has."""
    if held is None and to is RunState.FAILED:
        changes = {"failure_code": "INFRA", "fault": Fault.PLATFORM}
        transition(run_id=run.pk, to=to, actor="test", changes=changes)
    elif to is RunState.CANCELLED:
        runs.cancel(run_id=run.pk, actor="user monet")
    elif held is None:
        return claim("dead")
    elif to is RunState.FAILED:
        runs.fail(held, code="CRASHED", detail="")
    elif to is RunState.QUEUED:
        runs.hand_back(held)
    elif to is RunState.SCORED:
        complete(held, file)
    else:
        runs.advance(held, to)
    return held


def late_writes(held: Claim, shard: ShardClaim | None, file: Path) -> list[Callable[[], object]]:
    """List everything that a worker can send about a run."""
    writes: list[Callable[[], object]] = [
        *(lambda to=to: runs.advance(held, to) for to in LEASED_STATES[1:]),
        lambda: results.append_log(held, text="late", is_withheld=False),
        lambda: complete(held, file),
        lambda: runs.fail(held, code="CRASHED", detail="late"),
        lambda: runs.fail(held, code="INFRA", detail="late"),
        lambda: runs.hand_back(held),
        lambda: shards.plan(held, [PAIR], size=1),
        lambda: shards.forget(held),
    ]
    if shard is not None:
        writes += [
            lambda: results.store_output(shard, pair=PAIR, path=file, seconds=1.0),
            lambda: shards.finish(shard, pair_scores=file, statistics=None, provenance={}),
        ]
    return writes


def everything() -> list[object]:
    """Read all that a run consists of."""
    models = (Run, RunEvent, RunLogChunk, RunOutput, RunShard, Score, QuotaEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


def check_refused(held: Claim | None, shard: ShardClaim | None, file: Path) -> None:
    """Check that nothing that the dead worker still sends changes anything."""
    if held is None:
        return
    before = everything()
    for write in late_writes(held, shard, file):
        with pytest.raises((StaleFence, IllegalTransition)):
            write()
    assert not runs.keep_alive(held)
    assert shard is None or not shards.keep_alive(shard, pairs_done=1)
    assert everything() == before


def check_history(known: list[RunEvent]) -> None:
    """Check that events were only added, without a gap, each where the last one ended."""
    events = list(RunEvent.objects.order_by("sequence"))
    assert [event.pk for event in events[: len(known)]] == [event.pk for event in known]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.from_state for event in events] == ["", *(event.to_state for event in events[:-1])]
    assert events[-1].to_state == Run.objects.get().state


def check_quota() -> None:
    """Check that the one reservation was settled as the end deserves."""
    run, entry = Run.objects.get(), QuotaEntry.objects.get()
    charged = is_charged(RunState(run.state), Fault(run.fault), had_started=run.started_at is not None)
    assert entry.state == ("charged" if charged else "refunded")


@pytest.mark.parametrize("is_committed", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize(("start", "end"), EDGES, ids=[f"{start} to {end}" for start, end in EDGES])
def test_a_worker_that_dies_at_an_edge_loses_nothing_and_doubles_nothing(
    run: Run, file: Path, start: RunState, end: RunState, is_committed: bool
) -> None:
    held = reach(start, "dead")
    shard = None
    if held is not None:
        shards.plan(held, [PAIR], size=1)
        shard = shards.take(held)
    with suppress(Died), transaction.atomic():
        title = step(run, held, end, file)
        if not is_committed:
            raise Died
        held = title
    run.refresh_from_db()
    assert run.state == (end if is_committed else start)
    known = list(RunEvent.objects.order_by("sequence"))
    Run.objects.filter(state__in=LEASED_STATES).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert runs.reap() == (run.state in LEASED_STATES)

    check_refused(held, shard, file)
    run.refresh_from_db()
    if run.state not in END_STATES:
        assert run.state == RunState.QUEUED
        Run.objects.update(not_before=None)  # the pause before the next attempt is over
        heir = reach(RunState.PUBLISHING, "heir")
        assert heir is not None
        check_refused(held, shard, file)
        complete(heir, file)
        assert Score.objects.count() == 1
    check_history(known)
    check_quota()


def test_the_edges_are_those_of_the_state_machine() -> None:
    assert len(EDGES) == sum(map(len, TRANSITIONS.values())) >= 23
    assert {state for edge in EDGES for state in edge} == set(RunState)
