"""Programs that ask the kernel for what a generator does not need."""

from tests.attacks.attack import Attack, hostile

_FILTER = "the filter of system calls"


def _call(name: str, tries: str, *calls: str) -> Attack:
    """Describe an attack of a few system calls, by their numbers on x86-64."""
    return hostile(name, tries, _FILTER, load="\n".join(f"call({text})" for text in calls), own_kernel=True)


KERNEL = (
    _call("user namespace", "become root in a namespace of its own", '"unshare", 272, 0x10000000'),
    _call("mount namespace", "mount over what is shown", '"unshare", 272, 0x00020000'),
    _call("clone", "start a child in a new user namespace", '"clone", 56, 0x10000011, 0, 0, 0, 0'),
    _call("clone3", "the same by a call whose flags no filter can read", '"clone3", 435, bytes(88), 88'),
    _call("setns", "enter the namespace of another process", '"setns", 308, 0, 0'),
    _call(
        "mount",
        "mount a file system of its own",
        '"mount", 165, b"x", b"/tmp", b"tmpfs", 0, 0',
        '"umount", 166, b"/proc", 2',
    ),
    _call(
        "new mount calls",
        "the same by the newer calls",
        '"open_tree", 428, -100, b"/", 1',
        '"fsopen", 430, b"tmpfs", 0',
        '"move_mount", 429, -100, b"/tmp", -100, b"/bundle", 0',
        '"mount_setattr", 442, -100, b"/", 0, 0, 0',
    ),
    _call(
        "another root",
        "leave the root folder",
        '"pivot_root", 155, b"/tmp", b"/tmp"',
        '"chroot", 161, b"/tmp"',
    ),
    _call("ptrace", "stop and change another process", '"ptrace", 101, 16, 1, 0, 0'),
    _call(
        "another process's memory",
        "read and write the memory of process 1",
        '"process_vm_readv", 310, 1, 0, 0, 0, 0, 0',
        '"process_vm_writev", 311, 1, 0, 0, 0, 0, 0',
        '"process_madvise", 440, 0, 0, 0, 0, 0',
    ),
    _call("another process's files", "take a descriptor of another process", '"pidfd_getfd", 438, 0, 0, 0'),
    _call("bpf", "load a program into the kernel", '"bpf", 321, 0, bytes(128), 128'),
    _call("perf", "measure other processes", '"perf_event_open", 298, bytes(128), 0, -1, -1, 0'),
    _call("userfaultfd", "halt the kernel in the middle of a copy", '"userfaultfd", 323, 1'),
    _call(
        "io_uring",
        "have the kernel work past the filter",
        '"io_uring_setup", 425, 1, bytes(120)',
        '"io_uring_enter", 426, 0, 0, 0, 0, 0',
    ),
    _call(
        "keyrings",
        "read or leave keys that outlive the run",
        '"keyctl", 250, 0, -3, 1',
        '"add_key", 248, b"user", b"a", b"b", 1, -3',
        '"request_key", 249, b"user", b"a", 0, -3',
    ),
    _call(
        "kernel module",
        "load a module, another kernel, or end this one",
        '"finit_module", 313, 0, b"", 0',
        '"kexec_load", 246, 0, 0, 0, 0',
        '"reboot", 169, 0, 0, 0, 0',
    ),
    _call(
        "file handles",
        "open a file of the host by its number",
        '"open_by_handle_at", 304, -100, bytes(16), 0',
    ),
    _call("device", "make a node of the host's disk", '"mknodat", 259, -100, b"/tmp/disk", 0o60600, 0x800'),
    _call(
        "other users",
        "become root, or another user",
        '"setuid", 105, 0',
        '"setresuid", 117, 0, 0, 0',
        '"setgroups", 116, 1, bytes(4)',
        '"capset", 126, bytes(8), bytes(24)',
    ),
    _call("clock", "set the clock by which it is measured", '"clock_settime", 227, 0, bytes(16)'),
    _call(
        "swap and accounts",
        "switch on what slows the machine",
        '"swapon", 167, b"/tmp/x", 0',
        '"acct", 163, b"/tmp/x"',
        '"quotactl", 179, 0, 0, 0, 0',
    ),
    _call("kernel log", "read addresses in the kernel's log", '"syslog", 103, 3, bytes(99), 99'),
    _call(
        "splice",
        "write into pages that are read-only",
        '"splice", 275, 0, 0, 0, 0, 0, 0',
        '"vmsplice", 278, 0, 0, 0, 0',
    ),
    _call("memory of another node", "move pages of other processes", '"migrate_pages", 256, 1, 0, 0, 0'),
    hostile(
        "32-bit call",
        "make a call by the numbers of 32-bit programs",
        "the filter ends whatever calls by another architecture",
        "CRASHED",
        load="""
        import mmap
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
        """,
        own_kernel=True,
    ),
    hostile(
        "x32 call",
        "make a call by the numbers of x32 programs",
        "the filter ends whatever calls by another architecture",
        "CRASHED",
        load="LIBC.syscall(ctypes.c_long(0x40000000 | 39))",
        own_kernel=True,
    ),
    hostile(
        "terminal",
        "type a command into the worker's terminal",
        f"{_FILTER}, which compares the lower 32 bits; a session of its own",
        load="""
        for request in (0x5412, 0x5412 | 1 << 32):
            ctypes.set_errno(0)
            LIBC.ioctl(2, ctypes.c_ulong(request), b"x")
            attempt("typing", lambda: os.strerror(ctypes.get_errno()) != os.strerror(errno.ENOSYS))
        attempt("/dev/tty", lambda: os.open("/dev/tty", os.O_RDWR) >= 0)
        """,
        own_kernel=True,
    ),
    hostile(
        "filter undone",
        "take its own filter and the ban on new rights away",
        "both hold for good",
        load="""
        attempt("new privileges", lambda: LIBC.prctl(38, 0, 0, 0, 0) == 0)
        attempt("no filter", lambda: LIBC.prctl(22, 0, 0, 0, 0) == 0)
        attempt("all rights", lambda: LIBC.prctl(47, 2, 21, 0, 0) == 0)
        attempt("stopped", lambda: {}["nothing was undone"])
        """,
    ),
    hostile(
        "setuid program",
        "become root by a program that does so for everybody",
        "no new rights, and user 0 does not exist inside",
        load="""
        import glob, subprocess
        def root():
            for name in glob.glob("/usr/bin/su*") + glob.glob("/usr/bin/*mount") + glob.glob("/bin/su"):
                done = subprocess.run([name, "--version"], capture_output=True)
            return os.geteuid() == 0 or subprocess.run(["id", "-u"], capture_output=True).stdout == b"0\\n"
        attempt("root", root)
        attempt("a root-owned file", lambda: os.chown("/tmp", 0, 0) or True)
        """,
    ),
    hostile(
        "real-time priority",
        "push all other programs off the processor",
        "no rights; the control group's share",
        load="""
        attempt("priority", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)) or True)
        attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20) or True)
        """,
        own_kernel=True,
    ),
)
