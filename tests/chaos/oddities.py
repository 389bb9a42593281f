"""What is odd about single workers for the whole day: a disk that is small, a clock that is wrong."""

import contextlib
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SMALL_DISK_MB = 96

# Python reads a module of this name before anything else. Only the time of day is wrong: a machine whose clock
# is not set still counts seconds rightly.
SITE = """
import datetime

import time_machine

now = datetime.datetime.now(datetime.UTC)
time_machine.travel(now + datetime.timedelta(hours={hours}), tick=True).start()
"""


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Mount a small file system over a new folder; None where only root could."""
    folder.mkdir()
    options = f"size={SMALL_DISK_MB}m,mode=0711"
    command = ["mount", "-t", "tmpfs", "-o", options, "pastiche-chaos", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def can_set_clocks() -> bool:
    """Say whether the package is there that gives a process another time."""
    return importlib.util.find_spec("time_machine") is not None


def wrong_clock(folder: Path, hours: int, *, path: str) -> dict[str, str]:
    """Return the environment in which a Python process with this PYTHONPATH lives hours ahead or behind."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE.format(hours=hours))
    return {"PYTHONPATH": f"{folder}{os.pathsep}{path}"}
