"""Choose the sandbox of a worker: one that was tried out and holds, or none."""

from collections.abc import Callable
from dataclasses import dataclass

from evaluation.errors import SandboxUnavailable
from workers.sandbox.canary import try_out
from workers.sandbox.surroundings import SandboxDriver


@dataclass(frozen=True)
class DriverChoice:
    """A sandbox, or None with the reason and what to do about it."""

    driver: SandboxDriver | None
    reason: str = ""
    advice: str = ""


def choose_driver(make: Callable[[], SandboxDriver]) -> DriverChoice:
    """Set a driver up and let a hostile program try to get out of its sandbox.

    There is no second choice: without a sandbox that holds, `driver` is None, and the worker must not take
    a stranger's generator.
    """
    try:
        driver = make()
        try_out(driver)
    except SandboxUnavailable as error:
        return DriverChoice(None, error.message, error.fix)
    return DriverChoice(driver)
