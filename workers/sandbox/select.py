"""Choose the sandbox of a worker: one that was tried out and holds, or none."""

from dataclasses import dataclass

from evaluation.errors import SandboxUnavailable
from evaluation.generation.driver import Driver
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.sandbox.canary import try_out
from workers.sandbox.cgroups import Cgroups


@dataclass(frozen=True)
class DriverChoice:
    """A sandbox, or None with the reason and what to do about it."""

    driver: Driver | None
    reason: str = ""
    advice: str = ""


def choose_driver(
    *,
    slot: int = 0,
    allow_watchdog: bool = False,
    bubblewrap: str = "bwrap",
    cgroups: Cgroups | None = None,
) -> DriverChoice:
    """Set up the bubblewrap driver and let a hostile program try to get out of it.

    There is no second choice: without a sandbox that holds, `driver` is None, and the worker must not take
    a stranger's generator. The arguments are those of `BubblewrapDriver`.
    """
    try:
        driver = BubblewrapDriver(
            slot=slot, allow_watchdog=allow_watchdog, bubblewrap=bubblewrap, cgroups=cgroups
        )
        try_out(driver)
    except SandboxUnavailable as error:
        return DriverChoice(None, error.message, error.fix)
    return DriverChoice(driver)
