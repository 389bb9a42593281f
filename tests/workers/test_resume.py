"""What an interrupted attempt made is kept where it can be relied on, and made anew where not."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from competitions.models import Run, RunFlag, RunOutput, RunShard
from competitions.services import queue, runs
from tests.workers.stations import BARE, claim, evaluate, here, scorer, submit
from workers import pipeline
from workers.station import Station

__all__ = ["here", "scorer", "submit"]
pytestmark = pytest.mark.django_db(transaction=True)

# Every call leaves a mark in a file outside, and hangs while there is a file that says at which call to.
COUNTED = """
import os, time
CALLS = {calls!r}
class Model:
    def __init__(self, bundle_dir, device):
        pass
    def stylize(self, content, style):
        with open(CALLS, "a") as file:
            file.write("x")
        while os.path.exists(CALLS + ".hang") and os.path.getsize(CALLS) > int(open(CALLS + ".hang").read()):
            time.sleep(0.05)
        {body}
"""
MIX = "return content // 2 + style // 2"
REMEMBERS = "self.last = getattr(self, 'seen', content); self.seen = content; return self.last"
DICE = "import numpy; return numpy.random.default_rng().integers(0, 256, content.shape, dtype='uint8')"


def interrupt(here: Station, run: Run, counter: Path, after: int) -> None:
    """Let a worker store some outputs of a run, and take the run from it while it hangs."""
    hang = Path(f"{counter}.hang")
    hang.write_text(str(after))
    held = claim(here)
    worker = threading.Thread(target=_in_thread, args=(lambda: pipeline.run(held, here),))
    worker.start()
    while RunOutput.objects.filter(run=run).count() < after:
        assert worker.is_alive()
        time.sleep(0.05)
    Run.objects.filter(pk=run.pk).update(lease_expires_at="2000-01-01T00:00Z")
    assert runs.reap() == 1
    worker.join(timeout=20)
    assert not worker.is_alive()
    hang.unlink()
    run.refresh_from_db()
    assert run.state == "queued"


def calls(path: Path) -> int:
    """Count the pictures that generators made."""
    return len(path.read_text()) if path.exists() else 0


@pytest.fixture(autouse=True)
def _at_once(settings: Settings) -> None:
    settings.RETRY_SECONDS = 0
    settings.REPLAY_PAIRS = 0


def test_a_second_attempt_makes_only_what_is_missing(
    here: Station, submit: Callable[..., Run], tmp_path: Path, settings: Settings
) -> None:
    counter = tmp_path / "calls"
    run = submit(COUNTED.format(calls=str(counter), body=MIX))
    interrupt(here, run, counter, after=4)
    before = calls(counter)
    evaluate(here)
    run.refresh_from_db()
    assert (run.state, run.n_valid, run.attempts) == ("scored", 6, 2)
    assert calls(counter) - before == settings.RESUME_PAIRS + 2


def test_a_finished_shard_is_not_even_scored_again(
    here: Station, submit: Callable[..., Run], tmp_path: Path, settings: Settings
) -> None:
    settings.SHARD_PAIRS = 2
    counter = tmp_path / "calls"
    run = submit(COUNTED.format(calls=str(counter), body=MIX))
    interrupt(here, run, counter, after=5)
    done = list(RunShard.objects.filter(run=run, state="done").values_list("pk", "fence"))
    assert len(done) == 2
    evaluate(here)
    assert list(RunShard.objects.filter(pk__in=[pk for pk, _ in done]).values_list("pk", "fence")) == done


def test_a_generator_that_does_not_promise_to_be_deterministic_starts_from_zero(
    here: Station, submit: Callable[..., Run], tmp_path: Path
) -> None:
    counter = tmp_path / "calls"
    run = submit(COUNTED.format(calls=str(counter), body=MIX), deterministic=False)
    interrupt(here, run, counter, after=4)
    before = calls(counter)
    evaluate(here)
    assert calls(counter) - before == 6


def test_a_generator_that_breaks_its_promise_starts_from_zero(
    here: Station, submit: Callable[..., Run], tmp_path: Path, settings: Settings
) -> None:
    counter = tmp_path / "calls"
    run = submit(COUNTED.format(calls=str(counter), body=DICE))
    interrupt(here, run, counter, after=4)
    before = calls(counter)
    evaluate(here)
    run.refresh_from_db()
    assert run.state == "scored"
    assert calls(counter) - before == settings.RESUME_PAIRS + 6


@pytest.mark.parametrize(
    ("body", "flag", "changes"),
    [
        (MIX, None, {}),
        (REMEMBERS, "STATEFUL", {}),
        (REMEMBERS, "STATEFUL", {"deterministic": False}),
        (DICE, "NONDETERMINISTIC", {}),
        (DICE, None, {"deterministic": False}),
    ],
)
def test_a_replay_in_a_fresh_copy_tells_memory_from_dice(
    here: Station,
    submit: Callable[..., Run],
    tmp_path: Path,
    settings: Settings,
    body: str,
    flag: str | None,
    changes: dict[str, object],
) -> None:
    settings.REPLAY_PAIRS = 3
    run = submit(COUNTED.format(calls=str(tmp_path / "calls"), body=body), **changes)
    evaluate(here)
    run.refresh_from_db()
    assert run.state == "scored"
    codes = set(RunFlag.objects.filter(run=run).values_list("code", flat=True))
    assert codes & {"STATEFUL", "NONDETERMINISTIC"} == ({flag} if flag else set())


def test_nothing_is_left_to_claim_when_all_is_done(
    here: Station, submit: Callable[..., Run], tmp_path: Path
) -> None:
    submit(COUNTED.format(calls=str(tmp_path / "calls"), body=MIX))
    evaluate(here)
    assert queue.claim(worker="other", ability=BARE) is None


def _in_thread(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connection.close()
