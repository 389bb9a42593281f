"""Build the seccomp filter: an allowlist in which an unlisted call answers "not implemented"."""

import errno
import functools
import hashlib
import json
import os
import platform

from evaluation.obstacles import unavailable
from workers.sandbox.syscalls import Rule, rules

_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


@functools.cache
def build_filter(*, gpu: bool = False) -> bytes:
    """Compile the allowlist for this machine's architecture into BPF, as bubblewrap takes it.

    ENOSYS is the answer to the rest, so that a newer libc falls back to older calls (clone3 to clone).
    A call of another architecture (32-bit calls on x86-64) kills the process.

    Raises:
        SandboxUnavailable: libseccomp is not installed.
    """
    try:
        import pyseccomp as seccomp  # loads libseccomp, which only a worker's machine must have
    except (ImportError, OSError, RuntimeError) as error:
        raise unavailable("NO_SECCOMP") from error
    made = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    made.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    for rule in rules(gpu=gpu):
        conditions = []
        if rule.argument is not None:
            index, mask, wanted = rule.argument
            conditions = [seccomp.Arg(index, seccomp.MASKED_EQ, mask, wanted)]
        for name in rule.names:
            if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # negative: not on this architecture
                made.add_rule(seccomp.ALLOW, name, *conditions)
    return _exported(made)


@functools.cache
def build_profile(*, gpu: bool = False) -> bytes:
    """Write the same allowlist as the JSON that a container engine takes.

    No second architecture is listed, so that 32-bit calls end the thread that makes them.

    Raises:
        SandboxUnavailable: the architecture is none that the engine's format knows here.
    """
    if platform.machine() not in _ARCHITECTURES:
        raise unavailable("NO_PROFILE", machine=platform.machine())
    profile = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.ENOSYS,
        "architectures": [_ARCHITECTURES[platform.machine()]],
        "syscalls": [_listed(rule) for rule in rules(gpu=gpu)],
    }
    return json.dumps(profile, separators=(",", ":")).encode()


def digest(content: bytes) -> str:
    """Return the sha256 of a filter or profile, which is stored with each result."""
    return hashlib.sha256(content).hexdigest()


def _listed(rule: Rule) -> dict[str, object]:
    listed: dict[str, object] = {"names": list(rule.names), "action": "SCMP_ACT_ALLOW"}
    if rule.argument is not None:
        index, mask, wanted = rule.argument
        condition = {"index": index, "value": mask, "valueTwo": wanted, "op": "SCMP_CMP_MASKED_EQ"}
        listed["args"] = [condition]
    return listed


def _exported(made: object) -> bytes:
    descriptor = os.memfd_create("filter")
    with os.fdopen(descriptor, "w+b") as file:
        made.export_bpf(file)  # type: ignore[attr-defined]
        file.seek(0)
        return file.read()
