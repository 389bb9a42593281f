"""Programs that take more than their share: memory, processes, disk, log, time."""

from tests.attacks.attack import Attack, hostile
from tests.attacks.generators import FORGE

_MEMORY = "the control group's memory limit, for all processes and for what they keep in memory files"
_PIDS = "the control group's limit of processes"
_DISK = "temporary folders with a size, and a limit for each file"
_CLOCK = "the worker's clock; the end of the namespace ends all processes"
_PIPE = "frames of one exact size, with a number that nobody can guess"


def _memory(name: str, tries: str, pair: str, **limits: float) -> Attack:
    return hostile(
        f"memory: {name}",
        tries,
        _MEMORY,
        "OUT_OF_MEMORY",
        pair=pair,
        limits={"memory_mb": 120, "file_mb": 64} | limits,
    )


MEMORY = (
    _memory("private", "take all memory", "self.block = np.ones(200 << 20, np.uint8)\nreturn content"),
    _memory(
        "shared",
        "take it as shared memory, which a limit of a process does not see",
        """
        import mmap
        self.block = mmap.mmap(-1, 200 << 20)
        for page in range(0, 200 << 20, 4096): self.block[page] = 1
        return content
        """,
    ),
    _memory(
        "System V",
        "take it in segments that outlive the process",
        """
        LIBC.shmat.restype = ctypes.c_void_p
        for n in range(6):
            number = LIBC.shmget(0, ctypes.c_size_t(50 << 20), 0o1600)
            ctypes.memset(LIBC.shmat(number, None, 0), 1, 50 << 20)
        return content
        """,
    ),
    _memory(
        "memory files",
        "take it in files without a folder",
        """
        for n in range(6):
            fd = os.memfd_create('x')
            for _ in range(7): os.write(fd, bytes(8 << 20))
        return content
        """,
    ),
    _memory(
        "children",
        "take it in children, and go on when one of them is ended",
        """
        for n in range(8):
            if os.fork() == 0:
                block = np.ones(40 << 20, np.uint8); time.sleep(60)
        time.sleep(2)
        return content
        """,
    ),
    _memory(
        "temporary folder",
        "take it in files of the temporary folder",
        """
        for n in range(6): open(f'/tmp/{n}', 'wb').write(bytes(40 << 20))
        return content
        """,
        tmp_mb=512,
    ),
    _memory(
        "pipes",
        "take it in pipes that nobody reads",
        """
        import fcntl
        ends = []
        for n in range(100):
            ends.append(os.pipe()); os.set_blocking(ends[-1][1], False)
            try: fcntl.fcntl(ends[-1][1], fcntl.F_SETPIPE_SZ, 1 << 20)
            except OSError: pass
            try:
                while True: os.write(ends[-1][1], bytes(1 << 16))
            except BlockingIOError: pass
        return content
        """,
        memory_mb=64,
    ),
)

_COUNT = """
count = 0
try:
    for count in range(300): {}
except (OSError, RuntimeError, MemoryError):
    print("stopped: at", count)
else:
    print("REACHED", count)
"""

PROCESSES = (
    hostile(
        "fork bomb",
        "start processes until nobody else can",
        _PIDS,
        load=_COUNT.format("\n        if os.fork() == 0: time.sleep(60)"),
        limits={"pids": 24},
        own_kernel=True,
    ),
    hostile(
        "thread bomb",
        "start threads until nobody else can",
        _PIDS,
        load=_COUNT.format("threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"),
        limits={"pids": 24},
        own_kernel=True,
    ),
    hostile(
        "doubling fork bomb",
        "have each process start others for ever",
        f"{_PIDS}; {_CLOCK}",
        "PAIR_TIMEOUT",
        pair="""
        while True:
            try: os.fork()
            except OSError: pass
        """,
        limits={"pids": 24, "pair_seconds": 0.5},
    ),
    hostile(
        "double forks",
        "leave processes that belong to nobody",
        "the end of the process namespace",
        load="""
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0: time.sleep(600)
                os._exit(0)
        """,
        says="",
    ),
    hostile(
        "stops itself",
        "stand still, so that nothing times out",
        "a clock that is not the generator's",
        "PAIR_TIMEOUT",
        pair="os.kill(os.getpid(), signal.SIGSTOP); return content",
        limits={"pair_seconds": 0.5},
    ),
    hostile(
        "another program",
        "become another program that keeps the pipes",
        "a pipe that ends is no answer",
        "CRASHED",
        pair="os.execv('/bin/true', ['true'])",
    ),
)

