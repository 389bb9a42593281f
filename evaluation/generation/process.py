"""Run a generator as a plain child process, for one's own generators: it is no sandbox."""

import contextlib
import os
import resource
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import psutil

from evaluation.errors import GenerationError
from evaluation.generation.driver import Limits, Session, unwatched
from evaluation.generation.session import PipeSession, start_session
from evaluation.generation.watchdog import MemoryWatchdog
from evaluation.manifest import Manifest

RUNNER = Path(__file__).with_name("runner.py")
MARK = "PASTICHE_RUN"
HOME_PREFIX = "pastiche-process"
NOFILE = 1024


class ProcessDriver:
    """Start the runner as a child with an empty environment, its own session, limits and temporary folder.

    It stops mistakes, not malice: the child can read what the user can read, and use the network.
    With `uid`, for which this process must be root, the child runs as that user and group, on a copy of
    the bundle; where that user cannot reach the interpreter, it runs as our own user, and `describe` says so.
    """

    name = "process"
    is_sandbox = False

    def __init__(self, *, device: str = "cpu", python: str = sys.executable, uid: int | None = None) -> None:
        """Choose what the generator gets as its device, the interpreter, and whose child it is."""
        self.device = device
        self.python = python
        self.uid = uid if uid is not None and _can_everyone_reach(python) else None
        self._user = "own user" if self.uid is None else f"uid {uid}"
        if uid != self.uid:
            self._user += f" (uid {uid} cannot reach the interpreter)"
        _sweep()

    def describe(self) -> dict[str, str]:
        """Return what is stored with each result."""
        return {"driver": self.name, "user": self._user, "memory": "watchdog", "device": self.device}

    def start(
        self,
        bundle: Path,
        manifest: Manifest,
        limits: Limits,
        log: Callable[[bytes], None],
        *,
        on_launch: Callable[[Session], None] = unwatched,
    ) -> PipeSession:
        """Load the generator from an unpacked archive; `log` receives its stderr from a thread, as it comes.

        Raises:
            GenerationError: LOAD_FAILED, LOAD_TIMEOUT, MISSING_FILE, OUT_OF_MEMORY, CRASHED, PROTOCOL, or
                INFRA where the child cannot be started.
        """
        home = Path(tempfile.mkdtemp(prefix=f"{HOME_PREFIX}-{os.getpid()}-"))
        try:
            launched = self._launch(bundle.resolve(), limits, home)
        except OSError as error:
            shutil.rmtree(home, ignore_errors=True)
            raise GenerationError("INFRA", f"The runner cannot be started: {error.strerror}.") from error
        return start_session(launched, limits, log, on_launch)

    def _launch(self, bundle: Path, limits: Limits, home: Path) -> "LaunchedProcess":
        mark = f"{os.getpid()}-{secrets.token_hex(16)}"
        runner = RUNNER
        if self.uid is not None:
            bundle = shutil.copytree(bundle, home / "bundle")
            runner = Path(shutil.copy(RUNNER, home))
        command = [self.python, "-I", "-B", str(runner), str(bundle), self.device, str(limits.cpu_threads)]
        environment = runner_environment(str(home), limits.cpu_threads)
        if self.uid is not None:
            os.chown(home, self.uid, self.uid)
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=home,
            env={**environment, MARK: mark},
            start_new_session=True,
            user=self.uid,
            group=self.uid,
            extra_groups=None if self.uid is None else [],
            # From outside, the limits of another user's process take a capability that even root may lack.
            preexec_fn=None if self.uid is None else partial(_set_limits, 0, limits),
        )
        return LaunchedProcess(process, mark, limits, home)


class LaunchedProcess:
    """A child process and everything that it started; implements `evaluation.generation.session.Launched`."""

    is_shielded = False

    def __init__(self, process: subprocess.Popen[bytes], mark: str, limits: Limits, home: Path) -> None:
        """Watch a started child; `mark` stands in the environment of all its descendants."""
        self.process = process
        self._mark = mark
        self._limits = limits
        self._home = home
        self._lock = threading.Lock()
        self._is_ended = False
        self._watchdog = MemoryWatchdog(process.pid, limits.memory_mb, self.kill)
        self._watchdog.start()

    def confine(self) -> None:
        """Set the resource limits, where the system can set them from outside."""
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # another user's process has them by now
            _set_limits(self.process.pid, self._limits)

    def freeze(self) -> None:
        """Do nothing: a plain child is not frozen between pairs."""

    def thaw(self) -> None:
        """Do nothing: see `freeze`."""

    def is_out_of_memory(self) -> bool:
        """Say whether the watchdog ended the child."""
        return self._watchdog.has_fired

    def peak_memory_mb(self) -> float | None:
        """Return the most resident memory that the watchdog saw, in MiB."""
        return self._watchdog.peak_mb or None

    def kill(self) -> None:
        """Kill the child and its descendants; does nothing after `end`."""
        with self._lock:
            if not self._is_ended:
                self._kill()

    def end(self) -> None:
        """Kill the child and its descendants, and remove its temporary folder."""
        self._watchdog.stop()
        with self._lock:
            self._is_ended = True
            self._kill()
            self.process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _kill(self) -> None:
        """Kill until a look at all processes finds none: what is being killed may still be forking."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        while found := self._descendants():
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.01)

    def _descendants(self) -> list[psutil.Process]:
        """Find the processes of the child's session and those that carry its mark, also when reparented."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                is_ours = os.getsid(process.pid) == self.process.pid
                is_ours = is_ours or process.environ().get(MARK) == self._mark
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


def _sweep() -> None:
    """End the children and remove the folders of processes like this one that were killed."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if _is_orphaned(process.environ().get(MARK, "")):
                process.kill()
    for home in Path(tempfile.gettempdir()).glob(f"{HOME_PREFIX}-*-*"):
        if _is_orphaned(home.name.removeprefix(f"{HOME_PREFIX}-")):
            shutil.rmtree(home, ignore_errors=True)


def _is_orphaned(mark: str) -> bool:
    owner = mark.split("-")[0]
    return owner.isdigit() and not psutil.pid_exists(int(owner))


def _can_everyone_reach(python: str) -> bool:
    """Say whether the folders above the interpreter, and above what it is a link to, are open to all users."""
    ways = [path for name in (python, os.path.realpath(python)) for path in Path(name).parents]
    return all(path.stat().st_mode & stat.S_IXOTH for path in ways)


def runner_environment(home: str, threads: int) -> Mapping[str, str]:
    """Return the whole environment that a generator sees; nothing of ours is in it."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "USER": "generator",  # torch asks for the name of the user, who has no entry in any passwd file
        "LOGNAME": "generator",
        "LANG": "C.UTF-8",
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads and the scorer's, on the same cores, stall each other
        **dict.fromkeys(names, str(threads)),
    }


def _set_limits(pid: int, limits: Limits) -> None:
    """Lower the limits of a process (0: this one), where the system has the call for it."""
    if not hasattr(resource, "prlimit"):
        return
    for kind, value in _resource_limits(limits).items():
        hard = resource.prlimit(pid, kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.prlimit(pid, kind, (value, value))


def _resource_limits(limits: Limits) -> dict[int, int]:
    """Choose the limits of a process; not the address space: torch reserves far more than it uses."""
    seconds = limits.load_seconds + limits.run_seconds
    return {
        resource.RLIMIT_FSIZE: limits.file_mb << 20,
        resource.RLIMIT_NOFILE: NOFILE,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int(seconds * limits.cpu_threads) + 60,
        resource.RLIMIT_DATA: max(limits.memory_mb, 1024) << 20,
    }
