"""The seccomp filter: nothing dangerous is listed, and the same list gives the same filter."""

import hashlib
import struct

import pytest

from workers.sandbox.seccomp import build_filter, digest
from workers.sandbox.syscalls import ALLOWED, CLONE_NAMESPACES, IOCTLS

pytest.importorskip("pyseccomp", exc_type=RuntimeError)

FORBIDDEN = [
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "chroot",
    "clock_adjtime",
    "clock_settime",
    "clone",
    "clone3",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioctl",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mbind",
    "migrate_pages",
    "mknod",
    "mknodat",
    "modify_ldt",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "personality",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "query_module",
    "quotactl",
    "reboot",
    "remap_file_pages",
    "request_key",
    "setdomainname",
    "setgid",
    "setgroups",
    "sethostname",
    "setns",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "settimeofday",
    "setuid",
    "setxattr",
    "socket",
    "socketpair",
    "swapoff",
    "swapon",
    "sync",
    "syncfs",
    "sysfs",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "splice",
    "tee",
    "ustat",
    "vmsplice",
    "vhangup",
    "vm86",
]


def test_no_dangerous_call_is_allowed_without_a_condition() -> None:
    assert sorted(set(ALLOWED) & set(FORBIDDEN)) == []


def test_the_list_has_no_doubles() -> None:
    assert len(ALLOWED) == len(set(ALLOWED))


def test_no_allowed_ioctl_types_into_a_terminal() -> None:
    assert 0x5412 not in IOCTLS
    assert 0x541C not in IOCTLS


def test_every_namespace_flag_is_in_the_mask() -> None:
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert CLONE_NAMESPACES & flag


def test_the_filter_is_whole_and_its_digest_is_that_of_its_bytes() -> None:
    program = build_filter()
    assert len(program) % 8 == 0
    assert build_filter() is program
    assert digest(program) == hashlib.sha256(program).hexdigest()


def test_what_is_not_listed_answers_not_implemented_and_another_architecture_is_killed() -> None:
    returns = {
        value
        for code, _, _, value in struct.iter_unpack("HBBI", build_filter())
        if code == 0x06  # BPF_RET | BPF_K
    }
    assert returns == {0x7FFF0000, 0x80000000, 0x00050000 | 38}
