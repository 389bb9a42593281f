"""The Celery tasks: look for a run to evaluate, and sweep up what messages and workers lost."""

import logging

from celery import current_app, shared_task
from celery.signals import (
    beat_embedded_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutting_down,
)

from competitions.services import (
    idempotency,
    outbox,
    queue,
    runs,
    shards,
    surveys,
    uploads,
    webhook_delivery,
    webhooks,
)
from workers import pipeline
from workers.drain import die_with_parent, draining, follow_parent
from workers.station import Station, station

logger = logging.getLogger(__name__)

EVALUATION = "evaluation"
INTAKE = "intake"


@shared_task
def evaluate() -> bool:
    """Claim the next run, if there is one, and evaluate it; say whether there was one."""
    here = _ready()
    held = None if here is None else queue.claim(worker=here.name, ability=here.ability())
    if here is None or held is None:
        return False
    pipeline.run(held, here)
    here.rest()
    queue.nudge_if_waiting()
    return True


@shared_task
def assist() -> bool:
    """Take shards of another worker's run as long as there are any; say whether there was one."""
    here = _ready()
    shard = None if here is None else shards.take_any(worker=here.name, ability=here.ability())
    if here is None or shard is None:
        return False
    pipeline.assist(shard, here)
    here.rest()
    shards.promise_assistance_if_open()
    queue.nudge_if_waiting()
    return True


@shared_task
def look_at_data() -> bool:
    """Look at organizers' files as long as some wait; say whether any did."""
    n = 0
    while not draining.is_set() and surveys.look(is_ending=draining.is_set):
        n += 1
    return n > 0


def _ready() -> Station | None:
    """Return this process' station, or None where it takes no work now."""
    if draining.is_set():
        return None
    here = station()
    here.recheck()
    return None if here.obstacle() else here


@shared_task
def sweep() -> None:
    """Take runs back from silent workers, make good lost messages, do what transactions promised, clear away."""
    runs.reap()
    shards.promise_assistance_if_open()
    queue.nudge_if_waiting()
    surveys.ask_if_waiting()
    outbox.flush()
    webhooks.tell_of_phases()
    webhook_delivery.flush()
    webhook_delivery.sweep()
    uploads.sweep()
    idempotency.sweep()


@beat_embedded_init.connect
def _follow_scheduler(**_: object) -> None:
    """Leave no second clock behind where the scheduler's worker is killed."""
    die_with_parent()


@worker_process_init.connect
def _prepare(**_: object) -> None:
    """Try the sandbox out before the first run, in processes that evaluate; the scheduler's does not."""
    if EVALUATION in current_app.amqp.queues.consume_from:
        follow_parent()
        station()
    elif INTAKE in current_app.amqp.queues.consume_from:
        follow_parent()


@worker_process_shutdown.connect
def _leave(**_: object) -> None:
    if station.cache_info().currsize:
        station().stop()


@worker_shutting_down.connect
def _drain(**_: object) -> None:
    draining.set()
