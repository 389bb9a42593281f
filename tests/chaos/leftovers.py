"""What must not be there any more once all workers have stopped: processes, control groups, mounts, folders."""

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import psutil

from tests.chaos.house import FIRST_SLOT, SLOTS_EACH
from workers.sandbox.cgroups import PREFIX
from workers.sandbox.surroundings import FIRST_UID

CGROUPS = Path("/sys/fs/cgroup")
PATIENCE_SECONDS = 10
UNFINISHED = (".unfinished", ".tmp")  # how names end under which a file is still written
# An empty folder that Celery's pool makes for itself and removes at its end, unless it is killed: nobody can tell
# that of a dead process from that of a living one.
POOL_PREFIX = "pymp-"
DIED_SECONDS_AGO = 3600


def find_leftovers(
    folder: Path, *, workers: int, pids: Collection[int], patience: float = PATIENCE_SECONDS
) -> list[str]:
    """List what the day left behind; what is only just ending is given some seconds."""
    uids = range(FIRST_UID + FIRST_SLOT, FIRST_UID + FIRST_SLOT + SLOTS_EACH * workers)
    found = _patiently(lambda: [*_processes(folder, uids), *_groups(pids)], patience)
    return [*found, *_folders(folder)]


def find_mounts(folder: Path) -> list[str]:
    """List file systems that are still mounted below the folder."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [f"mount {line}" for line in lines if line.split()[1].startswith(str(folder))]


def age_unfinished(artifacts: Path) -> None:
    """Make what killed writers left in the storage look old enough to be swept by the next writer."""
    then = time.time() - DIED_SECONDS_AGO
    for path in (artifacts / "incoming").glob("*"):
        os.utime(path, (then, then))


def _patiently(look: Callable[[], list[str]], patience: float) -> list[str]:
    deadline = time.monotonic() + patience
    while (found := look()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def _processes(folder: Path, uids: range) -> Iterator[str]:
    """Find services and scorers by their home, and what ran in sandboxes by its user."""
    for process in psutil.process_iter():
        try:
            is_ours = process.uids().real in uids or process.environ().get("HOME") == str(folder / "home")
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                yield f"process {process.pid} of parent {process.ppid()}: {' '.join(process.cmdline())[:200]}"
        except psutil.Error:  # it has just ended, or is not ours to look at
            continue


def _groups(pids: Collection[int]) -> Iterator[str]:
    """Find control groups that are named after one of our processes."""
    names = {f"{PREFIX}-{pid}" for pid in pids}
    for path in CGROUPS.glob(f"**/{PREFIX}-[0-9]*-*"):
        if path.name.rpartition("-")[0] in names:
            yield f"control group {path}"


def _folders(folder: Path) -> Iterator[str]:
    """Find folders of runs, temporary files, and files that are not finished and never will be."""
    places = [folder / "tmp", folder / "data" / "artifacts" / "incoming", folder / "data" / "uploads"]
    places += [disk / name for disk in folder.glob("worker-?") for name in ("runs", "trash")]
    for place in places:
        yield from (f"left in {place}: {path.name}" for path in place.glob("*") if not _is_pools(path))
    for path in folder.glob("worker-?/**/*"):
        if path.name.endswith(UNFINISHED):
            yield f"unfinished: {path}"


def _is_pools(path: Path) -> bool:
    return path.name.startswith(POOL_PREFIX) and not any(path.iterdir())
