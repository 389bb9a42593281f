"""What the database says about the runs, asked with patience: its server is one of those that are restarted."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, connection
from django.db.models import F

from competitions.models import Outbox, Run, RunEvent, RunShard
from competitions.rules import END_STATES, LIVE_STATES
from tests.chaos.house import number_of
from tests.chaos.plan import ASSISTING

T = TypeVar("T")

PATIENCE_SECONDS = 60
LOOK_SECONDS = 0.02


def patiently(ask: Callable[[], T]) -> T:
    """Ask the database until it answers.

    Raises:
        django.db.Error: it has not answered for a minute.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except Error:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def count_ended() -> int:
    """Count the runs that have come to an end."""
    return patiently(lambda: Run.objects.filter(state__in=END_STATES).count())


def count_live() -> int:
    """Count the runs that have not."""
    return patiently(lambda: Run.objects.filter(state__in=LIVE_STATES).count())


def count_promised() -> int:
    """Count what transactions promised and what was not done yet."""
    return patiently(Outbox.objects.count)


def await_stage(stage: str, *, seconds: float) -> int | None:
    """Wait until a run enters this stage and return the number of its worker; None where none does."""
    newest = patiently(lambda: RunEvent.objects.order_by("-pk").values_list("pk", flat=True).first()) or 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        actor = patiently(_helper) if stage == ASSISTING else patiently(lambda: _newcomer(stage, newest))
        if actor is not None and (number := number_of(actor)) is not None:
            return number
        time.sleep(LOOK_SECONDS)
    return None


def _newcomer(stage: str, after: int) -> str | None:
    """Return the worker that brought a run to a stage after this event; a stage may be over in milliseconds."""
    events = RunEvent.objects.filter(pk__gt=after, to_state=stage).order_by("-pk")
    return events.values_list("actor", flat=True).first()


def _helper() -> str | None:
    shards = RunShard.objects.filter(state=RunShard.State.LEASED).exclude(lease_owner=F("run__lease_owner"))
    return shards.values_list("lease_owner", flat=True).first()
