"""The outbox: written with the transaction, delivered after it, kept while the broker is away."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from competitions.clock import in_seconds
from competitions.models import LeaderboardSnapshot, Outbox, Phase
from competitions.services import outbox
from config.celery import app


@pytest.fixture
def broker_is_down() -> Iterator[None]:
    """Point the message system at an address where nobody answers."""
    before = app.conf.broker_url, app.conf.broker_transport_options
    app.conf.broker_url, app.conf.broker_transport_options = (
        "redis://127.0.0.1:1/0",
        {"socket_connect_timeout": 1},
    )
    app.amqp.__dict__.pop("producer_pool", None)
    app._pool = None
    app.amqp._producer_pool = None
    yield
    app.conf.broker_url, app.conf.broker_transport_options = before
    app._pool = None
    app.amqp._producer_pool = None


@pytest.mark.django_db(transaction=True)
def test_a_nudge_is_sent_after_the_commit_and_then_forgotten() -> None:
    with transaction.atomic():
        outbox.promise_nudge()
        assert Outbox.objects.count() == 1
    assert Outbox.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_promises_nothing() -> None:
    with transaction.atomic():
        outbox.promise_nudge()
        transaction.set_rollback(True)
    assert Outbox.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_while_the_broker_is_down_the_nudge_is_kept_and_tried_again(broker_is_down: None) -> None:
    with transaction.atomic():
        outbox.promise_nudge()
    row = Outbox.objects.get()
    assert row.attempts == 1
    assert row.last_error
    assert row.not_before > timezone.now() - timedelta(seconds=1)
    assert outbox.flush() == 0


@pytest.mark.django_db
def test_what_is_not_due_yet_waits() -> None:
    Outbox.objects.create(topic="nudge", not_before=timezone.now() + timedelta(minutes=1))
    assert outbox.flush() == 0
    Outbox.objects.update(not_before=in_seconds(-1))
    assert outbox.flush() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [-1, 1])
def test_when_a_promise_is_due_is_told_by_the_databases_clock(hours: int) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        outbox.promise(Outbox.Topic.NUDGE)
    assert outbox.flush() == 1
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        Outbox.objects.create(topic="nudge", not_before=in_seconds(60))
        assert outbox.flush() == 0


@pytest.mark.django_db
def test_equal_promises_are_kept_together(phase: Phase) -> None:
    for _ in range(3):
        outbox.promise(Outbox.Topic.REFRESH_LEADERBOARD, str(phase.pk))
    assert Outbox.objects.count() == 3
    assert outbox.flush() == 1
    assert Outbox.objects.count() == 0
    assert LeaderboardSnapshot.objects.count() == 1


@pytest.mark.django_db
def test_an_effect_that_fails_does_not_hold_up_the_others(phase: Phase) -> None:
    outbox.promise(Outbox.Topic.REFRESH_LEADERBOARD, "999999")
    outbox.promise(Outbox.Topic.REFRESH_LEADERBOARD, str(phase.pk))
    assert outbox.flush() == 1
    left = Outbox.objects.get()
    assert (left.key, left.attempts) == ("999999", 1)
    assert "does not exist" in left.last_error
    assert LeaderboardSnapshot.objects.count() == 1
