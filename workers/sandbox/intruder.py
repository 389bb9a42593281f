"""A hostile program inside the sandbox that reports which of its attacks got through; needs no other file."""

import contextlib
import ctypes
import errno
import json
import mmap
import os
import platform
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

MACHINES = ("x86_64", "aarch64")  # the table has a number of each call for each of them
_TABLE = """
    add_key 248 217, bpf 321 280, clone 56 220, clone3 435 435, finit_module 313 273,
    io_uring_setup 425 425, keyctl 250 219, mknodat 259 33, mount 165 40, open_by_handle_at 304 265,
    open_tree 428 428, perf_event_open 298 241, pidfd_getfd 438 438, pivot_root 155 41,
    process_vm_readv 310 270, ptrace 101 117, setns 308 268, setuid 105 146, unshare 272 97, userfaultfd 323 282,
"""
NUMBERS = {row.split()[0]: [int(n) for n in row.split()[1:]] for row in _TABLE.split(",") if row.strip()}
UNKNOWN, CLONE_NEWUSER, CLONE_NEWNS = 255, 0x10000000, 0x00020000
SOCKETS = {
    "TCP": (socket.AF_INET,),
    "UDP": (socket.AF_INET, socket.SOCK_DGRAM),
    "IPv6": (socket.AF_INET6,),
    "netlink": (16, socket.SOCK_RAW),
    "raw packets": (17, socket.SOCK_RAW),
    "kernel crypto": (38, socket.SOCK_SEQPACKET),
    "vsock": (40,),
}
CALLS: dict[str, tuple[str, *tuple[int | bytes | None, ...]]] = {
    "new user namespace": ("unshare", CLONE_NEWUSER),
    "new mount namespace": ("unshare", CLONE_NEWNS),
    "clone a namespace": ("clone", CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0),
    "clone3": ("clone3", bytes(88), 88),
    "setns": ("setns", 0, 0),
    "mount": ("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "open_tree": ("open_tree", -100, b"/", 1),
    "pivot_root": ("pivot_root", b"/tmp", b"/tmp"),
    "ptrace": ("ptrace", 0, 0, 0, 0),
    "process_vm_readv": ("process_vm_readv", os.getpid(), None, 0, None, 0, 0),
    "pidfd_getfd": ("pidfd_getfd", 0, 0, 0),
    "bpf": ("bpf", 0, bytes(128), 128),
    "perf": ("perf_event_open", bytes(128), 0, -1, -1, 0),
    "userfaultfd": ("userfaultfd", 1),
    "io_uring": ("io_uring_setup", 1, bytes(120)),
    "keyctl": ("keyctl", 0, -3, 1),
    "add_key": ("add_key", b"user", b"name", b"x", 1, -3),
    "load a kernel module": ("finit_module", 0, b"", 0),
    "open_by_handle_at": ("open_by_handle_at", -100, bytes(16), 0),
    "make a device": ("mknodat", -100, b"/tmp/disk", 0o060600, os.makedev(8, 0)),
    "become root": ("setuid", 0),
}
HELLO = "hello\n"
CAPABILITIES = {"CapEff": "0" * 16, "CapBnd": "0" * 16}
ROOTS = ("", "/proc/1/root", "/proc/self/root/../..", "/proc/1/cwd/../..", "/oldroot", "/newroot")
ELSEWHERE = ("192.0.2.1", 53)  # an address that documents use and that belongs to nobody
LIBC = ctypes.CDLL(None, use_errno=True)

Attack = Callable[[], str]  # returns what it reached; "" or an OSError say that it was stopped


def in_child(attack: Callable[[], object]) -> str:
    """Run an attack in a child, so that what it changes does not disturb the next one."""
    child = os.fork()
    if child == 0:
        try:
            attack()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno or UNKNOWN)
        finally:
            os._exit(UNKNOWN)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == UNKNOWN:
        raise RuntimeError("the attack itself failed")
    if code:
        raise OSError(code, os.strerror(code) if code > 0 else f"killed by signal {-code}")
    return "it worked"


