"""Why something waits: the first need that no living worker meets, told with what to do."""

from dataclasses import replace

import pytest

from competitions.models import Phase, Worker
from competitions.queueing import Needs
from competitions.selectors.status import (
    NO_DEVICE,
    NO_MEMORY,
    NO_RUNTIME,
    NO_WORKER,
    OBSTACLE_ADVICE,
    Waiting,
    status,
    waiting_for,
    workers,
)
from competitions.services.workers import Ability, register_worker
from evaluation.obstacles import Told, unavailable
from tests.crowds import WORKER, enqueue, make_phase

pytestmark = pytest.mark.django_db

FULL = replace(WORKER, obstacle="The disk is full: 12 MB are left.")
BARE = Ability("process", False, reason="bubblewrap is missing.", advice="Install it.")
NO_SANDBOX = Waiting("bubblewrap is missing.", "Install it.")


@pytest.mark.parametrize(
    ("abilities", "needs", "waiting"),
    [
        ([], Needs(), NO_WORKER),
        ([WORKER], Needs(), Waiting()),
        ([FULL], Needs(), Waiting(FULL.obstacle, OBSTACLE_ADVICE)),
        ([FULL, WORKER], Needs(), Waiting()),
        ([WORKER], Needs(device="cuda"), NO_DEVICE),
        ([WORKER], Needs(memory_mb=8193), NO_MEMORY),
        ([WORKER], Needs(runtime="py27"), NO_RUNTIME),
        ([BARE], Needs(), NO_SANDBOX),
        ([BARE], Needs(needs_sandbox=False), Waiting()),
        ([BARE, WORKER], Needs(), Waiting()),
        ([FULL, BARE], Needs(), NO_SANDBOX),
        ([BARE, replace(WORKER, memory_mb=100)], Needs(memory_mb=200), NO_SANDBOX),
    ],
)
def test_what_is_told_is_the_first_need_that_nobody_meets(
    abilities: list[Ability], needs: Needs, waiting: Waiting
) -> None:
    for k, ability in enumerate(abilities):
        register_worker(name=f"worker-{k}", ability=ability)
    assert waiting_for(needs) == waiting


def test_a_worker_that_fell_silent_offers_nothing() -> None:
    register_worker(name="worker-1", ability=WORKER)
    (seen,) = workers()
    assert (seen.devices, seen.memory_mb, seen.runtimes) == (("cpu",), 8192, WORKER.runtimes)
    Worker.objects.update(seen_at="2026-01-01T00:00:00Z")
    assert workers() == ()
    assert waiting_for(Needs()) == NO_WORKER


def test_what_a_worker_says_comes_back_with_what_it_was_made_of() -> None:
    error = unavailable("NO_BUBBLEWRAP_START", detail="bwrap: " + "x" * 1000)
    register_worker(name="bare", ability=replace(BARE, reason=error.message, advice=error.fix))
    (seen,) = workers()
    assert isinstance(seen.reason, Told)
    assert seen.reason.template == "The sandbox does not start: {detail}."
    assert seen.reason.values["detail"].startswith("bwrap: x")
    assert len(seen.reason) < 600
    assert waiting_for(Needs()) == Waiting(seen.reason, error.fix)
    register_worker(name="bare", ability=BARE)  # by a worker whose texts are not in the list
    assert waiting_for(Needs()) == NO_SANDBOX
    Worker.objects.update(told=None)  # by a worker of an older version
    assert waiting_for(Needs()) == NO_SANDBOX


def test_the_status_names_what_some_queued_run_waits_for() -> None:
    register_worker(name="worker-1", ability=WORKER)
    assert status().waiting == Waiting()
    phase: Phase = make_phase()
    enqueue(phase, "monet")
    assert status().waiting == Waiting()
    enqueue(phase, "hals", device="cuda")
    assert status().waiting == NO_DEVICE
    assert status().n_queued == 2


def test_with_an_empty_queue_the_status_says_why_an_entry_would_wait() -> None:
    register_worker(name="worker-1", ability=BARE)
    assert status().waiting == NO_SANDBOX
