"""Give each worker process what it shares with no other: a number, which names its sandboxes' user, and a GPU."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

MOST = 100


def take_slot(first: int) -> tuple[int, FileLock]:
    """Take the first free number from `first` on; the lock holds it as long as this process lives.

    Raises:
        RuntimeError: all of them are taken.
    """
    folder = _folder()
    for slot in range(first, first + MOST):
        lock = FileLock(folder / f"{slot}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return slot, lock
    raise RuntimeError(f"All worker slots from {first} to {first + MOST - 1} of this machine are taken.")


def take_gpu(numbers: Sequence[int]) -> tuple[int | None, FileLock | None]:
    """Take one of this machine's GPUs for this process alone, or None where there is none or all are taken."""
    for number in numbers:
        lock = FileLock(_folder() / f"gpu-{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return number, lock
    return None, None


def _folder() -> Path:
    """Return the machine's folder of locks; only root's workers use user ids that others could claim too."""
    base = Path("/run") if os.geteuid() == 0 and Path("/run").is_dir() else Path(tempfile.gettempdir())
    folder = base / f"pastiche-slots-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
