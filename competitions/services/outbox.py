"""Bring about what a transaction promised: written with it, done after it, tried again until it works."""

import logging
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from competitions import dispatch
from competitions.clock import in_seconds
from competitions.models import Outbox
from competitions.services.board_versions import touch_board
from competitions.services.leaderboards import refresh

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 30
BATCH = 100
# Webhooks leave this machine, which takes time: `webhook_delivery` sends them.
OWN_TOPICS = tuple(topic for topic in Outbox.Topic if topic is not Outbox.Topic.WEBHOOK)


def promise(topic: Outbox.Topic, key: str = "") -> None:
    """Write an effect into the current transaction; always a row of its own, since no other may stand for it."""
    Outbox.objects.create(topic=topic, key=key, not_before=Now())


def promise_board(phase_id: int) -> None:
    """Have a board made anew after something changed what it says; what it says at once shows at once."""
    touch_board(phase_id)
    promise(Outbox.Topic.REFRESH_LEADERBOARD, str(phase_id))


def promise_nudge() -> None:
    """Have a worker told to look for work, right after the commit where the broker is up."""
    promise(Outbox.Topic.NUDGE)
    transaction.on_commit(lambda: flush((Outbox.Topic.NUDGE,)), robust=True)


def promise_assistance() -> None:
    """Have a worker told that there are shards to take, right after the commit where the broker is up."""
    promise(Outbox.Topic.ASSIST)
    transaction.on_commit(lambda: flush((Outbox.Topic.ASSIST,)), robust=True)


def promise_survey() -> None:
    """Have a worker told that there are pictures to look at, right after the commit where the broker is up."""
    promise(Outbox.Topic.SURVEY)
    transaction.on_commit(lambda: flush((Outbox.Topic.SURVEY,)), robust=True)


def flush(topics: Sequence[str] = OWN_TOPICS) -> int:
    """Do what is due and return how many effects were brought about. Doing one twice is harmless.

    Equal promises are kept together, once. Only the rows that were read before the effect are deleted: what
    is promised while it goes on gets its own turn. One effect that fails does not hold up the others.
    """
    due = Outbox.objects.filter(topic__in=topics, not_before__lte=Now()).order_by("id")[:BATCH]
    together: dict[tuple[str, str], list[Outbox]] = {}
    for row in due:
        together.setdefault((row.topic, row.key), []).append(row)
    return sum(_deliver(rows) for rows in together.values())


def _deliver(rows: list[Outbox]) -> bool:
    first, promised = rows[0], Outbox.objects.filter(pk__in=[row.pk for row in rows])
    try:
        _EFFECTS[Outbox.Topic(first.topic)](first.key)
    except (OperationalError, OSError) as error:
        logger.warning("%s is put off: %s", first, error)
        _postpone(promised, first.attempts, error)
        return False
    except Exception as error:
        logger.exception("%s is put off by a defect", first)
        _postpone(promised, first.attempts, error)
        return False
    promised.delete()
    return True


def _postpone(promised: QuerySet[Outbox], attempts: int, error: Exception) -> None:
    promised.update(
        attempts=F("attempts") + 1,
        not_before=in_seconds(min(LONGEST_PAUSE_SECONDS, 2**attempts)),
        last_error=str(error)[:300],
    )


def _nudge(_key: str) -> None:
    dispatch.nudge_workers()


def _ask_for_assistance(_key: str) -> None:
    dispatch.ask_for_assistance()


def _ask_for_survey(_key: str) -> None:
    dispatch.ask_for_survey()


def _refresh(key: str) -> None:
    refresh(phase_id=int(key))


_EFFECTS: dict[Outbox.Topic, Callable[[str], None]] = {
    Outbox.Topic.NUDGE: _nudge,
    Outbox.Topic.ASSIST: _ask_for_assistance,
    Outbox.Topic.SURVEY: _ask_for_survey,
    Outbox.Topic.REFRESH_LEADERBOARD: _refresh,
}