DISK = (
    hostile(
        "full temporary folders",
        "fill the disk",
        _DISK,
        load="""
        def fill(folder, most):
            written = 0
            try:
                for n in range(100): written += os.write(os.open(f"{folder}/{n}", 65), bytes(1 << 20))
            except OSError: pass
            for n in range(100):
                if os.path.exists(f"{folder}/{n}"): os.unlink(f"{folder}/{n}")
            return written >> 20 if written >> 20 > most else 0
        attempt("/tmp", lambda: fill("/tmp", 6)); attempt("/dev/shm", lambda: fill("/dev/shm", 4))
        attempt("stopped", lambda: {}["both are full"])
        """,
        limits={"tmp_mb": 6, "shm_mb": 4},
    ),
    hostile(
        "one huge file",
        "write a file without end",
        _DISK,
        "LOAD_FAILED",
        load="open('/tmp/big', 'wb').write(bytes(9 << 20))",
        limits={"file_mb": 8, "tmp_mb": 32},
        says="File too large",
        own_kernel=True,
    ),
    hostile(
        "file-count bomb",
        "make files until the file system has no more",
        "each file costs memory of its own group",
        "OUT_OF_MEMORY",
        load="""
        while True:
            for n in range(100000): os.close(os.open(f"/dev/shm/{n}", 65))
            os.mkdir("/tmp/x"); os.chdir("/tmp/x")
        """,
        limits={"memory_mb": 48, "load_seconds": 15, "shm_mb": 512},
    ),
    hostile(
        "open-file bomb",
        "open files until nobody else can",
        "a limit for each process",
        load="""
        files = []
        try:
            while len(files) < 2000: files.append(os.open("/dev/null", 0))
        except OSError as error: print("stopped: at", len(files), error.errno)
        else: print("REACHED", len(files))
        for fd in files: os.close(fd)
        """,
    ),
)

LOG = (
    hostile(
        "log flood",
        "fill the worker's memory and disk with its log",
        "a reader that keeps the first part and throws the rest away",
        pair="for _ in range(1000): print('x' * 9999)\nreturn content",
        says="the log is cut here",
    ),
    hostile(
        "log without an end of line",
        "write one line that is never finished",
        "a reader that counts bytes, not lines",
        pair="os.write(2, b'y' * (1 << 20)); return content",
        says="the log is cut here",
    ),
    hostile(
        "log for a terminal",
        "command the terminal of who reads the log",
        "a log is stored as text and shown as text",
        pair="os.write(2, b'\\x1b]0;owned\\x07\\x1b[2J\\xff\\x00\\xfe'); return content",
        says="owned",
    ),
)

ANSWERS = (
    hostile(
        "endless answer",
        "fill the worker's memory with an answer",
        _PIPE,
        "PROTOCOL",
        top=FORGE,
        pair="while True: os.write(answer_pipe(), bytes(1 << 20))",
    ),
    hostile(
        "huge picture",
        "announce a picture of 65535 x 65535",
        _PIPE,
        "PROTOCOL",
        top=FORGE,
        pair="os.write(answer_pipe(), header(h=65535, w=65535) + content.tobytes()); time.sleep(9)",
    ),
    hostile(
        "answer of the last pair",
        "answer the second pair with the first one's number",
        _PIPE,
        "PROTOCOL",
        top=FORGE,
        pair="""
        frame = sys._getframe()
        while 'header' not in frame.f_locals: frame = frame.f_back
        self.kept = getattr(self, "kept", bytes(frame.f_locals["header"]))
        if self.n == 2: os.write(answer_pipe(), self.kept + content.tobytes()); time.sleep(9)
        return content
        """,
    ),
    hostile(
        "half an answer",
        "end in the middle of an answer",
        "an answer counts only when it is whole",
        "CRASHED",
        top=FORGE,
        pair="""
        frame = sys._getframe()
        while 'header' not in frame.f_locals: frame = frame.f_back
        os.write(answer_pipe(), bytes(frame.f_locals["header"]) + content.tobytes()[:9]); os._exit(0)
        """,
    ),
    hostile(
        "dripping answer",
        "keep the worker waiting, byte by byte",
        "a deadline for the whole answer",
        "PAIR_TIMEOUT",
        top=FORGE,
        pair="""
        frame = sys._getframe()
        while 'header' not in frame.f_locals: frame = frame.f_back
        for byte in bytes(frame.f_locals["header"]) + content.tobytes():
            os.write(answer_pipe(), bytes([byte])); time.sleep(0.05)
        """,
        limits={"pair_seconds": 0.6},
    ),
    hostile(
        "closed answer pipe",
        "close the pipe and work on",
        "a clock that is not the generator's; the end of the namespace",
        "PAIR_TIMEOUT",
        top=FORGE,
        pair="os.close(answer_pipe()); time.sleep(60)",
        limits={"pair_seconds": 0.5},
    ),
    hostile(
        "array that lies",
        "return an array that claims another shape than it has",
        "the worker counts the bytes itself",
        "PROTOCOL",
        pair="""
        class Liar(np.ndarray):
            shape = property(lambda self: content.shape)
        return np.zeros((99, 99, 3), np.uint8).view(Liar)
        """,
        limits={"pair_seconds": 2},
    ),
    hostile(
        "results file",
        "write scores where the worker could find them",
        "scores never pass through the sandbox; nothing of its folders is read",
        load="""
        for name in ("/tmp/scores.json", "/tmp/pair_scores.parquet"): open(name, "w").write('{"score": 1.0}')
        write(self.folder + "/generation.json"); write("/bundle/scores.json")
        """,
    ),
    hostile(
        "work between pairs",
        "go on computing while nobody measures",
        "the freezer: between two pairs nothing runs",
        load="""
        self.count = self.seen = 0
        def work():
            while True: self.count += 1; time.sleep(0.001)
        threading.Thread(target=work, daemon=True).start()
        """,
        pair="""
        now, before = self.count, self.seen
        print("REACHED" if self.n > 1 and now - before > 150 else "stopped:", now - before)
        self.seen = self.count
        return content
        """,
        pairs=3,
        pause=0.4,
    ),
)

BOMBS = (*MEMORY, *PROCESSES, *DISK, *LOG, *ANSWERS)
