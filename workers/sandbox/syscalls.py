"""The system calls that a generator may make; whatever is not listed does not exist for it."""

import socket
from dataclasses import dataclass

_FILES = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
    fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr
    flock fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch
    inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr llistxattr lseek lstat
    mkdir mkdirat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read
    readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile stat statfs statx
    symlink symlinkat truncate umask unlink unlinkat utime utimensat utimes write writev
"""
_MEMORY = """
    brk get_mempolicy madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mmap mprotect
    mremap mseal msync munlock munmap pkey_alloc pkey_free pkey_mprotect
"""
_PROCESSES = """
    arch_prctl capget execve execveat exit exit_group fork get_robust_list getcpu getegid geteuid getgid
    getgroups getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage
    getsid gettid getuid kill pidfd_open pidfd_send_signal prctl prlimit64 rseq sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
    set_robust_list set_tid_address setpgid setpriority setrlimit setsid sysinfo tgkill tkill uname vfork
    wait4 waitid
"""
_SIGNALS_AND_TIME = """
    alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep pause restart_syscall
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_tgsigqueueinfo setitimer sigaltstack signalfd signalfd4 time timer_create timer_delete
    timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times
"""
_BETWEEN_PROCESSES = """
    accept accept4 bind connect epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait
    eventfd eventfd2 futex futex_requeue futex_wait futex_waitv futex_wake getpeername getsockname
    getsockopt listen pipe pipe2 poll ppoll pselect6 recvfrom recvmmsg recvmsg select semctl semget semop
    semtimedop sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown
"""

# Without conditions; `clone`, `socket`, `socketpair` and `ioctl` come with conditions in `rules`.
ALLOWED = tuple(
    sorted(" ".join((_FILES, _MEMORY, _PROCESSES, _SIGNALS_AND_TIME, _BETWEEN_PROCESSES)).split())
)

# Asking a descriptor what it is: FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS, TCGETS2, TIOCGWINSZ, TIOCGPGRP.
IOCTLS = (0x541B, 0x5421, 0x5451, 0x5450, 0x5401, 0x802C542A, 0x5413, 0x540F)

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: none may be set.
CLONE_NAMESPACES = 0x7E020000

# What the NVIDIA driver is asked, as (mask, wanted bits): all requests of type "F", and those of its unified memory.
GPU_IOCTLS = ((0xFF00, 0x4600), (0xFFFFFF00, 0), (0xFFFFFFFC, 0x30000000))

_LOW_32_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class Rule:
    """Calls that are allowed: always, or where `argument`, as (index, mask, wanted bits), is so."""

    names: tuple[str, ...]
    argument: tuple[int, int, int] | None = None


def rules(*, gpu: bool = False) -> tuple[Rule, ...]:
    """Return the whole list; with `gpu`, the driver of an NVIDIA GPU can be talked to as well.

    Arguments that the kernel reads as 32 bits are compared as 32 bits.
    """
    requests = [(_LOW_32_BITS, request) for request in IOCTLS] + list(GPU_IOCTLS if gpu else ())
    return (
        Rule(ALLOWED),
        Rule(("socket", "socketpair"), (0, _LOW_32_BITS, socket.AF_UNIX)),
        Rule(("clone",), (0, CLONE_NAMESPACES, 0)),
        *(Rule(("ioctl",), (1, mask, request)) for mask, request in requests),
    )
