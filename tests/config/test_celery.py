"""Celery's settings as they take effect: read from the application that runs, not from the file that sets them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.app.defaults import NAMESPACES, flatten
from celery.backends.base import DisabledBackend
from django.conf import settings

from competitions.models.competition import MAX_RUN_SECONDS
from config.celery import app
from tests.config.processes import run, running, until
from tests.servers import has_redis, redis_server
from workers import tasks

OURS = {"hard_limit_seconds"}  # what other settings are derived from
EFFECTIVE = """
import json
from config.celery import app
with app.connection_for_read() as connection:
    channel = connection.default_channel
    print(json.dumps({
        "visibility": channel.visibility_timeout,
        "transport": type(connection.transport).__module__,
        "hard": app.conf.task_time_limit,
        "soft": app.conf.task_soft_time_limit,
        "connect": channel.socket_connect_timeout,
        "answer": channel.socket_timeout,
    }))
"""
ASK_WORKER = """
import json
from config.celery import app
conf = app.control.inspect(timeout=10).conf(with_defaults=True)
print(json.dumps(next(iter(conf.values())) if conf else None, default=str))
"""


def test_every_setting_that_we_make_is_one_that_celery_knows() -> None:
    known = {name for name, _ in flatten(NAMESPACES)}
    made = {name.removeprefix("CELERY_").lower() for name in dir(settings) if name.startswith("CELERY_")}
    assert made - known == OURS


def test_a_message_is_given_back_when_its_worker_dies_and_never_held_in_advance() -> None:
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_acks_on_failure_or_timeout is True  # the run's row knows what to try again
    assert app.conf.worker_cancel_long_running_tasks_on_connection_loss is False


def test_no_task_departs_from_that() -> None:
    ours = [task for name, task in app.tasks.items() if name.startswith("workers.")]
    assert {tasks.evaluate.name, tasks.sweep.name} <= {task.name for task in ours}
    for task in ours:
        assert (task.acks_late, task.reject_on_worker_lost, task.ignore_result) == (True, True, True), (
            task.name
        )
        limits = (app.conf.task_time_limit, app.conf.task_soft_time_limit)
        assert (task.time_limit, task.soft_time_limit) in (limits, (None, None)), task.name


def test_limits_are_in_order_and_outlast_the_longest_run() -> None:
    hard, soft = app.conf.task_time_limit, app.conf.task_soft_time_limit
    assert settings.CELERY_HARD_LIMIT_SECONDS == hard > soft > MAX_RUN_SECONDS


def test_nothing_is_kept_of_results() -> None:
    assert app.conf.result_backend is None
    assert isinstance(app.backend, DisabledBackend)
    assert app.conf.task_ignore_result is True


def test_evaluation_intake_and_upkeep_never_share_a_queue() -> None:
    queues = {queue.name: (queue.exchange.name, queue.routing_key) for queue in app.conf.task_queues}
    assert queues == {name: (name, name) for name in ("evaluation", "intake", "upkeep")}
    router = app.amqp.router
    routes = {
        name.rpartition(".")[2]: router.route({}, name)["queue"].name
        for name in app.tasks
        if name.startswith("workers.")
    }
    assert routes.pop("sweep") == "upkeep"
    assert routes.pop("look_at_data") == "intake"
    assert set(routes.values()) == {"evaluation"}


def test_the_sweep_comes_regularly_and_does_not_pile_up() -> None:
    (entry,) = app.conf.beat_schedule.values()
    assert entry["task"] == "workers.tasks.sweep"
    assert entry["options"]["expires"] == entry["schedule"].seconds == settings.SWEEP_SECONDS


def test_what_the_outbox_sends_fails_at_once_instead_of_waiting() -> None:
    assert app.conf.task_publish_retry is False


@pytest.fixture(scope="module")
def redis() -> Iterator[dict[str, str]]:
    """The variables of processes whose broker is a Redis of this test."""
    if not has_redis():
        pytest.skip("the redis-server program is not installed")
    with redis_server() as address:
        yield {"PASTICHE_BROKER_URL": address}


@pytest.mark.redis
def test_redis_gives_a_message_out_again_only_after_the_hard_limit(
    redis: dict[str, str], tmp_path: Path
) -> None:
    done = run(tmp_path, "-c", EFFECTIVE, **redis)
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["transport"] == "kombu.transport.redis"
    assert seen["visibility"] > seen["hard"] > seen["soft"] > MAX_RUN_SECONDS
    assert 0 < seen["connect"] <= 5
    assert 0 < seen["answer"] <= 60


@pytest.mark.redis
def test_a_worker_that_runs_says_the_same_of_itself(redis: dict[str, str], migrated: Path) -> None:
    words = ("-m", "celery", "--quiet", "-A", "config", "worker", "-Q", "upkeep", "-P", "solo")
    with running(migrated, *words, **redis) as log:
        until(lambda: b" ready." in log.read_bytes(), log)
        conf = json.loads(run(migrated, "-c", ASK_WORKER, **redis).stdout)
    assert conf is not None
    names = ("task_acks_late", "task_reject_on_worker_lost", "task_ignore_result")
    assert [conf[name] for name in names] == [True, True, True]
    assert conf["worker_prefetch_multiplier"] == 1
    options = conf["broker_transport_options"]
    assert options["visibility_timeout"] > conf["task_time_limit"] > conf["task_soft_time_limit"]
