"""Place in the queue and estimate of the start: what is told, and how far off it was."""

import pytest
from django.utils import timezone

from competitions.models import Phase, Run
from competitions.rules import RunState
from competitions.selectors.queue import places
from competitions.selectors.status import status
from competitions.services import moderation, runs, shards
from competitions.services.runs import Claim
from competitions.services.workers import Ability, register_worker
from tests.crowds import WORKER, enqueue, make_phase, pass_time, score, second_phase, take

pytestmark = pytest.mark.django_db

HOUR = 3600.0


@pytest.fixture
def phase() -> Phase:
    """A phase that nobody looks into."""
    return make_phase()


def run_before(phase: Phase, seconds: float, *, n: int = 1) -> None:
    """Have runs of a phase behind us that took that long."""
    for _ in range(n):
        enqueue(phase, "earlier")
        held = take()
        pass_time(seconds)
        score(held)


def told(run: Run) -> float | None:
    """Return in how many seconds the run was said to start."""
    start = run.estimated_start_at
    return None if start is None else (start - timezone.now()).total_seconds()


def told_and_withdrawn(phase: Phase) -> float | None:
    """Return in how many seconds a run was said to start that is withdrawn at once."""
    run = enqueue(phase, "hasty")
    moderation.stop_run(run_id=run.pk, actor="test")
    return told(run)


def about(seconds: float) -> object:
    """Compare with some room for the time that the test itself takes."""
    return pytest.approx(seconds, abs=5)


def test_the_place_is_that_in_the_order_in_which_runs_are_served(phase: Phase) -> None:
    order = [enqueue(phase, team) for team in ("flood", "flood", "late", "flood", "late")]
    found = places([run.pk for run in order])
    assert [found[run.pk] for run in order] == [1, 3, 2, 5, 4]
    taken = take()
    assert taken.run_id == order[0].pk
    assert places([order[0].pk, order[2].pk]) == {order[2].pk: 1}


def test_an_idle_worker_starts_a_run_at_once_even_if_nothing_was_measured(phase: Phase) -> None:
    register_worker(name="worker-1", ability=WORKER)
    assert told(enqueue(phase, "monet")) == about(0)
    assert enqueue(phase, "monet").estimated_start_at is None  # nobody knows how long the first one takes


def test_without_a_worker_that_can_do_it_nothing_is_told(phase: Phase) -> None:
    run_before(phase, 100)
    assert enqueue(phase, "monet").estimated_start_at is None
    register_worker(name="small", ability=Ability("test", can_run_untrusted=True, memory_mb=1))
    register_worker(name="bare", ability=Ability("test", can_run_untrusted=False))
    register_worker(
        name="full", ability=Ability("test", can_run_untrusted=True, obstacle="The disk is full.")
    )
    assert enqueue(phase, "monet").estimated_start_at is None


def test_the_estimate_adds_up_the_rest_of_the_running_run_and_those_ahead(phase: Phase) -> None:
    run_before(phase, 100, n=3)
    register_worker(name="worker-1", ability=WORKER)
    enqueue(phase, "monet")
    take()
    pass_time(30)
    assert told(enqueue(phase, "hals")) == about(70)
    assert told(enqueue(phase, "vermeer")) == about(170)


def test_several_workers_share_what_is_ahead(phase: Phase) -> None:
    run_before(phase, 100)
    for worker in ("worker-1", "worker-2"):
        register_worker(name=worker, ability=WORKER)
    starts = [told(enqueue(phase, f"team-{k}")) for k in range(5)]
    assert starts == [about(0), about(0), about(100), about(100), about(200)]


def test_a_run_under_way_goes_on_at_its_own_pace(phase: Phase) -> None:
    run_before(phase, 100)
    register_worker(name="worker-1", ability=WORKER)
    enqueue(phase, "slow")
    held = take()
    pass_time(60)
    Run.objects.filter(pk=held.run_id).update(pairs_done=1, pairs_total=4)
    assert told(enqueue(phase, "late")) == about(180)


def test_each_phase_counts_with_its_own_durations_and_a_new_one_with_those_of_all(phase: Phase) -> None:
    run_before(phase, 100, n=3)
    other = second_phase(phase)
    run_before(other, 1000)
    register_worker(name="worker-1", ability=WORKER)
    enqueue(other, "monet")
    assert told(enqueue(phase, "hals")) == about(1000)
    assert told(enqueue(phase, "vermeer")) == about(1100)


def test_what_other_workers_do_is_not_waited_for(phase: Phase) -> None:
    run_before(phase, 100)
    register_worker(name="worker-1", ability=WORKER)
    enqueue(phase, "painter", device="cuda")
    assert told(enqueue(phase, "monet")) == about(0)


def test_a_worker_that_helps_with_a_run_is_busy_as_long_as_that_run(phase: Phase) -> None:
    run_before(phase, 100)
    for worker in ("worker-1", "worker-2"):
        register_worker(name=worker, ability=WORKER)
    enqueue(phase, "long")
    held = take()
    shards.plan(held, ["a", "b"], size=1)
    runs.advance(held, RunState.LOADING)
    runs.advance(held, RunState.GENERATING)
    assert shards.take(held) is not None
    pass_time(40)
    assert told_and_withdrawn(phase) == about(0)
    helping = shards.take_any(worker="worker-2", ability=WORKER)
    assert helping is not None
    assert told_and_withdrawn(phase) == about(60)
    shards.release(helping, detail="", is_fault=False)
    assert told_and_withdrawn(phase) == about(0)


def test_the_status_tells_by_how_much_estimates_were_off_yesterday_and_today(phase: Phase) -> None:
    assert status().median_estimate_error_seconds is None
    run_before(phase, 100)
    register_worker(name="worker-1", ability=WORKER)
    for team in ("monet", "hals"):
        enqueue(phase, team)
    held = take()
    pass_time(140)
    score(held)
    take()
    assert status().median_estimate_error_seconds == about(20)  # none for the first, 40 for the second
    restarted = Run.objects.get(state="claimed")
    runs.hand_back(Claim(restarted.pk, restarted.fence, "worker-1"))
    take()
    assert status().median_estimate_error_seconds == about(0)
    pass_time(25 * HOUR)
    assert status().median_estimate_error_seconds is None
