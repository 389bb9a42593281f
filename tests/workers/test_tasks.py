"""What a message costs that comes too late: a worker looks into the database once, and leaves everything as it is."""

from collections.abc import Callable

import pytest
from celery import Task
from pytest_django import DjangoAssertNumQueries, Settings

from competitions.models import Phase, Run, RunEvent, Worker
from competitions.services.transitions import transition
from tests.crowds import enqueue, fill
from tests.workers.stations import here, scorer, submit
from workers import tasks
from workers.drain import draining
from workers.station import Station

__all__ = ["here", "scorer", "submit"]
pytestmark = pytest.mark.django_db

TASKS = pytest.mark.parametrize("task", [tasks.evaluate, tasks.assist], ids=["evaluate", "assist"])


@pytest.fixture(autouse=True)
def at_work(here: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the tasks of this process done at a station that was not tried out."""
    monkeypatch.setattr(tasks, "station", lambda: here)


@TASKS
def test_a_stale_nudge_costs_one_query(
    phase: Phase, task: Task, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A hundred thousand of them come to a hundred thousand queries: nothing is remembered from one to the next."""
    fill(phase, 0, out_of_reach=100)
    for _ in range(3):
        with django_assert_num_queries(1):
            assert task() is False
    assert not RunEvent.objects.exists()
    Run.objects.all().delete()
    with django_assert_num_queries(100):
        assert not any(task() for _ in range(100))
    assert not Worker.objects.exists()


@TASKS
def test_a_nudge_for_a_run_that_has_ended_or_that_another_worker_has_costs_one_query(
    submit: Callable[[], Run], task: Task, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = submit()
    assert tasks.queue.claim(worker="another", ability=tasks.station().ability()) is not None
    with django_assert_num_queries(1):
        assert task() is False
    transition(run_id=run.pk, to="cancelled", actor="test")
    with django_assert_num_queries(1):
        assert task() is False
    assert run.events.count() == 3


@TASKS
def test_a_worker_that_takes_no_work_asks_the_database_nothing(
    phase: Phase, task: Task, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    enqueue(phase, "monet", is_shipped=True)
    draining.set()
    try:
        with django_assert_num_queries(0):
            assert task() is False
    finally:
        draining.clear()
    settings.WORKER_MIN_FREE_MB = 10**9
    assert task() is False  # it says once that its disk lacks room
    assert "MB are needed" in Worker.objects.get().obstacle
    assert Run.objects.get().state == "queued"
