"""Build the seccomp filter: an allowlist in which an unlisted call answers "not implemented"."""

import errno
import functools
import hashlib
import os
import socket

from evaluation.errors import SandboxUnavailable
from workers.sandbox.syscalls import ALLOWED, CLONE_NAMESPACES, IOCTLS

_LOW_32_BITS = 0xFFFFFFFF


@functools.cache
def build_filter() -> bytes:
    """Compile the allowlist for this machine's architecture into BPF, as bubblewrap takes it.

    ENOSYS is the answer to the rest, so that a newer libc falls back to older calls (clone3 to clone).
    A call of another architecture (32-bit calls on x86-64) kills the process. Arguments that the kernel
    reads as 32 bits are compared as 32 bits.

    Raises:
        SandboxUnavailable: libseccomp is not installed.
    """
    try:
        import pyseccomp as seccomp  # loads libseccomp, which only a worker's machine must have
    except (ImportError, OSError, RuntimeError) as error:
        raise SandboxUnavailable(
            "libseccomp is not installed.", fix="Install the packages libseccomp2 and pyseccomp."
        ) from error
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    for name in ALLOWED:
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # negative: not on this architecture
            rules.add_rule(seccomp.ALLOW, name)
    for name in ("socket", "socketpair"):
        unix = seccomp.Arg(0, seccomp.MASKED_EQ, _LOW_32_BITS, socket.AF_UNIX)
        rules.add_rule(seccomp.ALLOW, name, unix)
    rules.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_NAMESPACES, 0))
    for request in IOCTLS:
        rules.add_rule(seccomp.ALLOW, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, _LOW_32_BITS, request))
    return _exported(rules)


def filter_digest() -> str:
    """Return the sha256 of the filter, which is stored with each result."""
    return hashlib.sha256(build_filter()).hexdigest()


def _exported(rules: object) -> bytes:
    descriptor = os.memfd_create("filter")
    with os.fdopen(descriptor, "w+b") as file:
        rules.export_bpf(file)  # type: ignore[attr-defined]
        file.seek(0)
        return file.read()
