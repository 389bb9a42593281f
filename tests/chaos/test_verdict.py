"""The judge of the day sees what is lost, stuck, scored twice, charged wrongly or ended otherwise than it should."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Team, User
from competitions.models import ImagePair, Outbox, Phase, QuotaEntry, Run, RunEvent, RunFlag, RunOutput
from competitions.services.submissions import Upload, create_submission
from tests.chaos.entries import Entry
from tests.chaos.verdict import Verdict, judge

pytestmark = pytest.mark.django_db

GOOD = Entry(number=0, team=0, phase="best", weight=0.5, crashes=False)
CRASHING = Entry(number=1, team=0, phase="best", weight=0.6, crashes=True)


@pytest.fixture
def runs(phase: Phase, team: Team, researcher: User, make_archive: Callable[..., Path]) -> tuple[Run, Run]:
    """One run of a good entry that was scored, one of a crashing entry that crashed; nothing is wrong."""
    good, crashed = (_submit(entry, phase, team, researcher, make_archive) for entry in (GOOD, CRASHING))
    for pair in ImagePair.objects.all():
        RunOutput.objects.create(run=good, pair=pair, artifact=good.submission.archive, seconds=1.0)
    _end(good, "scored", pair_scores=good.submission.archive, n_pairs=6)
    _end(crashed, "failed", failure_code="CRASHED", fault="participant")
    Outbox.objects.all().delete()
    return good, crashed


def _submit(entry: Entry, phase: Phase, team: Team, user: User, make_archive: Callable[..., Path]) -> Run:
    path = make_archive(entry.name)
    with path.open("rb") as content:
        upload = Upload(content=content, size=path.stat().st_size)
        submission = create_submission(phase_pk=phase.pk, team=team, user=user, upload=upload)
    return submission.runs.get()


def _end(run: Run, state: str, **changes: object) -> None:
    Run.objects.filter(pk=run.pk).update(state=state, finished_at=timezone.now(), **changes)
    _note(run, state)
    QuotaEntry.objects.filter(run=run).update(state="charged", settled_at=timezone.now())


def _note(run: Run, state: str) -> None:
    sequence = run.events.count() + 1
    RunEvent.objects.create(run=run, sequence=sequence, from_state="publishing", to_state=state, actor="x")


def found(verdict: Verdict) -> dict[str, list[str]]:
    """Return what was found, by its name, without what was not."""
    return {name: sentences for name, sentences in vars(verdict).items() if sentences}


def test_a_good_day_shows_nothing(runs: tuple[Run, Run]) -> None:
    assert found(judge([GOOD, CRASHING])) == {}


def test_an_entry_that_was_never_taken_in_is_lost(runs: tuple[Run, Run]) -> None:
    missing = Entry(number=9, team=0, phase="best", weight=0.7, crashes=False)
    assert found(judge([GOOD, CRASHING, missing])) == {"lost": ["entry-0009 has no run that has ended"]}


def test_a_run_that_has_not_ended_is_lost_and_stuck(runs: tuple[Run, Run]) -> None:
    Run.objects.filter(pk=runs[1].pk).update(state="queued", finished_at=None, failure_code="", fault="none")
    QuotaEntry.objects.filter(run=runs[1]).update(state="reserved", settled_at=None)
    verdict = found(judge([GOOD, CRASHING]))
    assert set(verdict) == {"lost", "stuck"}
    assert "attempt 0" in verdict["stuck"][0]


def test_a_promise_that_was_not_kept_is_stuck(runs: tuple[Run, Run]) -> None:
    Outbox.objects.create(topic="refresh", key="1", not_before=timezone.now(), last_error="no table")
    (sentence,) = found(judge([GOOD, CRASHING]))["stuck"]
    assert "refresh 1" in sentence
    assert "no table" in sentence


def test_a_second_scoring_shows_in_the_events(runs: tuple[Run, Run]) -> None:
    _note(runs[0], "scored")
    assert found(judge([GOOD, CRASHING])) == {"double_scored": ["entry-0000 was scored 2 times"]}


def test_a_missing_picture_shows(runs: tuple[Run, Run]) -> None:
    RunOutput.objects.filter(run=runs[0]).first().delete()  # type: ignore[union-attr]
    (sentence,) = found(judge([GOOD, CRASHING]))["double_scored"]
    assert "5 pictures for 6 pairs" in sentence


@pytest.mark.parametrize("state", ["refunded", "reserved"])
def test_a_score_that_was_not_charged_is_an_imbalance(runs: tuple[Run, Run], state: str) -> None:
    settled = timezone.now() if state == "refunded" else None
    QuotaEntry.objects.filter(run=runs[0]).update(state=state, settled_at=settled)
    (sentence,) = found(judge([GOOD, CRASHING]))["quota_imbalance"]
    assert sentence == f"entry-0000 ended as scored  and is {state}"


def test_a_platform_fault_that_was_charged_is_an_imbalance_and_unexpected(runs: tuple[Run, Run]) -> None:
    Run.objects.filter(pk=runs[1].pk).update(failure_code="INFRA", fault="platform")
    assert set(found(judge([GOOD, CRASHING]))) == {"quota_imbalance", "unexpected"}


def test_a_good_generator_that_is_said_to_have_crashed_is_unexpected(runs: tuple[Run, Run]) -> None:
    other = Entry(number=1, team=0, phase="best", weight=0.6, crashes=False)
    (sentence,) = found(judge([GOOD, other]))["unexpected"]
    assert sentence.startswith("entry-0001 ended as failed CRASHED")


def test_a_flag_on_a_generator_that_does_the_same_twice_is_unexpected(runs: tuple[Run, Run]) -> None:
    RunFlag.objects.create(run=runs[0], code="STATEFUL", strength=9, threshold=1, sentence="It remembers.")
    (sentence,) = found(judge([GOOD, CRASHING]))["unexpected"]
    assert "STATEFUL" in sentence
