"""Rules: which state may follow which, what a window and a quota allow, what a failure costs."""

from datetime import UTC, datetime, timedelta

import pytest

from competitions.errors import PhaseClosed, QuotaExceeded
from competitions.rules import (
    END_STATES,
    LEASED_STATES,
    LIVE_STATES,
    PRIORITIES,
    TRANSITIONS,
    RunState,
    check_phase_is_open,
    check_quota,
    fault_of,
    is_charged,
    may_be_retried,
    pause_before,
    phase_state,
    shown_progress,
    states_before,
)
from evaluation.failures import FAILURES, Fault

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_every_state_is_reachable_and_ends_are_final() -> None:
    assert set(TRANSITIONS) == set(RunState) == {*LIVE_STATES, *END_STATES}
    for state in RunState:
        assert states_before(state) or state is None
    assert all(not TRANSITIONS[state] for state in END_STATES)


def test_every_leased_state_can_fall_back_fail_and_be_cancelled() -> None:
    for state in LEASED_STATES:
        assert {RunState.QUEUED, RunState.FAILED, RunState.CANCELLED} <= TRANSITIONS[state]


def test_only_publishing_leads_to_scored() -> None:
    assert states_before(RunState.SCORED) == (RunState.PUBLISHING,)


def test_the_opening_instant_is_open_and_the_closing_instant_is_closed() -> None:
    assert phase_state(NOON, NOON + HOUR, NOON) == "open"
    assert phase_state(NOON - HOUR, NOON, NOON) == "closed"
    assert phase_state(NOON + HOUR, NOON + 2 * HOUR, NOON) == "upcoming"


@pytest.mark.parametrize(
    ("opens", "closes"), [(NOON + HOUR, NOON + 2 * HOUR), (NOON - 2 * HOUR, NOON - HOUR)]
)
def test_submitting_outside_the_window_is_refused_with_the_date(opens: datetime, closes: datetime) -> None:
    with pytest.raises(PhaseClosed, match="2026-03-01 1"):
        check_phase_is_open(opens, closes, NOON)


def test_the_last_run_of_the_day_is_allowed_and_the_next_one_is_not() -> None:
    check_quota(used_today=2, per_day=3, used_total=2, total=10, now=NOON)
    with pytest.raises(QuotaExceeded) as refusal:
        check_quota(used_today=3, per_day=3, used_total=3, total=10, now=NOON)
    assert "2026-03-02 00:00" in refusal.value.fix
    with pytest.raises(QuotaExceeded, match="all 10"):
        check_quota(used_today=0, per_day=3, used_total=10, total=10, now=NOON)


@pytest.mark.parametrize(
    ("state", "fault", "had_started", "charged"),
    [
        (RunState.SCORED, Fault.NONE, True, True),
        (RunState.FAILED, Fault.PARTICIPANT, True, True),
        (RunState.FAILED, Fault.PLATFORM, True, False),
        (RunState.CANCELLED, Fault.NONE, False, False),
        (RunState.CANCELLED, Fault.NONE, True, True),
        (RunState.CANCELLED, Fault.PLATFORM, True, False),
    ],
)
def test_what_a_run_costs(state: RunState, fault: Fault, had_started: bool, charged: bool) -> None:
    assert is_charged(state, fault, had_started=had_started) is charged


def test_only_infra_is_the_platforms_fault_and_unknown_codes_are_too() -> None:
    assert {code for code in FAILURES if fault_of(code) is Fault.PLATFORM} == {"INFRA"}
    assert fault_of("NEVER_HEARD_OF") is Fault.PLATFORM


def test_the_pause_before_a_retry_doubles() -> None:
    assert [pause_before(attempts, 10) for attempts in (1, 2, 3)] == [10, 20, 40]


@pytest.mark.parametrize(
    ("state", "code", "may"),
    [
        ("cancelled", "", True),
        ("failed", "INFRA", True),
        ("failed", "CRASHED", False),
        ("scored", "", False),
        ("generating", "", False),
    ],
)
def test_what_may_be_repeated_as_it_is(state: str, code: str, may: bool) -> None:
    assert may_be_retried(state, code) is may


def test_dry_runs_go_before_entries_and_rescorings_after_them() -> None:
    assert sorted(PRIORITIES, key=PRIORITIES.__getitem__) == ["dry_run", "score", "rescore"]


def test_progress_is_told_in_tenths_and_the_end_exactly() -> None:
    assert [shown_progress(done, 48) for done in (0, 3, 4, 7, 47, 48)] == [0, 0, 4, 4, 44, 48]
    assert [shown_progress(done, 6) for done in (0, 1, 5, 6)] == [0, 1, 5, 6]
