"""The pipeline on real processes: a claimed run ends scored, failed with its code, or back in the queue."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import Team, User
from competitions.models import LeaderboardSnapshot, Phase, QuotaEntry, Run, RunLogChunk, RunOutput
from competitions.rules import RunState
from competitions.services import queue, runs
from competitions.services.submissions import Upload, create_submission
from competitions.services.workers import Ability
from evaluation.errors import SandboxUnavailable
from evaluation.generation.process import ProcessDriver
from workers import pipeline
from workers.drain import draining
from workers.drivers import Drivers
from workers.scorer import ScorerProcess
from workers.station import Station

pytestmark = pytest.mark.django_db(transaction=True)

SWAP = """
import sys
class Model:
    def __init__(self, bundle_dir, device):
        print("loading", file=sys.stderr)
    def stylize(self, content, style):
        print("a pair", file=sys.stderr)
        return (content // 2 + style // 2)
"""
BREAKS = {
    "CRASHED": "import os; os._exit(3)",
    "BAD_OUTPUT": "return content[:-1]",
    "MISSING_FILE": "open(self.folder + '/weights.bin')",
    "PAIR_TIMEOUT": "import time; time.sleep(60)",
}


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScorerProcess]:
    """A warm scorer for all tests of this file."""
    made = ScorerProcess(threads=1, cache_dir=tmp_path_factory.mktemp("features"))
    yield made
    made.stop()


@pytest.fixture
def here(scorer: ScorerProcess) -> Station:
    """A station of this very process, without a sandbox."""
    return Station("station", 0, Drivers(None, ProcessDriver(), "no sandbox in this test", "none"), scorer)


@pytest.fixture
def submit(
    phase: Phase, team: Team, researcher: User, make_archive: Callable[..., Path]
) -> Callable[[str], Run]:
    """Return a function that submits a generator as one of the project's own and returns its run."""

    def send(code: str) -> Run:
        path = make_archive(code=code)
        with path.open("rb") as content:
            upload = Upload(content=content, size=path.stat().st_size, allow_duplicate=True)
            submission = create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=upload)
        type(submission).objects.filter(pk=submission.pk).update(is_shipped=True)
        submission.runs.update(needs_sandbox=False)
        return submission.runs.get()

    return send


def evaluate(here: Station) -> None:
    """Claim the next run and take it through the pipeline."""
    held = queue.claim(worker=here.name, ability=Ability("test", False))
    assert held is not None
    pipeline.run(held, here)


def test_a_run_is_scored_and_stands_on_the_board(here: Station, submit: Callable[[str], Run]) -> None:
    run = submit(SWAP)
    evaluate(here)
    run.refresh_from_db()
    assert (run.state, run.n_pairs, run.n_valid, run.pairs_done) == ("scored", 6, 6, 6)
    assert RunOutput.objects.filter(run=run).count() == 6
    headline = run.scores.get(metric="headline", split="hidden")
    assert 0 < headline.value < 1
    row = LeaderboardSnapshot.objects.get().rows.get()
    assert row.rank == 1
    assert row.values["headline"][0] == headline.value
    assert run.manifest["driver"]["driver"] == "process"
    assert run.manifest["is_sandboxed"] is False


def test_the_log_is_withheld_once_hidden_images_are_shown(
    here: Station, submit: Callable[[str], Run]
) -> None:
    submit(SWAP)
    evaluate(here)
    shown = "".join(RunLogChunk.objects.filter(is_withheld=False).values_list("text", flat=True))
    assert shown.startswith("loading\na pair\n")
    assert 1 <= shown.count("a pair") <= 3  # two public pairs; a line may come in just before the next pair
    assert RunLogChunk.objects.filter(is_withheld=True).exists()


@pytest.mark.parametrize("code", BREAKS)
def test_each_failing_generator_gets_its_own_code_and_is_charged(
    here: Station, submit: Callable[[str], Run], phase: Phase, code: str
) -> None:
    type(phase).objects.update(pair_seconds=1)
    source = SWAP.replace('print("loading", file=sys.stderr)', "self.folder = bundle_dir")
    run = submit(source.replace("return (content // 2 + style // 2)", BREAKS[code]))
    evaluate(here)
    run.refresh_from_db()
    assert (run.state, run.failure_code, run.fault) == ("failed", code, "participant")
    assert not run.scores.exists()
    assert not LeaderboardSnapshot.objects.exists()
    assert QuotaEntry.objects.get(run=run).state == "charged"


def test_how_a_generator_ended_on_a_hidden_pair_is_not_told(
    here: Station, submit: Callable[[str], Run]
) -> None:
    """Else the exit status would carry eight bits about a hidden image."""
    counts = SWAP.replace('print("loading", file=sys.stderr)', "self.pairs = 0")
    body = "self.pairs += 1\n        if self.pairs > 2: import os; os._exit(77)\n        return content"
    run = submit(counts.replace("return (content // 2 + style // 2)", body))
    evaluate(here)
    run.refresh_from_db()
    assert run.failure_code == "CRASHED"
    assert run.failure_detail == pipeline.HIDDEN_DETAIL
    assert not any("77" in detail for detail in run.events.values_list("detail", flat=True))


def test_a_strangers_archive_never_runs_without_a_sandbox(
    here: Station, submit: Callable[[str], Run]
) -> None:
    run = submit(SWAP)
    type(run.submission).objects.update(is_shipped=False)
    held = queue.claim(worker=here.name, ability=Ability("test", True))  # as if the claim had been wrong
    assert held is not None
    with pytest.raises(SandboxUnavailable):
        pipeline.run(held, here)
    run.refresh_from_db()
    assert (run.state, RunOutput.objects.count()) == ("queued", 0)


def test_a_cancelled_run_is_left_and_leaves_nothing_behind(
    here: Station, submit: Callable[[str], Run], settings: Settings
) -> None:
    run = submit(SWAP)
    held = queue.claim(worker=here.name, ability=Ability("test", False))
    assert held is not None
    runs.cancel(run_id=run.pk, actor="user")
    pipeline.run(held, here)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not run.scores.exists()
    assert list((settings.WORKER_DIR / "runs").iterdir()) == []


def test_a_draining_worker_hands_the_run_back(here: Station, submit: Callable[[str], Run]) -> None:
    run = submit(SWAP)
    held = queue.claim(worker=here.name, ability=Ability("test", False))
    assert held is not None
    draining.set()
    try:
        pipeline.run(held, here)
    finally:
        draining.clear()
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.QUEUED, 0)


def test_a_damaged_archive_is_our_fault_and_costs_nothing(
    here: Station, submit: Callable[[str], Run], settings: Settings
) -> None:
    run = submit(SWAP)
    sha256 = run.submission.archive.sha256
    stored = settings.DATA_DIR / "artifacts" / sha256[:2] / sha256[2:4] / sha256
    stored.write_bytes(stored.read_bytes() + b"x")
    with pytest.raises(RuntimeError, match="damaged"):
        evaluate(here)
    run.refresh_from_db()
    assert (run.state, QuotaEntry.objects.get(run=run).state) == ("queued", "reserved")


def test_a_scorer_that_dies_is_our_fault_and_the_next_run_has_a_new_one(
    here: Station, submit: Callable[[str], Run], settings: Settings
) -> None:
    settings.RETRY_SECONDS = 0
    run = submit(SWAP)
    here.scorer._running().kill()
    evaluate(here)
    run.refresh_from_db()
    assert run.state == "scored"
