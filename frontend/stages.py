"""The way of a submission in stages, made from its run's events; how often a page asks for news."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from competitions.selectors.submissions import EventView, RunView, SubmissionView

RECEIVED, CHECKED, QUEUED, LOADING, GENERATING, SCORING, PUBLISHED = range(7)
LABELS = (
    _("received"),
    _("checked"),
    _("queued"),
    _("loading"),
    _("generating"),
    _("scoring"),
    _("published"),
)
STAGE_OF_STATE = {
    "queued": QUEUED,
    "claimed": LOADING,
    "loading": LOADING,
    "generating": GENERATING,
    "scoring": SCORING,
    "publishing": PUBLISHED,
    "scored": PUBLISHED,
}
# Seconds since the last change of state -> seconds between two questions.
PACE = ((10, 1), (120, 2), (600, 5))
SLOWEST_PACE = 15


@dataclass(frozen=True)
class Stage:
    """One stage; `state` is done, now, todo, failed or cancelled, `seconds` is how long it took or has taken."""

    label: str
    state: str
    entered_at: datetime | None
    seconds: float | None
    is_generating: bool


@dataclass(frozen=True)
class Forecast:
    """How fast pairs are made, and when the last one may be done."""

    per_minute: float
    seconds_left: float


def stages(submission: SubmissionView, now: datetime) -> tuple[Stage, ...]:
    """Line up the stages of the latest run; a run that went back to the queue begins there again.

    There are seven, but for rescorings, which generate nothing.
    """
    run = submission.run
    attempt = _latest_attempt(run.events)
    entered = {RECEIVED: submission.created_at, CHECKED: submission.created_at}
    for event in attempt:
        if event.to_state in STAGE_OF_STATE:
            entered.setdefault(STAGE_OF_STATE[event.to_state], event.created_at)
    current = max(entered)
    end = now if run.is_live else run.finished_at or now
    return tuple(
        Stage(
            label=str(label),
            state=_stage_state(index, current, run),
            entered_at=entered.get(index),
            seconds=_time_spent(index, current, entered, end),
            is_generating=index == GENERATING,
        )
        for index, label in enumerate(LABELS)
        if index != GENERATING or run.purpose != "rescore"
    )


def forecast(run: RunView, now: datetime) -> Forecast | None:
    """Estimate the time left from the pairs made so far; None before there is anything to go by."""
    entered = [event.created_at for event in _latest_attempt(run.events) if event.to_state == "generating"]
    if run.state != "generating" or not entered or run.pairs_done < 2:
        return None
    seconds = max(0.1, (now - entered[0]).total_seconds())
    left = max(0, run.pairs_total - run.pairs_done)
    return Forecast(per_minute=60 * run.pairs_done / seconds, seconds_left=left * seconds / run.pairs_done)


def poll_seconds(run: RunView, now: datetime) -> int | None:
    """Return after how many seconds a page should ask again: soon after a change, later with age, never at the end."""
    if not run.is_live:
        return None
    changed_at = run.events[-1].created_at if run.events else run.queued_at
    age = (now - changed_at).total_seconds()
    return next((pace for limit, pace in PACE if age < limit), SLOWEST_PACE)


def is_silent(run: RunView, now: datetime, lease_seconds: int) -> bool:
    """Say whether the worker of a running run has not been heard of for as long as its lease lasts."""
    if not run.is_live or run.last_sign_of_life is None or run.state == "queued":
        return False
    return now - run.last_sign_of_life > timedelta(seconds=lease_seconds)


def _latest_attempt(events: Sequence[EventView]) -> Sequence[EventView]:
    starts = [index for index, event in enumerate(events) if event.to_state == "queued"]
    return events[starts[-1] :] if starts else events


def _stage_state(index: int, current: int, run: RunView) -> str:
    if index != current:
        return "done" if index < current else "todo"
    if run.is_live:
        return "now"
    return "done" if run.state == "scored" else run.state


def _time_spent(index: int, current: int, entered: dict[int, datetime], end: datetime) -> float | None:
    if index < QUEUED or index > current or index not in entered:
        return None
    later = [at for stage, at in entered.items() if stage > index]
    return max(0.0, (min(later, default=end) - entered[index]).total_seconds())
