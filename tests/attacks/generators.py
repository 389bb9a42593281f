"""Hostile and broken generators as data: source, how they must end, and what runs them on a driver."""

import dataclasses
import fnmatch
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from evaluation.errors import GenerationError
from evaluation.generation.driver import Driver, Limits, Prediction, Session, Usage
from evaluation.manifest import parse_manifest

LIMITS = Limits(
    memory_mb=200,
    pids=32,
    load_seconds=20,
    pair_seconds=10,
    run_seconds=60,
    file_mb=8,
    tmp_mb=16,
    shm_mb=16,
    log_kb=16,
    cpu_threads=1,
)

# Finds the pipe on which the runner answers, as a generator without scruples would.
FORGE = """
import fcntl, os, stat, struct
def answer_pipe():
    for fd in range(3, 64):
        try:
            mode, flags = os.fstat(fd).st_mode, fcntl.fcntl(fd, fcntl.F_GETFL)
        except OSError:
            continue
        if stat.S_ISFIFO(mode) and flags & os.O_ACCMODE == os.O_WRONLY:
            return fd
    raise RuntimeError("no pipe")
def request_pipe():
    for fd in range(3, 64):
        try:
            mode, flags = os.fstat(fd).st_mode, fcntl.fcntl(fd, fcntl.F_GETFL)
        except OSError:
            continue
        if stat.S_ISFIFO(mode) and flags & os.O_ACCMODE == os.O_RDONLY:
            return fd
    raise RuntimeError("no pipe")
def header(seq=1, h=16, w=16, nonce=bytes(16)):
    return struct.pack("!4sIHH16s", b"PSTP", seq, h, w, nonce)
def message(code):
    return struct.pack("!4s16s492s", b"PSTM", code, b"forged")
"""


FRAME = """frame = sys._getframe()
while 'header' not in frame.f_locals: frame = frame.f_back
header = bytes(frame.f_locals['header'])
"""
TWICE = FRAME + "os.write(answer_pipe(), header + content.tobytes()); return content"


@dataclass(frozen=True)
class Broken:
    """One generator: `load` is the body of `__init__`, `pair` that of `stylize`, `code` the failure."""

    name: str
    code: str
    load: str = "pass"
    pair: str = "return content"
    top: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    says: str = ""
    pairs: int = 2
    side: int = 16

    @property
    def source(self) -> str:
        """Return model.py."""
        return model(self.load, self.pair, self.top)


def model(load: str = "pass", pair: str = "return content", top: str = "") -> str:
    """Write a model.py around two function bodies."""
    lines = [top, "import os, sys, time", "import numpy as np", "class Model:"]
    lines += ["    def __init__(self, bundle_dir, device):", "        self.folder, self.n = bundle_dir, 0"]
    lines += [f"        {line}" for line in load.splitlines()]
    lines += ["    def stylize(self, content, style):", "        self.n += 1"]
    lines += [f"        {line}" for line in pair.splitlines()]
    return "\n".join(lines) + "\n"


BROKEN = (
    Broken("exception at load", "LOAD_FAILED", load="raise ValueError('no weights')", says="no weights"),
    Broken("syntax error", "LOAD_FAILED", top="def ("),
    Broken("missing package", "LOAD_FAILED", top="import surely_not_there", says="surely_not_there"),
    Broken("exit at load", "CRASHED", load="sys.exit(3)", says="status 3"),
    Broken("weights missing", "MISSING_FILE", load="open(os.path.join(bundle_dir, 'w.pth'))"),
    Broken("weights missing in a pair", "MISSING_FILE", pair="open(self.folder + '/late.pth')"),
    Broken("relative path", "MISSING_FILE", load="np.load('weights.npy')"),
    Broken("file elsewhere", "LOAD_FAILED", load="open('/data/weights.pth')"),
    Broken("endless load", "LOAD_TIMEOUT", load="time.sleep(60)", limits={"load_seconds": 0.7}),
    Broken("endless pair", "PAIR_TIMEOUT", pair="while True: pass", limits={"pair_seconds": 0.5}),
    Broken(
        "endless pair with daemons and deaf to signals",
        "PAIR_TIMEOUT",
        load="import signal\n"
        "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0: time.sleep(600)\n"
        "        os._exit(0)",
        pair="time.sleep(600)",
        limits={"pair_seconds": 0.5},
    ),
    Broken("slow run", "RUN_TIMEOUT", pair="time.sleep(0.3); return content", limits={"run_seconds": 0.5}),
    Broken("exception in a pair", "CRASHED", pair="raise ValueError(int(content[0, 0, 0]))"),
    Broken("exit 0 in a pair", "CRASHED", pair="os._exit(0)", says="status 0"),
    Broken("segfault", "CRASHED", pair="import ctypes; ctypes.string_at(0)", says="SIGSEGV"),
    Broken("crash in the second pair", "CRASHED", pair="return content if self.n == 1 else os._exit(7)"),
    Broken("wrong size", "BAD_OUTPUT", pair="return content[:-1]"),
    Broken("floats", "BAD_OUTPUT", pair="return content / 255"),
    Broken("no array", "BAD_OUTPUT", pair="return content.tolist()"),
    Broken("nothing", "BAD_OUTPUT", pair="pass"),
    Broken("memory error", "OUT_OF_MEMORY", pair="raise MemoryError"),
    Broken("answer before the question", "PROTOCOL", top=FORGE, load="os.write(answer_pipe(), b'early')"),
    Broken(
        "answer before the end of the question",
        "PROTOCOL",
        top=FORGE,
        load="import threading\n"
        "runners, self.empty = request_pipe(), os.pipe()\n"
        "stolen = os.dup(runners); os.dup2(self.empty[0], runners)\n"
        "def steal():\n"
        "    os.write(answer_pipe(), os.read(stolen, 28) + bytes(999))\n"
        "    while os.read(stolen, 1 << 20): pass\n"
        "threading.Thread(target=steal, daemon=True).start()",
        says="before it was asked",
        side=700,  # more than fits into the pipe, so that the question takes a while
    ),
    Broken("ready twice", "PROTOCOL", top=FORGE, load="os.write(answer_pipe(), message(b'READY') * 2)"),
    Broken("forged ready", "PROTOCOL", top=FORGE, pair="os.write(answer_pipe(), message(b'READY'))"),
    Broken("blame the platform", "PROTOCOL", top=FORGE, pair="os.write(answer_pipe(), message(b'INFRA'))"),
    Broken(
        "wrong nonce", "PROTOCOL", top=FORGE, pair="os.write(answer_pipe(), header() + content.tobytes())"
    ),
    Broken("noise", "PROTOCOL", top=FORGE, pair="os.write(answer_pipe(), os.urandom(4096))"),
    Broken(
        "short answer",
        "PAIR_TIMEOUT",
        top=FORGE,
        pair=FRAME + "os.write(answer_pipe(), header + b'123'); time.sleep(60)",
        limits={"pair_seconds": 0.5},
    ),
    Broken("two answers", "PROTOCOL", top=FORGE, pair=TWICE),
    Broken("trailing answer", "PROTOCOL", top=FORGE, pair=TWICE, says="more than one answer", pairs=1),
)


