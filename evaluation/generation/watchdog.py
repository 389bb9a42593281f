"""Watch the memory of a process tree from outside and kill it beyond a limit, where no cgroup can."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

INTERVAL = 0.1
MIB = 1 << 20


class MemoryWatchdog(threading.Thread):
    """A thread that adds up the resident memory of a process and its descendants every 100 ms.

    Files in a tmpfs do not count. What grows faster than one walk lasts gets past the limit for that
    long: this is for development, not for hidden images.
    """

    def __init__(self, pid: int, limit_mb: int, kill: Callable[[], None]) -> None:
        """Prepare to watch the tree of `pid`; `kill` must end the tree."""
        super().__init__(name="generator-memory", daemon=True)
        self.peak_mb = 0.0
        self.has_fired = False
        self._pid = pid
        self._limit_mb = limit_mb
        self._kill = kill
        self._stopped = threading.Event()

    def run(self) -> None:
        """Measure until stopped, until the process is gone, or until the limit was passed."""
        while not self._stopped.wait(INTERVAL):
            used = tree_memory_mb(self._pid)
            self.peak_mb = max(self.peak_mb, used)
            if used > self._limit_mb:
                self.has_fired = True
                self._kill()
                return

    def stop(self) -> None:
        """Stop measuring and wait for the thread."""
        self._stopped.set()
        if self.is_alive():
            self.join()


def tree_memory_mb(pid: int) -> float:
    """Return the resident memory of a process and its descendants in MiB; 0 where it is gone.

    On Linux a page that several processes share counts in parts, elsewhere once for each.
    """
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += _memory(process)
    return total / MIB


def _memory(process: psutil.Process) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return int(process.memory_info().rss)
