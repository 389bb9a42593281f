"""A run that is cancelled, or whose worker stops, leaves no process behind two seconds later, at any stage."""

import threading
import time
from collections.abc import Callable

import psutil
import pytest
from django.db import connection
from pytest_django import Settings

from competitions.models import Run
from competitions.rules import RunState
from competitions.services import runs
from tests.workers.stations import SWAP, claim, here, scorer, submit
from workers import pipeline
from workers.drain import draining
from workers.station import Station

__all__ = ["here", "scorer", "submit"]
pytestmark = pytest.mark.django_db(transaction=True)

HANGS = {
    RunState.LOADING: SWAP.replace('print("loading", file=sys.stderr)', "import time; time.sleep(60)"),
    RunState.GENERATING: SWAP.replace('print("a pair", file=sys.stderr)', "import time; time.sleep(60)"),
}


def generators() -> list[psutil.Process]:
    """List the generators that run as children of this process."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if any("runner.py" in part for part in _command(child))]


@pytest.mark.parametrize("stage", HANGS)
@pytest.mark.parametrize("who", ["cancel", "drain"])
def test_the_generator_is_gone_within_two_seconds(
    here: Station, submit: Callable[..., Run], settings: Settings, stage: RunState, who: str
) -> None:
    settings.LEASE_SECONDS = 600  # it is not the lease that ends it
    run = submit(HANGS[stage])
    held = claim(here)
    worker = threading.Thread(target=_in_thread, args=(lambda: pipeline.run(held, here),))
    worker.start()
    try:
        _wait(lambda: Run.objects.get(pk=run.pk).state == stage and bool(generators()))
        time.sleep(0.5)  # well within it
        started = time.monotonic()
        if who == "cancel":
            runs.cancel(run_id=run.pk, actor="user")
        else:
            draining.set()
        _wait(lambda: not generators())
        assert time.monotonic() - started < 2.0
    finally:
        worker.join(timeout=20)
        draining.clear()
    run.refresh_from_db()
    assert run.state == (RunState.CANCELLED if who == "cancel" else RunState.QUEUED)
    assert run.attempts == (1 if who == "cancel" else 0)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _in_thread(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connection.close()
