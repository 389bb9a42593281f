"""What every way of running a generator has in common: limits, the session, the driver."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from evaluation.manifest import Manifest


@dataclass(frozen=True)
class Limits:
    """What one generator may use; a driver enforces all of it or refuses to start."""

    memory_mb: int = 4096
    pids: int = 128
    load_seconds: float = 120.0
    pair_seconds: float = 10.0
    run_seconds: float = 3600.0
    file_mb: int = 64
    tmp_mb: int = 256
    shm_mb: int = 64
    log_kb: int = 64
    cpu_threads: int = 2


@dataclass(frozen=True)
class Prediction:
    """One stylized image, uint8 RGB of shape (H, W, 3), and the seconds from last byte in to last out."""

    stylized: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Usage:
    """What a session used in the end; `peak_memory_mb` is None where the driver cannot know."""

    load_seconds: float
    peak_memory_mb: float | None


class Session(Protocol):
    """A loaded generator that answers one pair at a time."""

    def predict(self, content: np.ndarray, style: np.ndarray) -> Prediction:
        """Stylize `content` (uint8 RGB, (H, W, 3)) after `style` (same shape).

        Raises:
            GenerationError: with the failure code; the generator's processes are gone by then.
        """
        ...

    def close(self) -> Usage:
        """End the generator and everything it started, and remove what it left.

        Raises:
            GenerationError: PROTOCOL, when the generator wrote more than one answer per pair.
        """
        ...

    def abort(self) -> Usage:
        """End it all at once and without a last check; does nothing where the session has ended already."""
        ...

    def kill(self) -> None:
        """Kill the generator at once, from any thread, also while it loads.

        A call that waits for it fails as CRASHED; `abort` must follow.
        """
        ...


def unwatched(session: Session) -> None:
    """Let a generator load with nobody who could kill it meanwhile."""


class Driver(Protocol):
    """One way to run generators on this machine."""

    name: str
    is_sandbox: bool

    def describe(self) -> dict[str, str]:
        """Return what is stored with each result: driver, version, filter digest, mode."""
        ...

    def start(
        self,
        bundle: Path,
        manifest: Manifest,
        limits: Limits,
        log: Callable[[bytes], None],
        *,
        on_launch: Callable[[Session], None] = unwatched,
    ) -> Session:
        """Load the generator from an unpacked archive; `log` receives its stderr as it comes.

        `on_launch` gets the session from the calling thread, before any code of the participant runs, so
        that another thread can `kill` a load; nothing else may be called before `start` returns.

        Raises:
            GenerationError: LOAD_FAILED, LOAD_TIMEOUT, MISSING_FILE, OUT_OF_MEMORY, CRASHED, PROTOCOL,
                or INFRA where set-up fails.
        """
        ...
