"""Which drivers this worker has: a sandbox that was tried out, and the plain process for shipped archives."""

import logging
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings

from evaluation.generation.driver import Driver
from evaluation.generation.process import ProcessDriver
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.sandbox.docker import DockerDriver
from workers.sandbox.select import DriverChoice, choose_driver
from workers.sandbox.surroundings import FIRST_UID, SandboxDriver

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drivers:
    """`sandbox` is None where none works; `reason` and `advice` say why, and what to do."""

    sandbox: Driver | None
    process: Driver
    reason: str = ""
    advice: str = ""


def choose_drivers(slot: int, gpu: int | None = None) -> Drivers:
    """Try the sandbox out with a hostile program; without a sandbox that holds, no untrusted work is taken."""
    process = ProcessDriver(device="cpu" if gpu is None else f"cuda:{gpu}", uid=slot_uid(slot))
    choice = choose_sandbox(slot, gpu)
    if choice.driver is None:
        logger.error("no sandbox, so no untrusted generators: %s %s", choice.reason, choice.advice)
    else:
        logger.info("the sandbox holds: %s", choice.driver.describe())
    return Drivers(choice.driver, process, choice.reason, choice.advice)


def choose_sandbox(slot: int, gpu: int | None = None) -> DriverChoice:
    """Try out the sandbox that the settings name, and no other."""
    return choose_driver(partial(_SANDBOXES[settings.SANDBOX], slot, gpu))


def slot_uid(slot: int) -> int | None:
    """Return the user that a slot's programs run as; None where only root could change the user."""
    return FIRST_UID + slot if os.geteuid() == 0 else None


def _bubblewrap(slot: int, gpu: int | None) -> SandboxDriver:
    return BubblewrapDriver(slot=slot, gpu=gpu, allow_watchdog=settings.ALLOW_MEMORY_WATCHDOG)


def _docker(slot: int, gpu: int | None) -> SandboxDriver:
    return DockerDriver(
        image=settings.SANDBOX_IMAGE,
        runtime=settings.SANDBOX_RUNTIME,
        slot=slot,
        gpu=gpu,
        address=Path(settings.SANDBOX_ENGINE),
    )


_SANDBOXES = {"bubblewrap": _bubblewrap, "docker": _docker}