def write_bundle(folder: Path, source: str, files: dict[str, bytes] | None = None, **changes: object) -> Path:
    """Write an unpacked archive."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    manifest = {
        "schema": 1,
        "name": "broken",
        "version": "1.0",
        "format": "python",
        "entry": "model:Model",
        "runtime": "py311-torch215",
        "io": {"dtype": "uint8", "layout": "HWC", "max_side": 512},
        "license": "MIT",
    } | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "model.py").write_text(source)
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    return folder


@dataclass
class Outcome:
    """What came of running a generator."""

    predictions: list[Prediction] = field(default_factory=list)
    failure: GenerationError | None = None
    usage: Usage | None = None
    log: bytes = b""

    @property
    def text(self) -> str:
        """Return the log as text."""
        return self.log.decode(errors="replace")


def run(
    driver: Driver, bundle: Path, *, pairs: int = 2, side: int = 16, pause: float = 0.0, **limits: float
) -> Outcome:
    """Load a generator, give it pairs of random pictures, and close it; a failure is part of the outcome.

    `pause` is waited after each pair.
    """
    outcome = Outcome()
    changed = dataclasses.replace(LIMITS, **{k: type(getattr(LIMITS, k))(v) for k, v in limits.items()})
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())

    def keep(chunk: bytes) -> None:
        outcome.log += chunk

    try:
        session = driver.start(bundle, manifest, changed, keep)
        try:
            for content, style in images(pairs, side):
                outcome.predictions.append(session.predict(content, style))
                time.sleep(pause)
            outcome.usage = session.close()
        finally:
            session.abort()
    except GenerationError as failure:
        outcome.failure = failure
    return outcome


def killed_load_seconds(driver: Driver, bundle: Path, *, after: float) -> float:
    """Kill a generator from another thread while it loads; return the seconds from the kill to the end."""
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    killed: list[float] = []

    def kill(session: Session) -> None:
        killed.append(time.monotonic())
        session.kill()

    def watch(session: Session) -> None:
        threading.Timer(after, kill, [session]).start()

    try:
        driver.start(bundle, manifest, LIMITS, lambda chunk: None, on_launch=watch)
    except GenerationError as failure:
        if failure.code == "CRASHED" and "ended from outside" in failure.message:
            return time.monotonic() - killed[0]
        raise
    raise AssertionError("the generator loaded all the same")


def images(pairs: int, side: int) -> Sequence[np.ndarray]:
    """Draw pairs of random pictures, (pairs, 2, side, side, 3)."""
    return np.random.default_rng(0).integers(0, 256, (pairs, 2, side, side, 3), dtype=np.uint8)


def folders_named(pattern: str) -> list[str]:
    """List the groups and temporary folders whose names fit; those of others may go while this looks."""
    found = [str(path) for path in Path("/tmp").glob(pattern)]
    for root, folders, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(root, name) for name in fnmatch.filter(folders, pattern)]
    return found


def remains(uid: int | None = None) -> list[str]:
    """List what this test process has left behind: processes, groups, mounts, folders, shared memory."""
    found = [f"process {child}" for child in psutil.Process().children(recursive=True)]
    for process in psutil.process_iter(["uids", "environ", "status", "ppid"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE and process.info["ppid"] == 1:
            continue  # ended; process 1 has not looked yet
        owner, mark = process.info["uids"], (process.info["environ"] or {}).get("PASTICHE_RUN", "")
        if (uid is not None and owner and owner.real == uid) or mark.startswith(f"{os.getpid()}-"):
            found.append(f"process {process}")
    own = f"pastiche-*{os.getpid()}-*"
    found += folders_named(own)
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found += [line for line in mounts if "pastiche-stage" in line]
    segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return found + [f"shared memory {line}" for line in segments if line.split()[7] == str(uid)]
