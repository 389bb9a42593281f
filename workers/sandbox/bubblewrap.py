"""Run a generator in a bubblewrap sandbox; refuses where any part of the isolation is missing."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from evaluation.errors import GenerationError
from evaluation.generation import process
from evaluation.generation.driver import Limits, Session, unwatched
from evaluation.generation.session import PipeSession, start_session
from evaluation.manifest import Manifest
from evaluation.obstacles import unavailable
from workers.sandbox.arguments import (
    BUNDLE,
    RUNNER,
    Bind,
    bubblewrap_arguments,
    interpreter_binds,
    resource_limits,
)
from workers.sandbox.cgroups import Cgroups, find_cgroups
from workers.sandbox.entry import PassedDescriptors, count_own_threads, enter_sandbox, spawn
from workers.sandbox.gpu import Gpu, find_gpu
from workers.sandbox.launched import LaunchedSandbox
from workers.sandbox.seccomp import build_filter, digest
from workers.sandbox.surroundings import FIRST_UID, PATH, Surroundings, device_for

OLDEST = (0, 8)
STAGE_PREFIX = "pastiche-stage"
SURROUNDINGS = Surroundings(
    variables=frozenset({"PWD"}), hidden_paths=("/etc/passwd", "/etc/shadow", "/home", "/sys/fs/cgroup")
)


class BubblewrapDriver:
    """Start the runner in its own namespaces, behind a seccomp filter, in a cgroup, as a user without rights.

    Mode "slot": this process is root; bubblewrap runs as the slot's own user, and a private mount
    namespace shows it the few paths that it binds, wherever they lie. Mode "direct": this process is
    not root; bubblewrap runs as the same user. Both use an unprivileged user namespace.
    """

    name = "bubblewrap"
    is_sandbox = True
    surroundings = SURROUNDINGS

    def __init__(
        self,
        *,
        slot: int = 0,
        gpu: int | None = None,
        allow_watchdog: bool = False,
        bubblewrap: str = "bwrap",
        cgroups: Cgroups | None = None,
    ) -> None:
        """Find what the sandbox needs.

        Args:
            slot: number of this worker process on its machine; two at a time must not share one.
            gpu: number of the one GPU that generators may use, with all that belongs to it in view.
            allow_watchdog: where no cgroup can be made, measure the memory instead. It is no protection
                against malice and is for development only; `describe` names it.
            bubblewrap: the program.
            cgroups: where groups may be made; looked up in /proc by default.

        Raises:
            SandboxUnavailable: bubblewrap, another tool, libseccomp, a cgroup or the GPU is missing.
        """
        self._is_root = os.geteuid() == 0
        self._uid = FIRST_UID + slot
        self._bubblewrap = _find_tools(bubblewrap, self._is_root)
        self._version = _version(self._bubblewrap)
        self.gpu = gpu
        self._gpu: Gpu | None = None if gpu is None else find_gpu(gpu)
        self._filter()
        self._cgroups = find_cgroups() if cgroups is None else cgroups
        if not self._cgroups.is_sufficient and not allow_watchdog:
            raise unavailable("NO_CGROUP")
        self._cgroups.sweep()
        _sweep_stages()

    def describe(self) -> dict[str, str]:
        """Return what is stored with each result: version, mode, filter digest and what limits the memory."""
        described = {"memory": "watchdog", "pids": "rlimit", "cpu": "none", "freezer": "none"}
        return {
            "driver": self.name,
            "version": self._version,
            "mode": "slot" if self._is_root else "direct",
            "filter": digest(self._filter()),
            "device": "cpu" if self._gpu is None else f"cuda, GPU {self.gpu}, driver {self._gpu.version}",
            **described,
            **self._cgroups.describe(),
        }

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

        The session must be used from the thread that starts it: when that thread ends, the sandbox dies.

        Raises:
            GenerationError: LOAD_FAILED, LOAD_TIMEOUT, MISSING_FILE, OUT_OF_MEMORY, CRASHED, PROTOCOL, or
                INFRA where the sandbox cannot be set up or does not hold what it must.
        """
        binds = [Bind(process.RUNNER, RUNNER), Bind(bundle.resolve(), BUNDLE)]
        device = device_for(manifest, self.gpu)
        command = ["-I", "-B", str(RUNNER), str(BUNDLE), device, str(limits.cpu_threads)]
        return start_session(self.launch(command, binds, limits), limits, log, on_launch)

    def launch(self, command: Sequence[str], binds: Sequence[Bind], limits: Limits) -> LaunchedSandbox:
        """Start the interpreter with `command` in a sandbox that shows `binds` and the interpreter itself.

        Raises:
            GenerationError: INFRA.
        """
        with contextlib.ExitStack() as stack:
            try:
                return self._launch(command, binds, limits, stack)
            except OSError as error:
                raise GenerationError("INFRA", f"The sandbox cannot be set up: {error.strerror}.") from error

    def _launch(
        self, command: Sequence[str], binds: Sequence[Bind], limits: Limits, stack: contextlib.ExitStack
    ) -> LaunchedSandbox:
        """Start it; what `stack` holds is given back where the start fails."""
        group = self._cgroups.create(limits)
        stack.callback(group.remove)
        stage = self._make_stage(stack)
        enter, binds = enter_sandbox(group, [*interpreter_binds(), *binds], stage, self._uid)
        info_read, info_write = os.pipe()
        stack.callback(os.close, info_read)
        with PassedDescriptors() as passed:
            options = bubblewrap_arguments(
                binds,
                process.runner_environment("/tmp", limits.cpu_threads),
                limits,
                {"--seccomp": passed.add(self._filter()), "--info-fd": passed.take(info_write)},
                () if self._gpu is None else self._gpu.options,
            )
            listed = passed.add(b"".join(option.encode() + b"\0" for option in options))
            limit = resource_limits(limits, others=0 if self._is_root else count_own_threads())
            inside = [self._bubblewrap, "--args", str(listed), "--", sys.executable, *command]
            started = spawn([*enter, *limit, *inside], passed.numbers, PATH)
        stack.pop_all()
        return LaunchedSandbox(
            started,
            group,
            info_read,
            stage=stage,
            watched_memory_mb=None if "memory" in self._cgroups.places else limits.memory_mb,
            processes=None if self._is_root else limits.pids,
        )

    def _filter(self) -> bytes:
        return build_filter(gpu=self.gpu is not None)

    def _make_stage(self, stack: contextlib.ExitStack) -> Path | None:
        """Make the folder over which root mounts what the slot's user is to see."""
        if not self._is_root:
            return None
        stage = Path(tempfile.mkdtemp(prefix=f"{STAGE_PREFIX}-{os.getpid()}-"))
        stack.callback(stage.rmdir)
        stage.chmod(0o755)
        return stage


def _find_tools(bubblewrap: str, is_root: bool) -> str:
    """Return the path of bubblewrap, or name the first tool that is missing."""
    needed = [bubblewrap, "prlimit", "sh", *(("unshare", "mount", "setpriv") if is_root else ())]
    for tool in needed:
        if shutil.which(tool, path=PATH) is None:
            raise unavailable("TOOL_MISSING", tool=tool)
    return str(shutil.which(bubblewrap, path=PATH))


def _version(bubblewrap: str) -> str:
    done = subprocess.run(
        [bubblewrap, "--version"], capture_output=True, text=True, env={"PATH": PATH}, check=False
    )
    match = re.fullmatch(r"bubblewrap (\d+)\.(\d+)\S*", done.stdout.strip())
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        raise unavailable("BUBBLEWRAP_TOO_OLD", program=bubblewrap)
    return done.stdout.split()[1]


def _sweep_stages() -> None:
    """Remove the stage folders of workers that are gone; their mounts went with their processes."""
    for folder in Path(tempfile.gettempdir()).glob(f"{STAGE_PREFIX}-[0-9]*-*"):
        owner = folder.name.removeprefix(f"{STAGE_PREFIX}-").split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            with contextlib.suppress(OSError):
                folder.rmdir()
