"""Which drivers this worker has: a sandbox that was tried out, and the plain process for shipped archives."""

import logging
import os
from dataclasses import dataclass

from django.conf import settings

from evaluation.generation.driver import Driver
from evaluation.generation.process import ProcessDriver
from workers.sandbox.bubblewrap import FIRST_UID
from workers.sandbox.select import choose_driver

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drivers:
    """`sandbox` is None where none works; `reason` and `advice` say why, and what to do."""

    sandbox: Driver | None
    process: Driver
    reason: str = ""
    advice: str = ""


def choose_drivers(slot: int) -> Drivers:
    """Try the sandbox out with a hostile program; without a sandbox that holds, no untrusted work is taken."""
    uid = FIRST_UID + slot if os.geteuid() == 0 else None
    process = ProcessDriver(uid=uid)
    choice = choose_driver(slot=slot, allow_watchdog=settings.ALLOW_MEMORY_WATCHDOG)
    if choice.driver is None:
        logger.error("no sandbox, so no untrusted generators: %s %s", choice.reason, choice.advice)
    else:
        logger.info("the sandbox holds: %s", choice.driver.describe())
    return Drivers(choice.driver, process, choice.reason, choice.advice)
