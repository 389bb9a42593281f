"""Deliver what webhooks are to be told: from the outbox, many at once, again after growing pauses, and not for ever."""

import time
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from competitions.clock import in_seconds
from competitions.models import Outbox, WebhookDelivery
from competitions.webhook_line import SECONDS, SWITCHED_OFF, Answer, Letter, send

State = WebhookDelivery.State
# Seconds before the second attempt, the third and so on: a day in all, then the message has failed.
PAUSES = (10, 60, 300, 1800, 7200, 21_600, 43_200)
AT_ONCE = 16
PATIENCE_SECONDS = 5  # no further batch is begun after that: the sweep has other things to do
HELD_SECONDS = 6 * SECONDS  # another process leaves a message alone for so long while this one sends it
KEPT_DAYS = 30


def flush() -> int:
    """Send what is due and return how many messages arrived; a message may arrive twice, under the same id."""
    arrived, end = 0, time.monotonic() + PATIENCE_SECONDS
    while held := _take():
        with ThreadPoolExecutor(AT_ONCE) as pool:  # these threads do not touch the database
            answers = list(pool.map(_send, [_letter(delivery) for _, delivery in held]))
        for (row, delivery), answer in zip(held, answers, strict=True):
            _note(row, delivery, answer)
        arrived += sum(answer.is_taken for answer in answers)
        if time.monotonic() > end:
            break
    return arrived


def sweep() -> None:
    """Remove what was sent long ago from the log."""
    old = WebhookDelivery.objects.filter(created_at__lt=in_seconds(-KEPT_DAYS * 86_400))
    old.exclude(state=State.PENDING).delete()


def _take() -> list[tuple[Outbox, WebhookDelivery]]:
    """Hold what is due, so that of two processes one sends it."""
    due = Outbox.objects.filter(topic=Outbox.Topic.WEBHOOK, not_before__lte=Now()).order_by(
        "not_before", "pk"
    )
    rows = list(due[:AT_ONCE])
    deliveries = WebhookDelivery.objects.select_related("webhook").in_bulk([row.key for row in rows])
    known = {str(key): delivery for key, delivery in deliveries.items()}
    held = []
    for row in rows:
        delivery = known.get(row.key)
        if delivery is None:  # its webhook was deleted
            row.delete()
        elif not delivery.webhook.is_active:
            _end(row, delivery, State.FAILED, Answer(None, SWITCHED_OFF, 0))
        elif Outbox.objects.filter(pk=row.pk, not_before__lte=Now()).update(
            not_before=in_seconds(HELD_SECONDS)
        ):
            held.append((row, delivery))
    return held


def _letter(delivery: WebhookDelivery) -> Letter:
    return Letter(delivery.webhook.url, delivery.webhook.secret, str(delivery.pk), delivery.body)


def _send(letter: Letter) -> Answer:
    return send(letter, may_be_private=settings.WEBHOOKS_TO_PRIVATE)


@transaction.atomic
def _note(row: Outbox, delivery: WebhookDelivery, answer: Answer) -> None:
    delivery.attempts += 1
    if answer.is_taken:
        _end(row, delivery, State.DELIVERED, answer)
    elif delivery.attempts > len(PAUSES):
        _end(row, delivery, State.FAILED, answer)
    else:
        _write(delivery, State.PENDING, answer)
        Outbox.objects.filter(pk=row.pk).update(
            attempts=delivery.attempts,
            not_before=in_seconds(PAUSES[delivery.attempts - 1]),
            last_error=answer.error,
        )


def _end(row: Outbox, delivery: WebhookDelivery, state: State, answer: Answer) -> None:
    _write(delivery, state, answer)
    Outbox.objects.filter(pk=row.pk).delete()


def _write(delivery: WebhookDelivery, state: State, answer: Answer) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=state,
        attempts=delivery.attempts,
        status=answer.status,
        error=answer.error,
        milliseconds=answer.milliseconds,
        tried_at=Now(),
    )
