"""The pipeline on real processes: a claimed run ends scored, failed with its code, or back in the queue."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from competitions.models import LeaderboardSnapshot, Phase, QuotaEntry, Run, RunLogChunk, RunOutput
from competitions.rules import RunState
from competitions.services import queue, runs
from competitions.services.workers import Ability
from evaluation.errors import SandboxUnavailable
from tests.workers.stations import SWAP, claim, evaluate, here, scorer, submit
from workers import pipeline
from workers.drain import draining
from workers.station import Station

__all__ = ["here", "scorer", "submit"]
pytestmark = pytest.mark.django_db(transaction=True)

BREAKS = {
    "CRASHED": "import os; os._exit(3)",
    "BAD_OUTPUT": "return content[:-1]",
    "MISSING_FILE": "open(self.folder + '/weights.bin')",
    "PAIR_TIMEOUT": "import time; time.sleep(60)",
}


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
    held = claim(here)
    runs.cancel(run_id=run.pk, actor="user")
    pipeline.run(held, here)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not run.scores.exists()
    assert list((settings.WORKER_DIR / "runs").iterdir()) == []


def test_a_draining_worker_hands_the_run_back(here: Station, submit: Callable[[str], Run]) -> None:
    run = submit(SWAP)
    held = claim(here)
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
