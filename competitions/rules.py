"""Decisions that need no database: states, windows, quotas, what a failure costs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from competitions.errors import PhaseClosed, QuotaExceeded, TooManyFinals
from evaluation.failures import FAILURES, Fault


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    LOADING = "loading"
    GENERATING = "generating"
    SCORING = "scoring"
    PUBLISHING = "publishing"
    SCORED = "scored"
    FAILED = "failed"
    CANCELLED = "cancelled"


LEASED_STATES = (
    RunState.CLAIMED,
    RunState.LOADING,
    RunState.GENERATING,
    RunState.SCORING,
    RunState.PUBLISHING,
)
SHARED_STATES = (RunState.GENERATING, RunState.SCORING)  # other workers may take shards
LIVE_STATES = (RunState.QUEUED, *LEASED_STATES)
END_STATES = (RunState.SCORED, RunState.FAILED, RunState.CANCELLED)

# Every leased state may end as failed or cancelled, or fall back to the queue; only publishing may score.
# A rescoring generates nothing, so it goes from claimed to scoring.
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.CLAIMED, RunState.CANCELLED, RunState.FAILED}),
    RunState.CLAIMED: frozenset(
        {RunState.LOADING, RunState.SCORING, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED}
    ),
    RunState.LOADING: frozenset({RunState.GENERATING, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED}),
    RunState.GENERATING: frozenset({RunState.SCORING, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED}),
    RunState.SCORING: frozenset({RunState.PUBLISHING, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED}),
    RunState.PUBLISHING: frozenset({RunState.SCORED, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED}),
    RunState.SCORED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}

# By purpose of a run; the lower one is served first.
PRIORITIES = {"dry_run": 0, "score": 10, "rescore": 20}


def states_before(target: RunState) -> tuple[RunState, ...]:
    """List the states from which `target` may be reached."""
    return tuple(state for state, targets in TRANSITIONS.items() if target in targets)


def phase_state(opens_at: datetime, closes_at: datetime, now: datetime) -> str:
    """Return ``upcoming``, ``open`` or ``closed``; the opening instant is open, the closing instant closed."""
    if now < opens_at:
        return "upcoming"
    return "open" if now < closes_at else "closed"


def phase_that_matters(states: Sequence[str]) -> int:
    """Return the place of the phase that matters now: the open one, else the next to open, else the last one.

    The states are those of the phases in the order in which they open.
    """
    for state in ("open", "upcoming"):
        if state in states:
            return states.index(state)
    return len(states) - 1


def check_phase_is_open(opens_at: datetime, closes_at: datetime, now: datetime) -> None:
    """Refuse a submission outside the window."""
    state = phase_state(opens_at, closes_at, now)
    if state == "upcoming":
        raise PhaseClosed(f"The phase opens at {opens_at:%Y-%m-%d %H:%M} UTC.")
    if state == "closed":
        raise PhaseClosed(f"The phase closed at {closes_at:%Y-%m-%d %H:%M} UTC.")


def start_of_day(now: datetime) -> datetime:
    """Return the midnight (UTC) at which the daily quota began."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def check_quota(
    *, used_today: int, per_day: int, used_total: int, total: int, now: datetime, who: str = "The team has"
) -> None:
    """Refuse a submission beyond the daily or the total quota."""
    if used_total >= total:
        raise QuotaExceeded(f"{who} used all {total} runs of this phase.", fix="No more runs can be had.")
    if used_today >= per_day:
        reset = start_of_day(now) + timedelta(days=1)
        error = QuotaExceeded(
            f"{who} used the {per_day} runs of today.",
            fix=f"The next run can be submitted at {reset:%Y-%m-%d %H:%M} UTC.",
        )
        error.retry_at = reset
        raise error


def check_final_choice(*, state: str, chosen: int, limit: int) -> None:
    """Refuse a choice after the phase, or beyond what a team may choose; `state` is the phase's."""
    if limit == 0:
        raise TooManyFinals(
            "In this phase teams do not choose; its rule decides.", fix="Nothing is to be done."
        )
    if state != "open":
        raise PhaseClosed("Choices are made while the phase is open.")
    if chosen > limit:
        raise TooManyFinals


def is_charged(state: RunState, fault: Fault, *, had_started: bool) -> bool:
    """Say whether a run that ended uses up quota: scores and participants' faults do, platform faults never.

    A run that its team cancelled counts only if a worker had already started it.
    """
    if state is RunState.CANCELLED:
        return had_started and fault is not Fault.PLATFORM
    return state is RunState.SCORED or (state is RunState.FAILED and fault is Fault.PARTICIPANT)


def may_be_retried(state: str, failure_code: str) -> bool:
    """Say whether the same archive may run again: it was cancelled, or ended by a fault of ours."""
    return state == RunState.CANCELLED or (
        state == RunState.FAILED and fault_of(failure_code) is Fault.PLATFORM
    )


def fault_of(code: str) -> Fault:
    """Return whose fault a failure code is; a code that is not on the list is ours."""
    return FAILURES[code].fault if code in FAILURES else Fault.PLATFORM


def pause_before(attempts: int, pause_seconds: int) -> int:
    """Return how many seconds the next attempt waits: the pause doubles with each attempt."""
    return pause_seconds * int(2 ** max(0, attempts - 1))


def shown_progress(done: int, total: int) -> int:
    """Return the pairs that a run is said to have done: in tenths, so that nobody reads the time of one hidden pair."""
    return done if done >= total else done - done % max(1, total // 10)
