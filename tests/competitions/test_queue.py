"""The queue through its services: teams share workers, and each worker gets what it can do."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from competitions.errors import IllegalTransition
from competitions.models import MetricSuite, Phase, QuotaEntry, Run, Submission
from competitions.rules import RunState
from competitions.services import queue, runs
from competitions.services.queue import create_run
from competitions.services.runs import Claim
from competitions.services.workers import Ability
from tests.crowds import WORKER, claim_ms, enqueue, entry, fill, make_phase

pytestmark = pytest.mark.django_db

SMALL = Ability("test", can_run_untrusted=True, memory_mb=1024)
WITH_GPU = Ability("test", can_run_untrusted=True, devices=("cpu", "cuda"))
BARE = Ability("test", can_run_untrusted=False)


@pytest.fixture
def phase() -> Phase:
    """A phase that nobody looks into."""
    return make_phase()


def take(ability: Ability = WORKER, worker: str = "worker-1") -> Claim | None:
    """Have a worker look for a run."""
    return queue.claim(worker=worker, ability=ability)


def team_of(held: Claim | None) -> str:
    """Name the team whose run was taken."""
    assert held is not None
    return Run.objects.get(pk=held.run_id).submission.team.slug  # type: ignore[union-attr]


def end(held: Claim | None) -> None:
    """End a claimed run; how does not matter here."""
    assert held is not None
    runs.fail(held, code="CRASHED", detail="")


def served(n: int, ability: Ability = WORKER) -> list[str]:
    """Have one worker take and end `n` runs, and name their teams."""
    teams = []
    for _ in range(n):
        held = take(ability)
        teams.append(team_of(held))
        end(held)
    return teams


def test_one_worker_serves_the_teams_of_two_floods_in_turn(phase: Phase) -> None:
    for team in ("monet", "hals"):
        for _ in range(3):
            enqueue(phase, team)
    assert served(6) == ["monet", "hals"] * 3


def test_a_flood_delays_whoever_comes_late_by_one_run_at_most(phase: Phase) -> None:
    for _ in range(6):
        enqueue(phase, "flood")
    assert served(2) == ["flood", "flood"]
    held = take()
    for team in ("late", "later"):
        enqueue(phase, team)
    enqueue(phase, "flood")
    end(held)
    assert served(6) == ["late", "later", "flood", "flood", "flood", "flood"]


def test_with_several_workers_a_latecomer_gets_the_next_one_that_is_free(phase: Phase) -> None:
    for _ in range(8):
        enqueue(phase, "flood")
    busy = [take(worker=f"worker-{k}") for k in range(3)]
    enqueue(phase, "late")
    end(busy[1])
    assert team_of(take(worker="worker-1")) == "late"


def test_a_team_that_submits_one_at_a_time_does_not_starve_a_flood(phase: Phase) -> None:
    for _ in range(3):
        enqueue(phase, "flood")
    teams = []
    for _ in range(3):
        enqueue(phase, "steady")
        teams += served(2)
    assert teams == ["flood", "steady"] * 3


def test_a_team_shares_by_phase(phase: Phase) -> None:
    other = Phase.objects.get(pk=phase.pk)
    other.pk, other.slug = None, "second"
    other.save()
    for _ in range(2):
        enqueue(phase, "monet")
    enqueue(other, "monet")
    order = Run.objects.order_by("priority", "turn", "queued_at")
    assert list(order.values_list("submission__phase__slug", "turn")) == [
        ("main", 0),
        ("second", 0),
        ("main", 1),
    ]


def test_baselines_are_a_lane_of_their_own(phase: Phase) -> None:
    for _ in range(2):
        baseline = entry(phase, "none", is_shipped=True)
        baseline.kind, baseline.team, baseline.submitted_by = Submission.Kind.BASELINE, None, None
        baseline.archive = baseline.archive.__class__.objects.create(
            sha256=f"{Submission.objects.count():064}", size=1, kind="archive"
        )
        baseline.save()
        create_run(submission=baseline, actor="operator")
    enqueue(phase, "monet")
    assert list(Run.objects.order_by("queued_at").values_list("turn", flat=True)) == [0, 1, 0]


def test_a_run_that_goes_back_keeps_its_turn_and_turns_no_clock_back(phase: Phase) -> None:
    first = [enqueue(phase, "flood") for _ in range(4)][0]
    held = take()
    assert held is not None
    end(take(worker="worker-2"))
    runs.hand_back(held)
    late = enqueue(phase, "late")
    first.refresh_from_db()
    assert (first.turn, late.turn) == (0, 1)
    assert served(3) == ["flood", "late", "flood"]


def test_where_entries_wait_for_a_sandbox_the_first_run_of_a_team_is_not_put_behind_a_flood(
    phase: Phase,
) -> None:
    for _ in range(4):
        enqueue(phase, "flood")
    for _ in range(6):
        enqueue(phase, "ours", is_shipped=True)
    assert served(6, BARE) == ["ours"] * 6
    enqueue(phase, "late")
    assert served(3) == ["flood", "late", "flood"]


def test_dry_runs_go_first_and_rescorings_last(phase: Phase) -> None:
    source = enqueue(phase, "monet")
    end(take())
    submission = source.submission
    create_run(submission=submission, purpose=Run.Purpose.RESCORE, source=source, actor="test")
    create_run(submission=submission, actor="test", is_free=True)
    create_run(submission=submission, purpose=Run.Purpose.DRY_RUN, actor="test")
    taken = [take(worker=f"worker-{k}") for k in range(3)]
    purposes = [Run.objects.get(pk=held.run_id).purpose for held in taken if held]
    assert purposes == ["dry_run", "score", "rescore"]


def test_only_runs_for_a_score_reserve_quota_and_free_ones_do_not(phase: Phase) -> None:
    source = enqueue(phase, "monet")
    end(take())
    submission = source.submission
    create_run(submission=submission, purpose=Run.Purpose.RESCORE, source=source, actor="test")
    create_run(submission=submission, purpose=Run.Purpose.DRY_RUN, actor="test")
    free = create_run(submission=submission, actor="test", is_free=True)
    assert QuotaEntry.objects.count() == 1
    assert list(submission.runs.order_by("purpose", "sequence").values_list("purpose", "sequence")) == [
        ("dry_run", 1),
        ("rescore", 1),
        ("score", 1),
        ("score", 2),
    ]
    with pytest.raises(IllegalTransition, match="still under way"):
        create_run(submission=submission, actor="test")
    assert free.turn == 1  # its lane has had turn 0


def test_a_rescoring_asks_for_no_gpu_no_memory_and_no_sandbox(phase: Phase) -> None:
    source = enqueue(phase, "monet", device="cuda")
    end(take(WITH_GPU))
    run = create_run(submission=source.submission, purpose=Run.Purpose.RESCORE, source=source, actor="test")
    assert take(BARE) is not None
    assert (run.device, run.memory_mb, run.needs_sandbox) == ("cpu", 0, False)


@pytest.mark.parametrize(("ability", "device", "memory_mb"), [(WORKER, "cuda", 1), (SMALL, "cpu", 4096)])
def test_a_worker_takes_nothing_that_it_cannot_do_and_finds_what_stands_behind(
    phase: Phase, ability: Ability, device: str, memory_mb: int
) -> None:
    Phase.objects.update(memory_mb=memory_mb)
    phase.refresh_from_db()
    for _ in range(queue.CANDIDATES + 2):
        enqueue(phase, "large", device=device)
    assert take(ability) is None
    phase.memory_mb = 512
    enqueue(phase, "small")
    assert team_of(take(ability)) == "small"
    assert team_of(take(WITH_GPU)) == "large"


def test_a_worker_without_the_runtime_takes_nothing(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    assert take(Ability("test", can_run_untrusted=True, runtimes=("py27",))) is None
    assert run.runtime == WORKER.runtimes[0]


def test_a_run_gets_the_suite_that_its_phase_has_when_it_starts_first(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    newer, newest = (
        MetricSuite.objects.create(name=name, digest=name * 32, document="{}") for name in ("s2", "s3")
    )
    Phase.objects.update(suite=newer)
    held = take()
    assert held is not None
    run.refresh_from_db()
    assert run.suite == newer
    runs.hand_back(held)
    Phase.objects.update(suite=newest)
    assert take() is not None
    run.refresh_from_db()
    assert run.suite == newer  # some of its shards may have been scored by it


def test_a_nudge_that_finds_nothing_costs_one_query(
    phase: Phase, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(phase, 0, out_of_reach=100)
    with django_assert_num_queries(1):
        assert take() is None
    Run.objects.all().delete()
    with django_assert_num_queries(1):
        assert take() is None


def test_a_claim_takes_as_many_queries_from_a_long_queue_as_from_a_short_one(
    phase: Phase, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n, out_of_reach in ((1, 0), (300, 0), (1, 300)):
        fill(phase, n, out_of_reach=out_of_reach)
        with django_assert_num_queries(7):
            assert take() is not None


@pytest.mark.postgres
@pytest.mark.slow
def test_a_claim_takes_as_long_from_a_long_queue_as_from_a_short_one(phase: Phase) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite is for one worker and short queues")
    fill(phase, 10)
    short = claim_ms(50)
    fill(phase, 2000)
    assert claim_ms(50) < 2 * short
    fill(phase, 10, out_of_reach=2000)
    assert claim_ms(50) < 2 * short


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_take_each_run_once(phase: Phase) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite takes one writer at a time")
    for team in range(10):
        enqueue(phase, f"team-{team}")
    start = Barrier(20)

    def look(worker: str) -> Claim | None:
        start.wait(timeout=30)
        try:
            return take(worker=worker)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        found = [held for held in pool.map(look, [f"worker-{k}" for k in range(20)]) if held]
    assert len({held.run_id for held in found}) == len(found) == 10
    assert set(Run.objects.values_list("state", "fence", "attempts")) == {(RunState.CLAIMED, 1, 1)}
    owners = set(Run.objects.values_list("pk", "lease_owner"))
    assert owners == {(held.run_id, held.worker) for held in found}
