"""The stage line and the pace of questions, from events alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from competitions.selectors.status import Waiting
from competitions.selectors.submissions import EventView, RunView, SubmissionView
from frontend.stages import forecast, is_silent, poll_seconds, stages

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_run(state: str, events: Sequence[tuple[str, float]], *, pairs_done: int = 0) -> RunView:
    live = state not in ("scored", "failed", "cancelled")
    return RunView(
        id=uuid4(),
        state=state,
        is_live=live,
        purpose="score",
        attempt=1,
        pairs_done=pairs_done,
        pairs_total=60,
        queue_place=None,
        queued_at=START,
        started_at=None,
        finished_at=None if live else at(events[-1][1]),
        last_sign_of_life=at(events[-1][1]),
        failure=None,
        waiting=Waiting(),
        events=tuple(EventView(state, at(seconds), "") for state, seconds in events),
        provenance={},
        outputs_of=uuid4(),
    )


def a_submission(run: RunView) -> SubmissionView:
    return SubmissionView(
        id=uuid4(),
        name="wash",
        kind="entry",
        competition="small",
        competition_title="Small",
        phase="main",
        team="rosalba",
        team_slug="rosalba",
        note="",
        created_at=START,
        archive_sha256="0" * 64,
        archive_size=1,
        manifest={},
        run=run,
        can_manage=True,
    )


WHOLE = [
    ("queued", 0),
    ("claimed", 10),
    ("loading", 11),
    ("generating", 20),
    ("scoring", 50),
    ("publishing", 55),
    ("scored", 57),
]


def test_a_scored_run_has_passed_all_stages_with_the_time_each_took() -> None:
    line = stages(a_submission(a_run("scored", WHOLE)), at(500))
    assert [stage.state for stage in line] == ["done"] * 7
    assert [stage.seconds for stage in line] == [None, None, 10, 10, 30, 5, 2]


def test_a_rescoring_generates_nothing() -> None:
    events = [("queued", 0), ("claimed", 10), ("scoring", 12), ("publishing", 20), ("scored", 21)]
    run = replace(a_run("scored", events), purpose="rescore")
    line = stages(a_submission(run), at(500))
    assert [stage.is_generating for stage in line] == [False] * 6
    assert [stage.seconds for stage in line] == [None, None, 10, 2, 8, 1]


def test_a_live_run_is_where_its_last_event_says() -> None:
    line = stages(a_submission(a_run("generating", WHOLE[:4])), at(25))
    assert [stage.state for stage in line] == ["done"] * 4 + ["now"] + ["todo"] * 2
    assert line[4].entered_at == at(20)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_run_that_ended_early_shows_where(end: str) -> None:
    line = stages(a_submission(a_run(end, [*WHOLE[:3], (end, 30)])), at(500))
    assert [stage.state for stage in line] == ["done"] * 3 + [end] + ["todo"] * 3
    assert line[3].seconds == 20


def test_a_run_that_went_back_to_the_queue_begins_there_again() -> None:
    line = stages(a_submission(a_run("queued", [*WHOLE[:4], ("queued", 80)])), at(90))
    assert [stage.state for stage in line] == ["done", "done", "now", "todo", "todo", "todo", "todo"]
    assert line[2].entered_at == at(80)


@pytest.mark.parametrize(
    ("age", "pace"), [(0, 1), (9, 1), (10, 2), (119, 2), (120, 5), (600, 15), (9999, 15)]
)
def test_questions_become_rarer_with_the_age_of_the_last_change(age: int, pace: int) -> None:
    assert poll_seconds(a_run("queued", [("queued", 0)]), at(age)) == pace


@pytest.mark.parametrize("end", ["scored", "failed", "cancelled"])
def test_questions_stop_at_the_end(end: str) -> None:
    assert poll_seconds(a_run(end, [("queued", 0), (end, 5)]), at(6)) is None


def test_the_forecast_follows_the_pace_so_far() -> None:
    seen = forecast(a_run("generating", WHOLE[:4], pairs_done=15), at(20 + 30))
    assert seen is not None
    assert seen.per_minute == pytest.approx(30)
    assert seen.seconds_left == pytest.approx(90)


def test_there_is_no_forecast_from_a_single_pair() -> None:
    assert forecast(a_run("generating", WHOLE[:4], pairs_done=1), at(30)) is None
    assert forecast(a_run("scoring", WHOLE[:5], pairs_done=60), at(60)) is None


def test_a_worker_is_silent_after_its_lease_and_a_queued_run_never() -> None:
    running = a_run("generating", WHOLE[:4])
    assert not is_silent(running, at(20 + 59), 60)
    assert is_silent(running, at(20 + 61), 60)
    assert not is_silent(a_run("queued", [("queued", 0)]), at(9999), 60)
