"""Fixtures for the tests of the API: callers with tokens, a submission, and a run that was scored."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import Team, User
from accounts.services import create_user, issue_token
from competitions.models import ImagePair, Phase, Run, Submission
from competitions.ranking import PairDesign, split_scores
from competitions.rules import RunState
from competitions.services import leaderboards, queue, results, runs
from competitions.services.submissions import Upload, create_submission
from competitions.services.workers import Ability
from evaluation.images import write_png
from evaluation.report import PairScore, write_pair_scores
from evaluation.spec import parse_suite
from tests.conftest import smooth_image
from tests.progress import take_shard

API = "/api/v1"
ON_THE_WAY = (RunState.LOADING, RunState.GENERATING, RunState.SCORING, RunState.PUBLISHING)


@pytest.fixture
def anonymous(db: None) -> APIClient:
    """A caller without a token."""
    return APIClient()


@pytest.fixture
def staff(db: None) -> User:
    """An operator of the platform."""
    return create_user(username="operator", password="a long password 4", is_staff=True)


@pytest.fixture
def caller() -> Callable[[User], APIClient]:
    """Return a function that makes a caller with a token of the user."""

    def make(user: User) -> APIClient:
        _, key = issue_token(user=user, name="test")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        return client

    return make


@pytest.fixture
def member(caller: Callable[[User], APIClient], researcher: User) -> APIClient:
    """The researcher's program."""
    return caller(researcher)


@pytest.fixture
def submit(
    phase: Phase, team: Team, researcher: User, make_archive: Callable[..., Path]
) -> Callable[[str], Submission]:
    """Return a function that hands in an archive of that name for the researcher."""

    def make(name: str = "identity") -> Submission:
        path = make_archive(name)
        with path.open("rb") as content:
            upload = Upload(content=content, size=path.stat().st_size, note=f"note on {name}")
            return create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=upload)

    return make


@pytest.fixture
def submission(submit: Callable[[str], Submission]) -> Submission:
    """A submission that waits in the queue."""
    return submit("identity")


@pytest.fixture
def evaluate(tmp_path: Path) -> Callable[[Submission], Run]:
    """Return a function that takes a queued run through all stages to known scores, and makes the board."""

    def make(submission: Submission) -> Run:
        held = queue.claim(worker="worker-1", ability=Ability("test", True))
        assert held is not None
        assert held.run_id == submission.runs.get().pk
        for stage in ON_THE_WAY:
            changes = {"manifest": _manifest(submission)} if stage is RunState.LOADING else None
            runs.advance(held, stage, changes=changes)
            if stage is RunState.GENERATING:
                _generate(held, submission, tmp_path)
        _complete(held, submission, tmp_path)
        leaderboards.refresh(phase_id=submission.phase_id)
        return Run.objects.get(pk=held.run_id)

    return make


@pytest.fixture
def scored(submission: Submission, evaluate: Callable[[Submission], Run]) -> Run:
    """The run of the submission, scored."""
    return evaluate(submission)


def pairs_of(submission: Submission, split: str = "") -> list[ImagePair]:
    """List the pairs of the submission's phase."""
    pairs = submission.phase.dataset_version.pairs.select_related("content", "style").order_by("name")
    return list(pairs.filter(split=split) if split else pairs)


def score_of(index: int) -> float:
    """Return the headline of the pair with that number: one that no other number looks like."""
    return 0.41 + index * 0.0123456789


def _manifest(submission: Submission) -> dict[str, object]:
    suite = parse_suite(submission.phase.suite.document)
    return {"suite": suite.id, "suite_digest": suite.digest, "driver": {"name": "test"}}


def _generate(held: runs.Claim, submission: Submission, folder: Path) -> None:
    results.append_log(held, text="loading weights\n", is_withheld=False)
    shard = take_shard(held)
    for index, pair in enumerate(pairs_of(submission)):
        path = folder / "output.png"
        write_png(smooth_image(held.run_id.int % 2**31 + index, 16), path)
        results.store_output(shard, pair=pair.name, path=path, seconds=0.25)
        results.append_log(held, text=f"made {pair.split}\n", is_withheld=pair.split == "hidden")


def _complete(held: runs.Claim, submission: Submission, folder: Path) -> None:
    pairs = pairs_of(submission)
    scores = {
        pair.name: PairScore(
            pair.name,
            {"headline": score_of(i), "content": 0.9, "style": score_of(i) / 2, "seconds": 0.25},
            seconds=0.25,
        )
        for i, pair in enumerate(pairs)
    }
    table = folder / f"{held.run_id}.parquet"
    write_pair_scores(tuple(scores.values()), table)
    design = [PairDesign(p.name, p.split, p.content.sha256, p.style.sha256, p.culture) for p in pairs]
    results.complete(
        held, pair_scores=table, scores=split_scores(scores, design), n_pairs=len(pairs), n_valid=len(pairs)
    )


def error_of(answer: Response) -> dict:
    """Return the error of an answer, which always has the same four parts."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "fix", "fields"}
    return error
