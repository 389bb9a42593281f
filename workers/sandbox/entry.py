"""The few steps between this process and bubblewrap: join the cgroup, show the paths, give up root."""

import contextlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import psutil

from workers.sandbox.arguments import Bind
from workers.sandbox.group import Group

# $1: how many groups; the groups' files; then the command. 0 is the writing process itself.
_JOIN = """
set -eu
left=$1; shift
while [ "$left" -gt 0 ]; do echo 0 > "$1"; shift; left=$((left - 1)); done
"""

# $1: the stage; $2: how many paths; the paths; then the command. The stage is a file system of its own in
# a mount namespace of its own, so that the slot's user reaches what lies below a folder closed to it.
_SHOW = """
stage=$1; count=$2; shift 2
mount -t tmpfs -o size=64k,mode=0755 pastiche "$stage"
n=0
while [ "$n" -lt "$count" ]; do
    if [ -d "$1" ]; then mkdir "$stage/$n"; else : > "$stage/$n"; fi
    mount --bind "$1" "$stage/$n"
    shift; n=$((n + 1))
done
"""

_RUN = """
exec "$@"
"""


def enter_sandbox(
    group: Group, binds: Sequence[Bind], stage: Path | None, uid: int
) -> tuple[list[str], list[Bind]]:
    """Return the command that joins the group and becomes what follows it.

    With a `stage`, for which this process must be root, it also shows the binds there and gives up root.

    Returns:
        The command, and the binds with the sources under which bubblewrap then finds them.
    """
    files = [str(file) for file in group.process_files]
    if stage is None:
        return ["sh", "-c", _JOIN + _RUN, "sh", str(len(files)), *files], list(binds)
    sources = [str(bind.source) for bind in binds]
    command = ["unshare", "--mount", "--propagation", "private", "--"]
    command += ["sh", "-c", _JOIN + _SHOW + _RUN, "sh", str(len(files)), *files]
    command += [str(stage), str(len(sources)), *sources]
    command += ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--no-new-privs", "--"]
    return command, [replace(bind, source=stage / str(n)) for n, bind in enumerate(binds)]


def count_own_threads() -> int:
    """Count what the kernel counts as this user's processes."""
    count = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == os.getuid():
                count += process.num_threads()
    return count


def spawn(command: Sequence[str], descriptors: Sequence[int], path: str) -> subprocess.Popen[bytes]:
    """Start a command with pipes, these further descriptors, and nothing of our environment.

    Bubblewrap becomes process 1 of the sandbox, where its environment can be read.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd="/",
        env={"PATH": path},
        pass_fds=descriptors,
        start_new_session=True,
    )


class PassedDescriptors:
    """Descriptors that a child inherits and that this process closes once it has started."""

    def __init__(self) -> None:
        """Start with none."""
        self.numbers: list[int] = []

    def add(self, content: bytes) -> int:
        """Put content into a file in memory and return its descriptor."""
        descriptor = self.take(os.memfd_create("pastiche"))
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def take(self, descriptor: int) -> int:
        """Pass a descriptor that is open already."""
        self.numbers.append(descriptor)
        return descriptor

    def __enter__(self) -> "PassedDescriptors":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all of them."""
        for descriptor in self.numbers:
            os.close(descriptor)
