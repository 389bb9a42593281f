"""The bubblewrap command line: strict flags only, so that a missing feature stops the start."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.generation.driver import Limits

INSIDE_ID = "65534"
BUNDLE = Path("/bundle")
RUNNER = Path("/run/generator/runner.py")
MIB = 1 << 20
NOFILE = 256
SPARE_PROCESSES = 32

_NAMESPACES = (
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup",
    "--disable-userns",
)
_IDENTITY = ("--uid", INSIDE_ID, "--gid", INSIDE_ID, "--cap-drop", "ALL", "--hostname", "sandbox")


@dataclass(frozen=True)
class Bind:
    """A path of this machine that is visible inside, read-only; `source` may be another name for it."""

    source: Path
    inside: Path


def bubblewrap_arguments(
    binds: Sequence[Bind],
    environment: Mapping[str, str],
    limits: Limits,
    descriptors: Mapping[str, int],
    devices: Sequence[str] = (),
) -> list[str]:
    """Return all options in the order in which bubblewrap applies them.

    Only /tmp and /dev/shm can be written, each up to its size. The binds come last, and none may lie
    below another: a mount point below a folder of the participant's could be led astray by a link in it.
    `devices` are the options that show a GPU.

    Raises:
        ValueError: a bind lies below another one.
    """
    _check_apart(binds)
    arguments = [*_NAMESPACES, *_IDENTITY, "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    arguments += [*_system(), "--proc", "/proc", "--dev", "/dev"]
    for folder, size in (("/dev/shm", limits.shm_mb), ("/tmp", limits.tmp_mb)):
        arguments += ["--size", str(size * MIB), "--perms", "1777", "--tmpfs", folder]
    arguments += devices
    for bind in binds:
        arguments += ["--ro-bind", str(bind.source), str(bind.inside)]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    for option, descriptor in descriptors.items():
        arguments += [option, str(descriptor)]
    return arguments


def interpreter_binds() -> list[Bind]:
    """List the folders of this interpreter and its environment that do not lie below /usr anyway."""
    named = {Path(sys.prefix), Path(sys.base_prefix)}
    found: list[Path] = []
    for folder in sorted(named | {path.resolve() for path in named}):
        if not any(folder.is_relative_to(known) for known in (Path("/usr"), *found)):
            found.append(folder)
    return [Bind(folder.resolve(), folder) for folder in found]


def resource_limits(limits: Limits, others: int) -> list[str]:
    """Return the `prlimit` command that starts what follows it with hard limits.

    The address space stays open: torch reserves far more than it uses. Processes are counted for each
    user, hence `others`, the processes that this user has already, and the spare ones for the start.
    """
    return [
        "prlimit",
        f"--nofile={NOFILE}",
        f"--nproc={limits.pids + SPARE_PROCESSES + others}",
        f"--fsize={limits.file_mb * MIB}",
        "--core=0",
        f"--cpu={processor_seconds(limits)}",
        "--",
    ]


def processor_seconds(limits: Limits) -> int:
    """Return the processor time that one process may use: a backstop behind the clock of the run."""
    return int((limits.load_seconds + limits.run_seconds) * limits.cpu_threads) + 60


def _system() -> list[str]:
    """Show /usr and what leads into it, the linker's cache, and the list of processors."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("/lib", "/lib64", "/bin", "/sbin"):
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), name]
        elif path.is_dir():
            arguments += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/sys/devices/system/cpu"):
        if Path(name).exists():
            arguments += ["--ro-bind", name, name]
    return arguments


def _check_apart(binds: Sequence[Bind]) -> None:
    for bind in binds:
        for other in binds:
            if bind is not other and bind.inside.is_relative_to(other.inside):
                raise ValueError(f"{bind.inside} lies below {other.inside}")
