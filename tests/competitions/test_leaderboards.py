"""Boards: which run counts, snapshots that never change, and no mixing of suites."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import Team, User
from competitions.models import LeaderboardSnapshot, Phase, Run, Submission
from competitions.ranking import SplitScore
from competitions.rules import RunState
from competitions.selectors.competitions import find_phase, get_competition
from competitions.selectors.leaderboards import leaderboard
from competitions.services import queue, results, runs
from competitions.services.leaderboards import refresh
from competitions.services.submissions import Upload, create_submission, register_baseline
from competitions.services.workers import Ability
from evaluation.report import PairScore, write_pair_scores

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


def test_runs_of_another_suite_never_stand_on_the_board(phase: Phase, score: Score) -> None:
    run = score("first", 0.5)
    Run.objects.filter(pk=run.pk).update(manifest={"suite_digest": "0" * 64})
    assert names_on_board(phase) == []


def test_the_board_page_reads_what_was_stored(phase: Phase, score: Score, researcher: User) -> None:
    score("first", 0.5)
    refresh(phase_id=phase.pk)
    competition = get_competition("small", researcher)
    board = leaderboard(competition, find_phase(competition, None))
    (row,) = board.rows
    assert (row.name, row.rank, row.values["headline"].value) == ("first", 1, 0.5)
    assert board.snapshot is not None
    assert (board.snapshot.n_pairs, board.snapshot.n_styles, board.snapshot.n_contents) == (4, 2, 2)
