"""Bring about what a transaction promised: written with it, done after it, tried again until it works."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from competitions import dispatch
from competitions.models import Outbox
from competitions.services.leaderboards import refresh

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 30
BATCH = 100


def promise(topic: Outbox.Topic, key: str = "") -> None:
    """Write an effect into the current transaction; an equal one that is still open is enough."""
    Outbox.objects.get_or_create(topic=topic, key=key, attempts=0, defaults={"not_before": timezone.now()})


def promise_nudge() -> None:
    """Have a worker told to look for work, right after the commit where the broker is up."""
    promise(Outbox.Topic.NUDGE)
    transaction.on_commit(lambda: flush((Outbox.Topic.NUDGE,)))


def flush(topics: tuple[Outbox.Topic, ...] = (Outbox.Topic.NUDGE, Outbox.Topic.REFRESH_LEADERBOARD)) -> int:
    """Do what is due and return how much was done. Doing an effect twice is harmless."""
    due = Outbox.objects.filter(topic__in=topics, not_before__lte=timezone.now()).order_by("id")[:BATCH]
    return sum(_deliver(row) for row in due)


def _deliver(row: Outbox) -> bool:
    try:
        _EFFECTS[Outbox.Topic(row.topic)](row.key)
    except OperationalError as error:
        _postpone(row, error)
        return False
    row.delete()
    return True


def _postpone(row: Outbox, error: Exception) -> None:
    pause = min(LONGEST_PAUSE_SECONDS, 2**row.attempts)
    logger.warning("%s is put off by %s s: %s", row, pause, error)
    Outbox.objects.filter(pk=row.pk).update(
        attempts=row.attempts + 1,
        not_before=timezone.now() + timedelta(seconds=pause),
        last_error=str(error)[:300],
    )


def _nudge(_key: str) -> None:
    dispatch.nudge_workers()


def _refresh(key: str) -> None:
    refresh(phase_id=int(key))


_EFFECTS: dict[Outbox.Topic, Callable[[str], None]] = {
    Outbox.Topic.NUDGE: _nudge,
    Outbox.Topic.REFRESH_LEADERBOARD: _refresh,
}