def call(name: str, *arguments: int | bytes | None) -> None:
    """Make a system call by number; only ENOSYS says that the kernel has not seen it."""
    number = NUMBERS[name][MACHINES.index(platform.machine())]  # ValueError elsewhere: an unknown answer
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    if LIBC.syscall(ctypes.c_long(number), *converted) == -1 and ctypes.get_errno() == errno.ENOSYS:
        raise OSError(errno.ENOSYS, name)


def try_call(name: str, *arguments: int | bytes | None) -> Attack:
    """Make an attack of one system call."""
    return lambda: in_child(lambda: call(name, *arguments))


def try_socket(family: int, kind: int = socket.SOCK_STREAM) -> Attack:
    """Make an attack that only creates a socket: a network namespace does not cover all families."""
    return lambda: f"{socket.socket(family, kind)} exists"


def try_connect(family: int, address: object, kind: int = socket.SOCK_STREAM) -> Attack:
    """Make an attack that connects; a datagram socket sends nothing thereby, but needs a way there."""

    def connect() -> str:
        with socket.socket(family, kind) as client:
            client.settimeout(2)
            client.connect(address)  # type: ignore[arg-type]
            return f"connected to {address}"

    return connect


def try_read(path: str) -> Attack:
    """Make an attack that reads a file or lists a folder."""
    return lambda: str(os.listdir(path) if os.path.isdir(path) else Path(path).read_bytes()[:20]) or "empty"


def try_open(path: str, flags: int = os.O_WRONLY) -> Attack:
    """Make an attack that opens a file for writing, and writes nothing."""
    return lambda: f"{path} is open as {os.open(path, flags)}"


def try_create(folder: str) -> Attack:
    """Make an attack that creates a file."""
    return try_open(f"{folder}/intruder", os.O_WRONLY | os.O_CREAT)


def try_fill(folder: str, limit_mb: int) -> Attack:
    """Make an attack that writes more than a folder may hold, in files that are small enough."""

    def fill() -> str:
        names = [Path(folder) / f"fill-{n}" for n in range(limit_mb + 2)]
        try:
            for name in names:
                name.write_bytes(bytes(1 << 20))
        finally:
            for name in names:
                name.unlink(missing_ok=True)
        return f"{folder} took more than {limit_mb} MiB"

    return fill


def read_environments(allowed: set[str]) -> str:
    """Look for variables of the worker in every readable environment, process 1 included."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            entries = file.read_bytes().split(b"\0")
            found |= {entry.split(b"=")[0].decode(errors="replace") for entry in entries if entry}
    return f"variables {sorted(found - allowed)}" if found - allowed else ""


def see_processes() -> str:
    """Count what is visible: this program, and bubblewrap where it was started by that."""
    count = len(list(Path("/proc").glob("[0-9]*")))
    return f"{count} processes are visible" if count > 2 else ""


def use_descriptors() -> str:
    """Look for an open descriptor that leads to a file; gVisor calls the pipes that it was given `host:`."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one of this very list is gone by now
            target = os.readlink(f"/proc/self/fd/{name}")
            if not target.startswith(("pipe:", "/dev/null", "/proc/", "host:")):
                found.append(target)
    return f"descriptors {found}" if found else ""


def keep_privileges(wanted: dict[str, str]) -> str:
    """Read in /proc what this process still may do."""
    lines = Path("/proc/self/status").read_text().splitlines()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return ", ".join(f"{name} {status[name]}" for name, value in wanted.items() if status[name] != value)


