"""A sandbox that has been started: verified from outside, frozen between pairs, and ended without remains."""

import contextlib
import json
import os
import resource
import subprocess
import threading
from pathlib import Path

import psutil

from evaluation.errors import GenerationError
from evaluation.generation.watchdog import MemoryWatchdog
from workers.sandbox.group import Group
from workers.sandbox.verify import find_problems

INFO_BYTES = 4096


class LaunchedSandbox:
    """Bubblewrap and all processes below it; implements `evaluation.generation.session.Launched`."""

    is_shielded = True

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        group: Group,
        info: int,
        *,
        stage: Path | None,
        watched_memory_mb: int | None,
        processes: int | None,
    ) -> None:
        """Take over what was started.

        Args:
            process: bubblewrap, with pipes.
            group: its control group.
            info: the descriptor on which bubblewrap writes the number of its first process inside.
            stage: the folder over which the paths are mounted, in the sandbox's own mount namespace.
            watched_memory_mb: the limit for the watchdog, where no cgroup limits the memory.
            processes: the limit for processes inside, where it could not be set for the user as a whole.
        """
        self.process = process
        self._group = group
        self._info = info
        self._stage = stage
        self._processes = processes
        self._is_ended = False
        self._lock = threading.Lock()
        self._peak_mb: float | None = None
        self._is_out_of_memory = False
        self._watchdog: MemoryWatchdog | None = None
        if watched_memory_mb is not None:
            self._watchdog = MemoryWatchdog(process.pid, watched_memory_mb, self.kill)
            self._watchdog.start()

    def confine(self) -> None:
        """Verify from outside that the isolation holds, and set the limit that counts inside only.

        Raises:
            GenerationError: INFRA, when any part of it is missing or cannot be read.
        """
        try:
            first = int(json.loads(os.read(self._info, INFO_BYTES))["child-pid"])
            (runner,) = psutil.Process(first).children()
            problems = find_problems(runner.pid, self._group.names)
            if self._processes is not None:  # inside, the kernel counts the processes of that namespace
                resource.prlimit(runner.pid, resource.RLIMIT_NPROC, (self._processes, self._processes))
        except (OSError, ValueError, KeyError, psutil.Error) as error:
            raise GenerationError("INFRA", "The sandbox cannot be verified from outside.") from error
        if problems:
            raise GenerationError("INFRA", f"The sandbox does not hold: {'; '.join(problems)}.")

    def freeze(self) -> None:
        """Stop all processes between two pairs, where there is a freezer."""
        self._group.freeze()

    def thaw(self) -> None:
        """Let all processes run."""
        self._group.thaw()

    def is_out_of_memory(self) -> bool:
        """Say whether a process inside was killed for memory, by the kernel or by the watchdog."""
        if self._watchdog is not None and self._watchdog.has_fired:
            return True
        return self._is_out_of_memory if self._is_ended else self._group.oom_kills() > 0

    def peak_memory_mb(self) -> float | None:
        """Return the most memory used so far in MiB: with a cgroup, file cache included."""
        if self._watchdog is not None:
            return self._watchdog.peak_mb
        return self._peak_mb if self._is_ended else self._group.peak_memory_mb()

    def kill(self) -> None:
        """Kill everything inside; does nothing after `end`."""
        with self._lock:
            if not self._is_ended:
                self._kill()

    def end(self) -> None:
        """Kill everything inside, wait for it, and remove group and stage."""
        if self._is_ended:
            return
        if self._watchdog is not None:
            self._watchdog.stop()
        self._is_out_of_memory, self._peak_mb = self.is_out_of_memory(), self.peak_memory_mb()
        with self._lock:
            self._is_ended = True
            self._kill()
            self.process.wait()
        self._group.remove()
        os.close(self._info)
        if self._stage is not None:
            with contextlib.suppress(FileNotFoundError):
                self._stage.rmdir()

    def _kill(self) -> None:
        """Kill bubblewrap's outer process last: until then all others are its descendants."""
        self._group.thaw()
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.kill()
        self._group.kill()
