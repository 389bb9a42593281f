"""Boards: which run counts, snapshots that never change, and no mixing of suites."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Team, User
from competitions.models import (
    Disqualification,
    LeaderboardSnapshot,
    Outbox,
    Phase,
    Run,
    RunOutput,
    Submission,
)
from competitions.ranking import SplitScore
from competitions.rules import RunState
from competitions.selectors.cards import cards
from competitions.selectors.competitions import find_phase, get_competition
from competitions.selectors.leaderboards import Leaderboard, leaderboard
from competitions.services import outbox, queue, results, runs
from competitions.services.competitions import store_suite
from competitions.services.leaderboards import refresh
from competitions.services.moderation import disqualify, lift
from competitions.services.submissions import Upload, create_submission, register_baseline
from competitions.services.workers import Ability
from evaluation.report import PairScore, write_pair_scores
from evaluation.spec import MetricSuite

Score = Callable[..., Run]


@pytest.fixture
def score(
    phase: Phase, team: Team, researcher: User, make_archive: Callable[..., Path], tmp_path: Path
) -> Score:
    """Return a function that submits under a name and ends its run with one headline score for every pair."""

    def submit(name: str, is_baseline: bool) -> Submission:
        path = make_archive(name)
        with path.open("rb") as content:
            upload = Upload(content=content, size=path.stat().st_size)
            if is_baseline:
                return register_baseline(phase_pk=phase.pk, upload=upload)
            return create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=upload)

    def end(name: str, level: float, *, is_baseline: bool = False) -> Run:
        submit(name, is_baseline)
        held = queue.claim(worker="w", ability=Ability("test", True))
        assert held is not None
        runs.advance(held, RunState.LOADING, changes={"manifest": {"suite_digest": phase.suite.digest}})
        for stage in (RunState.GENERATING, RunState.SCORING, RunState.PUBLISHING):
            runs.advance(held, stage)
        table = tmp_path / f"{name}.parquet"
        names = [pair.name for pair in phase.dataset_version.pairs.all()]
        values = {"headline": level, "content": level, "style": level}
        write_pair_scores(tuple(PairScore(pair, values) for pair in names), table)
        aggregate = [SplitScore("headline", "hidden", level, level, level, 4)]
        return results.complete(held, pair_scores=table, scores=aggregate, n_pairs=6, n_valid=6)

    return end


def names_on_board(phase: Phase) -> list[str]:
    """Refresh the board and list its names from the top."""
    return [row.submission.name for row in refresh(phase_id=phase.pk).rows.select_related("submission")]


def test_the_best_submission_of_a_team_counts(phase: Phase, score: Score) -> None:
    score("first", 0.7)
    score("second", 0.4)
    assert names_on_board(phase) == ["first"]


def test_where_the_latest_counts_a_worse_one_replaces_a_better_one(phase: Phase, score: Score) -> None:
    Phase.objects.update(counting="latest")
    score("first", 0.7)
    score("second", 0.4)
    assert names_on_board(phase) == ["second"]


def test_baselines_stand_beside_entries_unnumbered(phase: Phase, score: Score) -> None:
    score("known", 0.9, is_baseline=True)
    score("mine", 0.5)
    rows = list(refresh(phase_id=phase.pk).rows.all())
    assert [(row.submission.kind, row.rank) for row in rows] == [("baseline", None), ("entry", 1)]


def test_a_baseline_is_registered_once(phase: Phase, score: Score, make_archive: Callable[..., Path]) -> None:
    score("known", 0.9, is_baseline=True)
    path = make_archive("known")
    with path.open("rb") as content:
        again = register_baseline(phase_pk=phase.pk, upload=Upload(content=content, size=path.stat().st_size))
    assert Submission.objects.get() == again
    assert Run.objects.count() == 1


def test_a_baseline_that_we_broke_runs_again_when_it_is_registered_again(
    phase: Phase, make_archive: Callable[..., Path], settings: Settings
) -> None:
    settings.MAX_ATTEMPTS = 1
    path = make_archive("known")

    def register() -> Submission:
        with path.open("rb") as content:
            return register_baseline(
                phase_pk=phase.pk, upload=Upload(content=content, size=path.stat().st_size)
            )

    register()
    held = queue.claim(worker="w", ability=Ability("test", True))
    assert held is not None
    runs.fail(held, code="INFRA", detail="disk full")
    submission = register()
    assert list(submission.runs.order_by("sequence").values_list("state", flat=True)) == ["failed", "queued"]


def test_without_news_the_snapshot_stays(phase: Phase, score: Score) -> None:
    score("first", 0.7)
    assert refresh(phase_id=phase.pk) == refresh(phase_id=phase.pk)
    assert LeaderboardSnapshot.objects.count() == 1


def test_a_new_score_makes_a_new_snapshot_and_leaves_the_old_one(phase: Phase, score: Score) -> None:
    score("first", 0.5)
    old = refresh(phase_id=phase.pk)
    score("second", 0.8)
    new = refresh(phase_id=phase.pk)
    assert old != new
    assert [row.submission.name for row in old.rows.all()] == ["first"]
    assert [row.submission.name for row in new.rows.all()] == ["second"]


def test_runs_of_another_suite_never_stand_on_the_board(
    phase: Phase, score: Score, suite: MetricSuite
) -> None:
    run = score("first", 0.5)
    other = store_suite(suite=replace(suite, version=2))
    Run.objects.filter(pk=run.pk).update(suite=other)
    assert names_on_board(phase) == []
    Phase.objects.update(suite=other)
    assert names_on_board(phase) == ["first"]


def test_a_dry_run_never_stands_on_the_board(phase: Phase, score: Score) -> None:
    run = score("first", 0.5)
    Run.objects.filter(pk=run.pk).update(purpose=Run.Purpose.DRY_RUN)
    assert names_on_board(phase) == []


def board_of(viewer: User) -> Leaderboard:
    """Read the board as a page does."""
    competition = get_competition("small", viewer)
    return leaderboard(competition, find_phase(competition, None))


def take_off(run: Run, organizer: User) -> Disqualification:
    """Disqualify the submission of a run."""
    return disqualify(submission_id=run.submission_id, user=organizer, reason="It copies.")


def test_without_a_disqualified_submission_the_teams_next_best_counts(
    phase: Phase, score: Score, organizer: User
) -> None:
    best = score("best", 0.9)
    score("second", 0.4)
    score("known", 0.8, is_baseline=True)
    assert names_on_board(phase) == ["best", "known"]
    take_off(best, organizer)
    assert names_on_board(phase) == ["known", "second"]
    assert refresh(phase_id=phase.pk).rows.get(submission__name="second").rank == 1
    lift(submission_id=best.submission_id, user=organizer)
    assert names_on_board(phase) == ["best", "known"]


def test_a_disqualified_submission_is_listed_with_the_reason_even_before_the_next_snapshot(
    phase: Phase, score: Score, organizer: User, researcher: User
) -> None:
    run = score("best", 0.9)
    refresh(phase_id=phase.pk)
    assert [row.name for row in board_of(researcher).rows] == ["best"]
    take_off(run, organizer)
    for _ in range(2):
        board = board_of(researcher)
        assert board.rows == ()
        (line,) = board.disqualified
        assert (line.submission_id, line.name, line.team) == (run.submission_id, "best", "rosalba")
        assert line.reason == "It copies."
        refresh(phase_id=phase.pk)
    lift(submission_id=run.submission_id, user=organizer)
    assert board_of(researcher).disqualified == ()


def test_a_disqualified_submission_that_nobody_has_seen_is_not_listed(
    phase: Phase, score: Score, organizer: User, researcher: User
) -> None:
    run = score("best", 0.9)
    take_off(run, organizer)
    Run.objects.update(purpose=Run.Purpose.DRY_RUN)
    assert board_of(researcher).disqualified == ()


def rescore(phase: Phase, run: Run, suite: MetricSuite) -> Run:
    """Give the phase another version of its suite, and queue a rescoring of a run."""
    Phase.objects.update(suite=store_suite(suite=suite))
    submission = Submission.objects.select_related("phase").get(pk=run.submission_id)
    return queue.create_run(submission=submission, purpose=Run.Purpose.RESCORE, source=run, actor="organizer")


def test_while_runs_are_scored_again_the_board_before_stands(
    phase: Phase, score: Score, suite: MetricSuite, researcher: User
) -> None:
    first = score("first", 0.5)
    known = score("known", 0.6, is_baseline=True)
    before = refresh(phase_id=phase.pk)
    again = [rescore(phase, run, replace(suite, version=2)) for run in (first, known)]
    assert refresh(phase_id=phase.pk) == before
    board = board_of(researcher)
    assert board.is_rescoring
    assert (board.suite, board.phase.suite.id) == ("sts-test-1", "sts-test-2")
    runs.cancel(run_id=again[0].pk, actor="organizer")
    assert refresh(phase_id=phase.pk) == before
    runs.cancel(run_id=again[1].pk, actor="organizer")
    assert list(refresh(phase_id=phase.pk).rows.all()) == []
    assert not board_of(researcher).is_rescoring


def test_the_end_of_the_last_rescoring_refreshes_the_board_even_if_it_failed(
    phase: Phase, score: Score, suite: MetricSuite, settings: Settings
) -> None:
    settings.MAX_ATTEMPTS = 1
    first = score("first", 0.5)
    refresh(phase_id=phase.pk)
    Outbox.objects.all().delete()
    rescore(phase, first, replace(suite, version=2))
    held = queue.claim(worker="w", ability=Ability("test", True))
    assert held is not None
    runs.fail(held, code="INFRA", detail="disk full")
    outbox.flush((Outbox.Topic.REFRESH_LEADERBOARD,))
    assert phase.snapshots.latest().suite_name == "sts-test-2"
    assert phase.snapshots.latest().rows.count() == 0


def test_a_first_board_is_made_even_while_runs_are_scored_again(
    phase: Phase, score: Score, suite: MetricSuite
) -> None:
    rescore(phase, score("first", 0.5), replace(suite, version=2))
    assert names_on_board(phase) == []
    assert phase.snapshots.count() == 1


def test_a_rescored_run_shows_the_pictures_that_were_scored_again(
    phase: Phase, score: Score, suite: MetricSuite, researcher: User
) -> None:
    run = score("first", 0.5)
    pair = phase.dataset_version.pairs.filter(split="public").earliest("name")
    RunOutput.objects.create(run=run, pair=pair, artifact=pair.content, seconds=1.0)
    again = rescore(phase, run, replace(suite, version=2))
    Run.objects.filter(pk=again.pk).update(
        state=RunState.SCORED, finished_at=timezone.now(), pair_scores=run.pair_scores, n_pairs=6, n_valid=6
    )
    refresh(phase_id=phase.pk)
    (row,) = board_of(researcher).rows
    assert (row.run_id, row.strip) == (again.pk, {pair.pk})
    (card,) = cards(researcher)
    assert (card.leader_run_id, card.pictured) == (again.pk, {pair.pk})


def test_the_board_page_reads_what_was_stored(phase: Phase, score: Score, researcher: User) -> None:
    score("first", 0.5)
    refresh(phase_id=phase.pk)
    board = board_of(researcher)
    (row,) = board.rows
    assert (row.name, row.rank, row.values["headline"].value) == ("first", 1, 0.5)
    assert board.snapshot is not None
    assert (board.snapshot.n_pairs, board.snapshot.n_styles, board.snapshot.n_contents) == (4, 2, 2)