def call_32_bit() -> None:
    """Call getpid as a 32-bit program would, which a filter for 64-bit calls alone does not see."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20; int 0x80; ret
    if (
        platform.machine() != "x86_64"
        or ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))() <= 0
    ):
        raise OSError(errno.ENOSYS, "no 32-bit calls")


def push_terminal_input() -> str:
    """Ask to type into a terminal, also by a number of which the kernel reads only the lower 32 bits."""
    for request in (0x5412, 0x5412 | 1 << 32):
        ctypes.set_errno(0)
        LIBC.ioctl(0, ctypes.c_ulong(request), b"x")
        if ctypes.get_errno() != errno.ENOSYS:
            return f"the request {request:#x} reached the kernel"
    return ""


def thread_beyond(limit: int) -> None:
    """Start more threads than allowed; they end with the process."""
    try:
        for _ in range(limit):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, "no more threads") from error


def fork_beyond(limit: int) -> str:
    """Start more processes than allowed."""
    children = []
    try:
        for _ in range(limit):
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return f"{limit} processes were started"


def attacks(target: dict[str, str], limits: dict[str, int]) -> dict[str, Attack]:
    """Return every attack by name; `target` says where the canary has planted what must not be found."""
    secret = target["secret"]
    reads = (*target["hidden_paths"].split(), str(Path(secret).parent), *(root + secret for root in ROOTS))
    found: dict[str, Attack] = {
        "keep privileges": lambda: keep_privileges(CAPABILITIES),
        "see processes": see_processes,
        "read environments": lambda: read_environments(set(target["variables"].split())),
        "use descriptors": use_descriptors,
        **{f"read {path}": try_read(path) for path in reads},
        **{f"write {folder}": try_create(folder) for folder in ("/", "/usr", "/dev")},
        "write beside the interpreter": try_create(sys.prefix),
        **{
            f"open /proc/{name}": try_open(f"/proc/{name}")
            for name in ("sys/kernel/hostname", "sysrq-trigger")
        },
        "write beside the program": try_create(str(Path(__file__).parent)),
        "overwrite the program": try_open(__file__),
        "TCP server of the host": try_connect(socket.AF_INET, ("127.0.0.1", int(target["port"]))),
        "way to other machines": try_connect(socket.AF_INET, ELSEWHERE, socket.SOCK_DGRAM),
        "abstract socket of the host": try_connect(socket.AF_UNIX, "\0" + target["abstract"]),
        "socket file of the host": try_connect(socket.AF_UNIX, target["socket"]),
        "use /tmp": lambda: "" if os.access("/tmp", os.W_OK) else "it cannot be written",
        "fill /tmp": try_fill("/tmp", limits["tmp_mb"]),
        "fill /dev/shm": try_fill("/dev/shm", limits["shm_mb"]),
    }
    if target["kernel"]:
        return found | {
            "kernel of the host": lambda: "it answers" if os.uname().release == target["kernel"] else ""
        }
    return found | kernel_attacks(limits["too_many"])


def kernel_attacks(too_many: int) -> dict[str, Attack]:
    """Return the attacks on the host's kernel, for sandboxes that put none of their own before it."""
    return {
        "filtered calls": lambda: keep_privileges({"NoNewPrivs": "1", "Seccomp": "2"}),
        **{name: try_socket(*family) for name, family in SOCKETS.items()},
        **{name: try_call(*arguments) for name, arguments in CALLS.items()},
        "32-bit call": lambda: in_child(call_32_bit),
        "type into a terminal": push_terminal_input,
        "too many threads": lambda: in_child(lambda: thread_beyond(too_many)),
        "too many processes": lambda: fork_beyond(too_many),
    }


def attempt(attack: Attack) -> dict[str, object]:
    """Run one attack and say how it went."""
    try:
        reached = attack()
    except OSError as error:
        return {"is_open": False, "answer": errno.errorcode.get(error.errno or 0, str(error))}
    except Exception as error:
        return {"is_open": True, "answer": f"unknown: {type(error).__name__}: {error}"}
    return {"is_open": bool(reached), "answer": reached or "nothing found"}


def main() -> None:
    """Say hello, wait for a line, try everything, print it, and at last take more memory than allowed."""
    print(HELLO, end="", flush=True)
    sys.stdin.readline()
    arguments = json.loads(sys.argv[1])
    found = attacks(arguments["target"], arguments["limits"])
    print(json.dumps({name: attempt(attack) for name, attack in found.items()}), flush=True)
    block = bytearray(arguments["limits"]["too_much_mb"] << 20)
    for page in range(0, len(block), 4096):
        block[page] = 1
    time.sleep(2)  # a watchdog looks only now and then
    print("the memory was given", flush=True)


if __name__ == "__main__":
    main()
