"""The life of a run: one owner at a time, every change by the one function, nothing charged for our faults."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Team, User
from competitions.errors import IllegalTransition, StaleFence
from competitions.models import Outbox, Phase, QuotaEntry, Run, Score, Submission
from competitions.ranking import SplitScore
from competitions.rules import LEASED_STATES, TRANSITIONS, RunState
from competitions.services import queue, results, runs
from competitions.services.submissions import Upload, create_submission
from competitions.services.transitions import transition
from competitions.services.workers import Ability

ON_THE_WAY = [RunState.LOADING, RunState.GENERATING, RunState.SCORING, RunState.PUBLISHING]


@pytest.fixture
def submission(phase: Phase, team: Team, researcher: User, make_archive: Callable[..., Path]) -> Submission:
    """A submission whose run is queued."""
    path = make_archive()
    with path.open("rb") as content:
        upload = Upload(content=content, size=path.stat().st_size)
        return create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=upload)


def claim(worker: str = "worker-1", *, can_run_untrusted: bool = True) -> runs.Claim:
    """Claim the one queued run."""
    held = queue.claim(worker=worker, ability=Ability("test", can_run_untrusted))
    assert held is not None
    return held


def bring_to(held: runs.Claim, state: RunState) -> None:
    """Walk a claimed run to a later stage."""
    for stage in ON_THE_WAY[: ON_THE_WAY.index(state) + 1] if state in ON_THE_WAY else []:
        runs.advance(held, stage)


def complete(held: runs.Claim, folder: Path) -> Run:
    """End a publishing run as scored."""
    table = folder / "scores.parquet"
    table.write_bytes(b"scores")
    scores = [SplitScore("headline", "hidden", 0.5, 0.4, 0.6, 4)]
    return results.complete(held, pair_scores=table, scores=scores, n_pairs=6, n_valid=6)


def quota_state(run: Run) -> str:
    """Return what became of the run's quota."""
    return QuotaEntry.objects.get(run=run).state


def test_a_claimed_run_is_gone_from_the_queue(submission: Submission) -> None:
    held = claim()
    assert queue.claim(worker="worker-2", ability=Ability("test", True)) is None
    run = Run.objects.get()
    assert (run.state, run.fence, run.lease_owner, run.attempts) == ("claimed", held.fence, "worker-1", 1)


def test_a_worker_without_sandbox_gets_no_strangers_archive(submission: Submission) -> None:
    assert queue.claim(worker="worker-1", ability=Ability("test", False)) is None
    assert Run.objects.get().state == "queued"


def test_a_worker_without_sandbox_gets_shipped_archives(submission: Submission) -> None:
    Run.objects.update(needs_sandbox=False)
    assert claim(can_run_untrusted=False)


def test_a_claim_lost_to_another_worker_gives_nothing(submission: Submission) -> None:
    run = Run.objects.get()
    claim()
    assert queue._take(run.pk, run.fence, "late") is None
    assert Run.objects.get().lease_owner == "worker-1"


@pytest.mark.parametrize("start", [RunState.CLAIMED, *ON_THE_WAY])
def test_an_expired_lease_goes_back_and_the_late_worker_is_refused(
    submission: Submission, start: RunState, tmp_path: Path
) -> None:
    held = claim()
    bring_to(held, start)
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert runs.reap() == 1
    run = Run.objects.get()
    assert (run.state, run.lease_owner, run.lease_expires_at) == ("queued", "", None)
    assert quota_state(run) == "reserved"
    with pytest.raises(StaleFence):
        complete(held, tmp_path)
    with pytest.raises(StaleFence):
        results.append_log(held, text="late", is_withheld=False)
    assert runs.keep_alive(held) is False
    assert not Score.objects.exists()
    assert runs.reap() == 0


def test_after_the_last_attempt_the_run_fails_as_infra_and_is_refunded(
    submission: Submission, settings: Settings
) -> None:
    settings.MAX_ATTEMPTS, settings.RETRY_SECONDS = 2, 0
    for _ in range(2):
        claim()
        Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        runs.reap()
    run = Run.objects.get()
    assert (run.state, run.failure_code, run.fault) == ("failed", "INFRA", "platform")
    assert quota_state(run) == "refunded"


