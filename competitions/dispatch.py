"""The one place that names worker tasks."""

from celery import current_app
from django.conf import settings


def nudge_workers() -> None:
    """Tell some worker to look for work. A nudge that comes late is worthless, so it expires.

    Raises:
        kombu.exceptions.OperationalError: the broker cannot be reached.
    """
    current_app.send_task("workers.tasks.evaluate", expires=max(60, 3 * settings.SWEEP_SECONDS))


def ask_for_assistance() -> None:
    """Tell some worker that a run of another has shards to take.

    Raises:
        kombu.exceptions.OperationalError: the broker cannot be reached.
    """
    current_app.send_task("workers.tasks.assist", expires=max(60, 3 * settings.SWEEP_SECONDS))


def ask_for_survey() -> None:
    """Tell the worker for pictures that there are some to look at.

    Raises:
        kombu.exceptions.OperationalError: the broker cannot be reached.
    """
    current_app.send_task("workers.tasks.look_at_data", expires=max(60, 3 * settings.SWEEP_SECONDS))
