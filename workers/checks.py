"""What `manage.py check --deploy` asks of a worker's machine: whether its sandbox holds."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004

from workers.drivers import choose_sandbox
from workers.slots import take_slot


def check_sandbox(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """Try out the sandbox that the settings name; without one, only the project's own archives run here.

    It is a warning, because a machine that only serves pages needs none.
    """
    slot, lock = take_slot(settings.WORKER_SLOT)
    try:
        choice = choose_sandbox(slot)
    finally:
        lock.release()
    if choice.driver is not None:
        return []
    return [
        Warning(
            f"A worker on this machine would run no stranger's generator: {choice.reason}",
            hint=choice.advice,
            id="pastiche.sandbox",
        )
    ]