def test_a_platform_fault_waits_before_the_next_attempt(submission: Submission, settings: Settings) -> None:
    settings.RETRY_SECONDS = 60
    runs.fail(claim(), code="INFRA", detail="disk full")
    assert queue.claim(worker="worker-2", ability=Ability("test", True)) is None
    Run.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert claim("worker-2").fence == 3


def test_a_participants_fault_ends_the_run_and_is_charged(submission: Submission) -> None:
    held = claim()
    bring_to(held, RunState.GENERATING)
    run = runs.fail(held, code="CRASHED", detail="Pair 3: the process ended.")
    assert (run.state, run.failure_code, run.lease_owner) == ("failed", "CRASHED", "")
    assert quota_state(run) == "charged"


@pytest.mark.parametrize(("is_started", "state"), [(False, "refunded"), (True, "charged")])
def test_cancelling_costs_a_run_only_once_it_has_started(
    submission: Submission, is_started: bool, state: str
) -> None:
    held = claim() if is_started else None
    run = runs.cancel(run_id=Run.objects.get().pk, actor="user")
    assert (run.state, quota_state(run)) == ("cancelled", state)
    if held:
        assert runs.keep_alive(held) is False


def test_scores_and_the_end_come_together_and_are_charged(submission: Submission, tmp_path: Path) -> None:
    held = claim()
    bring_to(held, RunState.PUBLISHING)
    run = complete(held, tmp_path)
    assert (run.state, run.scores.count(), quota_state(run)) == ("scored", 1, "charged")
    assert Outbox.objects.filter(topic="refresh", key=str(submission.phase_id)).count() == 1


def test_a_second_completion_changes_nothing(submission: Submission, tmp_path: Path) -> None:
    held = claim()
    bring_to(held, RunState.PUBLISHING)
    complete(held, tmp_path)
    with pytest.raises(StaleFence):
        complete(held, tmp_path)
    assert Score.objects.count() == 1


def test_a_worker_that_stops_hands_the_run_back_uncounted(submission: Submission) -> None:
    held = claim()
    bring_to(held, RunState.GENERATING)
    run = runs.hand_back(held)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("queued", 0)
    assert claim("worker-2").fence == held.fence + 2


@pytest.mark.parametrize("how", ["handed back", "failed"])
def test_cancelling_a_run_that_waits_again_by_our_fault_costs_nothing(
    submission: Submission, how: str
) -> None:
    held = claim()
    bring_to(held, RunState.GENERATING)
    if how == "handed back":
        runs.hand_back(held)
    else:
        runs.fail(held, code="INFRA", detail="disk full")
    run = runs.cancel(run_id=held.run_id, actor="user")
    assert quota_state(run) == "refunded"


def test_every_transition_that_is_not_allowed_is_refused(submission: Submission) -> None:
    run = Run.objects.get()
    for target in set(RunState) - TRANSITIONS[RunState.QUEUED]:
        with pytest.raises(IllegalTransition):
            transition(run_id=run.pk, to=target, actor="test")
    run.refresh_from_db()
    assert (run.state, run.event_count) == ("queued", 1)


def test_history_tells_every_change_in_order(submission: Submission, tmp_path: Path) -> None:
    held = claim()
    bring_to(held, RunState.PUBLISHING)
    run = complete(held, tmp_path)
    events = list(run.events.order_by("sequence").values_list("sequence", "from_state", "to_state"))
    states = ["", "queued", "claimed", *ON_THE_WAY, "scored"]
    assert events == [(n + 1, states[n], states[n + 1]) for n in range(len(states) - 1)]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"state": "sleeping"},
        {"state": "generating"},
        {"lease_owner": "somebody"},
        {"state": "failed"},
        {"state": "scored", "finished_at": timezone.now()},
        {"finished_at": timezone.now()},
    ],
)
def test_the_database_refuses_what_no_run_may_be(submission: Submission, nonsense: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.update(**nonsense)


def test_a_submission_has_one_live_run_per_purpose(submission: Submission) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(submission=submission, sequence=2, queued_at=timezone.now())


def test_a_run_waiting_without_a_message_gets_one(submission: Submission) -> None:
    Outbox.objects.all().delete()
    assert queue.nudge_if_waiting()
    assert Outbox.objects.filter(topic="nudge").count() == 1
    claim()
    assert not queue.nudge_if_waiting()


def test_leased_states_are_exactly_those_a_worker_holds() -> None:
    assert set(LEASED_STATES) == {RunState.CLAIMED, *ON_THE_WAY}
