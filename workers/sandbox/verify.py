"""Look at a started sandbox from outside, before any code of a participant runs in it."""

import os
from collections.abc import Sequence
from pathlib import Path

NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def find_problems(pid: int, groups: Sequence[str], namespaces: Sequence[str] = NAMESPACES) -> list[str]:
    """Return what is wrong with the isolation of a process; [] is good.

    Args:
        pid: the runner, by its number out here.
        groups: names that must stand in the paths of its control groups.
        namespaces: those that must not be ours; without "user" among them, its user must be another than ours.

    Raises:
        OSError, KeyError, ValueError: the process is gone or cannot be read, which is no proof.
    """
    status = read_status(pid)
    problems = [f"{name} is {status[name]}" for name in CAPABILITIES if int(status[name], 16)]
    if status["Seccomp"] != "2":
        problems.append("no seccomp filter")
    if status["NoNewPrivs"] != "1":
        problems.append("new privileges are possible")
    if "0" in status["Uid"].split() or "0" in status["Gid"].split():
        problems.append("it runs as root")
    if "user" not in namespaces and str(os.geteuid()) in status["Uid"].split():
        problems.append("it runs as our own user")
    for name in namespaces:
        if _namespace(pid, name) == _namespace(os.getpid(), name):
            problems.append(f"it shares our {name} namespace")
    joined = Path(f"/proc/{pid}/cgroup").read_text()
    problems += [f"it is not in {group}" for group in groups if group not in joined]
    return problems


def read_status(pid: int) -> dict[str, str]:
    """Read /proc/PID/status as a table."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _namespace(pid: int, name: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{name}")
