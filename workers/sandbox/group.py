"""One control group, of version 1 or 2, that holds one sandbox: its limits, its freezer, its end."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from evaluation.generation.driver import Limits

PERIOD_US = 100_000
REMOVE_SECONDS = 5.0
MIB = 1 << 20


class Group:
    """The folders of one group: with version 1 each controller has its own, with version 2 they share one."""

    def __init__(self, folders: Mapping[str, tuple[Path, int]]) -> None:
        """Name the folder and version of each controller; `make` creates them."""
        self._folders = folders
        self._paths = list(dict.fromkeys(path for path, _ in folders.values()))

    @property
    def process_files(self) -> list[Path]:
        """Return the files into which a process writes 0 to join."""
        return [path / "cgroup.procs" for path in self._paths]

    @property
    def names(self) -> list[str]:
        """Return the name of each folder, under which /proc lists the group's members."""
        return [path.name for path in self._paths]

    @property
    def can_freeze(self) -> bool:
        """Say whether there is a freezer."""
        return "freezer" in self._folders

    def make(self, limits: Limits) -> None:
        """Create the folders and set the limits; swap is counted as memory or switched off."""
        for path in self._paths:
            path.mkdir()
        memory = str(limits.memory_mb * MIB)
        if (found := self._folders.get("memory")) is not None:
            path, version = found
            (path / ("memory.max" if version == 2 else "memory.limit_in_bytes")).write_text(memory)
            swap = path / ("memory.swap.max" if version == 2 else "memory.memsw.limit_in_bytes")
            if swap.exists():  # absent where the kernel does not count swap
                swap.write_text("0" if version == 2 else memory)
        if (found := self._folders.get("pids")) is not None:
            (found[0] / "pids.max").write_text(str(limits.pids))
        if (found := self._folders.get("cpu")) is not None:
            path, version = found
            quota = limits.cpu_threads * PERIOD_US
            if version == 2:
                (path / "cpu.max").write_text(f"{quota} {PERIOD_US}")
            else:
                (path / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (path / "cpu.cfs_quota_us").write_text(str(quota))

    def freeze(self) -> None:
        """Stop all processes, where there is a freezer."""
        self._set_frozen(True)

    def thaw(self) -> None:
        """Let all processes run."""
        self._set_frozen(False)

    def oom_kills(self) -> int:
        """Count the processes that the kernel killed for memory."""
        if "memory" not in self._folders:
            return 0
        path, version = self._folders["memory"]
        text = (path / ("memory.events" if version == 2 else "memory.oom_control")).read_text()
        counts = dict(line.split() for line in text.splitlines())
        return int(counts.get("oom_kill", 0))

    def peak_memory_mb(self) -> float | None:
        """Return the most memory that was ever charged, file cache included, in MiB."""
        if "memory" not in self._folders:
            return None
        path, version = self._folders["memory"]
        file = path / ("memory.peak" if version == 2 else "memory.max_usage_in_bytes")
        return int(file.read_text()) / MIB if file.exists() else None

    def kill(self) -> None:
        """Kill all processes and wait until none is left.

        Raises:
            TimeoutError: the kernel did not finish within five seconds.
        """
        deadline = time.monotonic() + REMOVE_SECONDS
        self.thaw()  # a process that is frozen by version 1 dies only when thawed
        while pids := self._pids():
            for path in self._paths:
                with contextlib.suppress(OSError):  # version 1 has no such file
                    (path / "cgroup.kill").write_text("1")
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(pids)} processes are left")
            time.sleep(0.002)

    def remove(self) -> None:
        """Kill what is left and remove the folders; those that are gone already do no harm."""
        self.kill()
        deadline = time.monotonic() + REMOVE_SECONDS
        for path in self._paths:
            while path.exists():
                try:
                    path.rmdir()
                except FileNotFoundError:
                    break
                except OSError:  # busy for a moment after the last process left
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.002)

    def _pids(self) -> set[int]:
        found: set[int] = set()
        for file in self.process_files:
            with contextlib.suppress(OSError):
                found.update(int(pid) for pid in file.read_text().split())
        return found - {0}  # 0: a process outside our own namespace

    def _set_frozen(self, is_frozen: bool) -> None:
        if not self.can_freeze:
            return
        path, version = self._folders["freezer"]
        with contextlib.suppress(FileNotFoundError):
            if version == 2:
                (path / "cgroup.freeze").write_text(str(int(is_frozen)))
            else:
                (path / "freezer.state").write_text("FROZEN" if is_frozen else "THAWED")
