"""Hostile generators in the real sandbox: each reaches nothing, ends with its code and leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from evaluation.generation.process import ProcessDriver
from evaluation.manifest import parse_manifest
from tests.attacks.generators import BROKEN, LIMITS, Broken, images, model, run, write_bundle
from tests.workers.sandboxes import SLOT, UID, sandbox
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.sandbox.cgroups import Cgroups, Place, find_cgroups

__all__ = ["sandbox"]
pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).parents[2]
MIX = model(pair="return content // 2 + style // 2")


def said(driver: BubblewrapDriver, folder: Path, load: str, **limits: float) -> str:
    """Run statements while a generator loads, and return what they printed."""
    outcome = run(driver, write_bundle(folder / "bundle", model(load=load)), pairs=1, **limits)
    assert outcome.failure is None, outcome.text
    return outcome.text


def test_a_good_generator_answers_every_pair(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    outcome = run(sandbox, write_bundle(tmp_path / "b", MIX), pairs=5, side=33)
    assert outcome.failure is None
    for (content, style), prediction in zip(images(5, 33), outcome.predictions, strict=True):
        assert np.array_equal(prediction.stylized, content // 2 + style // 2)
    assert outcome.usage is not None
    assert 5 < (outcome.usage.peak_memory_mb or 0) < 200


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_generator_fails_with_its_code(
    sandbox: BubblewrapDriver, tmp_path: Path, broken: Broken
) -> None:
    started = time.monotonic()
    bundle = write_bundle(tmp_path / "b", broken.source)
    outcome = run(sandbox, bundle, pairs=broken.pairs, side=broken.side, **broken.limits)
    assert outcome.failure is not None
    assert outcome.failure.code == broken.code, outcome.text
    assert broken.says in outcome.failure.message
    assert time.monotonic() - started < 10


def test_a_bundle_that_cannot_be_shown_is_our_failure_and_no_code_runs(
    sandbox: BubblewrapDriver, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "b", model(load="print('it ran')"))
    bundle.chmod(0o700)
    outcome = run(sandbox, bundle)
    assert outcome.failure is not None
    if UID is None:
        return
    assert "it ran" not in outcome.text
    assert outcome.failure.code in ("INFRA", "LOAD_FAILED")


def test_files_of_the_host_are_not_visible(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    secret = tmp_path / "hidden" / "pairs.json"
    secret.parent.mkdir()
    secret.write_text("ground truth")
    (tmp_path / "bundle-of-another-team").mkdir()
    paths = [str(secret), str(tmp_path), "/etc/passwd", "/etc/shadow", "/home", str(ROOT / "manage.py")]
    printed = said(sandbox, tmp_path, f"print([os.path.exists(p) for p in {paths}], os.listdir('/'))")
    assert printed.startswith("[False, False, False, False, False, False]")
    for name in ("home", "mnt", "srv", "opt", "var"):
        assert f"'{name}'" not in printed


def test_a_secret_of_the_worker_is_in_no_environment_or_command_line(
    sandbox: BubblewrapDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "planted-secret")
    load = """
    import glob
    for name in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline') + ['/proc/self/mountinfo']:
        print(name, open(name, 'rb').read())
    """
    printed = said(sandbox, tmp_path, textwrap.dedent(load).strip())
    assert "/proc/1/environ" in printed
    assert "planted-secret" not in printed
    assert "DB_PASSWORD" not in printed
    assert tmp_path.name not in printed.split("/proc/self/mountinfo")[0]


def test_no_socket_leads_out(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    abstract = f"pastiche-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener, socket.create_server(("127.0.0.1", 0)) as server:
        listener.bind("\0" + abstract)
        listener.listen()
        load = f"""
        import socket
        def attempt(*kind, address=None):
            try:
                with socket.socket(*kind) as s:
                    if address: s.connect(address)
                    return 'OPEN'
            except OSError as error:
                return error.errno
        print([attempt(2, 1, address=('127.0.0.1', {server.getsockname()[1]})), attempt(2, 2), attempt(10, 1),
               attempt(16, 3), attempt(17, 3), attempt(40, 1), attempt(1, 1, address='\\0{abstract}')])
        a, b = socket.socketpair()
        a.send(b'among ourselves'); print(b.recv(20))
        """
        printed = said(sandbox, tmp_path, textwrap.dedent(load).strip())
    assert "OPEN" not in printed
    assert "among ourselves" in printed


def test_only_two_folders_can_be_written_and_both_end_at_their_size(
    sandbox: BubblewrapDriver, tmp_path: Path
) -> None:
    load = """
    def fill(folder):
        written = 0
        try:
            for n in range(100):
                written += os.write(os.open(f'{folder}/{n}', os.O_CREAT | os.O_WRONLY), bytes(1 << 20))
        except OSError as error:
            return written >> 20, error.errno
        finally:
            for n in range(100):
                if os.path.exists(f'{folder}/{n}'): os.unlink(f'{folder}/{n}')
    def writable():
        for root, folders, _ in os.walk('/'):
            folders[:] = [f for f in folders if (root, f) not in (('/', 'proc'), ('/', 'sys'), ('/', 'usr'))
                          and not os.path.join(root, f).startswith((sys.prefix, sys.base_prefix))
                          and root != '/tmp']
            try:
                os.unlink(os.open(root + '/x', os.O_CREAT | os.O_WRONLY) and root + '/x')
                yield root
            except OSError:
                pass
    print(sorted(writable()), fill('/tmp'), fill('/dev/shm'), os.access('/usr', os.W_OK))
    """
    printed = said(sandbox, tmp_path, textwrap.dedent(load).strip(), tmp_mb=6, shm_mb=4, file_mb=2)
    assert printed == "['/dev/shm', '/tmp'] (6, 28) (4, 28) False\n"
    assert sorted(path.name for path in (tmp_path / "bundle").iterdir()) == ["manifest.json", "model.py"]


BOMBS = {
    "private": "self.block = np.ones(300 << 20, np.uint8)",
    "shared": "import mmap\nself.block = mmap.mmap(-1, 300 << 20)\n"
    "for page in range(0, 300 << 20, 4096): self.block[page] = 1",
    "SysV": "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.shmat.restype = ctypes.c_void_p\n"
    "for n in range(6):\n"
    "    number = libc.shmget(0, ctypes.c_size_t(50 << 20), 0o1600)\n"
    "    ctypes.memset(libc.shmat(number, None, 0), 1, 50 << 20)",
    "in memory files": "for n in range(6):\n"
    "    fd = os.memfd_create('x')\n"
    "    for _ in range(7): os.write(fd, bytes(8 << 20))",
    "children": "for n in range(8):\n"
    "    if os.fork() == 0:\n"
    "        block = np.ones(40 << 20, np.uint8); time.sleep(60)\n"
    "time.sleep(3)",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_memory_bomb_is_stopped(sandbox: BubblewrapDriver, tmp_path: Path, name: str) -> None:
    before = psutil.Process().memory_info().rss
    bundle = write_bundle(tmp_path / "b", model(pair=BOMBS[name] + "\nreturn content"))
    outcome = run(sandbox, bundle, memory_mb=200, file_mb=64)
    assert outcome.failure is not None
    assert outcome.failure.code == "OUT_OF_MEMORY", outcome.failure
    assert psutil.Process().memory_info().rss - before < 50 << 20


def test_the_watchdog_stops_a_memory_bomb_where_no_cgroup_can(
    tmp_path: Path, sandbox: BubblewrapDriver
) -> None:
    driver = BubblewrapDriver(slot=SLOT, cgroups=Cgroups(), allow_watchdog=True)
    bundle = write_bundle(tmp_path / "b", model(pair=BOMBS["private"] + "\ntime.sleep(5)"))
    outcome = run(driver, bundle, memory_mb=200)
    assert outcome.failure is not None
    assert outcome.failure.code == "OUT_OF_MEMORY"


def test_a_freezer_of_version_1_freezes_and_lets_it_die(tmp_path: Path, sandbox: BubblewrapDriver) -> None:
    freezer, places = Path("/sys/fs/cgroup/freezer"), find_cgroups().places
    if not os.access(freezer / "cgroup.procs", os.W_OK):
        pytest.skip("no freezer of version 1 here")
    cgroups = Cgroups(places | {"freezer": Place(freezer, 1)})
    driver = BubblewrapDriver(slot=SLOT, cgroups=cgroups)
    assert driver.describe()["freezer"] == "cgroup v1"
    outcome = run(driver, write_bundle(tmp_path / "b", MIX))
    assert outcome.failure is None
    bundle = write_bundle(tmp_path / "c", model(pair="time.sleep(60)"))
    outcome = run(driver, bundle, pair_seconds=0.3)
    assert outcome.failure is not None
    assert outcome.failure.code == "PAIR_TIMEOUT"


@pytest.mark.parametrize(
    "more",
    [
        "child = os.fork()\n    if child == 0: time.sleep(60)",
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    ],
    ids=["processes", "threads"],
)
def test_a_bomb_of_processes_stops_at_the_limit(sandbox: BubblewrapDriver, tmp_path: Path, more: str) -> None:
    load = f"""import threading
count = 0
try:
  for count in range(300):
    {more}
except (OSError, RuntimeError):
  print('stopped at', count)
"""
    printed = said(sandbox, tmp_path, load, pids=24)
    assert printed.startswith("stopped at ")
    assert 10 < int(printed.split()[-1]) <= 24
    assert subprocess.run(["true"], check=True).returncode == 0


def test_a_log_flood_is_cut_and_the_run_goes_on(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    code = model(pair="for _ in range(2000): print('x' * 9999)\nreturn content")
    outcome = run(sandbox, write_bundle(tmp_path / "b", code), log_kb=64)
    assert outcome.failure is None
    assert len(outcome.log) <= 64 * 1024 + 100


def test_nothing_of_one_run_is_found_by_the_next(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    load = """
    import ctypes
    number = ctypes.CDLL(None).shmget(0x50415354, 4096, 0)
    print(os.path.exists('/tmp/left'), os.path.exists('/dev/shm/left'), number)
    for folder in ('/tmp', '/dev/shm'): open(folder + '/left', 'w').write('state')
    ctypes.CDLL(None).shmget(0x50415354, 4096, 0o1600)
    """
    for _ in range(2):
        printed = said(sandbox, tmp_path, textwrap.dedent(load).strip())
        assert printed == "False False -1\n"


def test_between_two_pairs_it_stands_still(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    if "freezer" not in sandbox.describe():
        pytest.skip("no freezer here")
    load = "import threading\nself.count = 0\n"
    load += "def work():\n    while True: self.count += 1; time.sleep(0.001)\n"
    load += "threading.Thread(target=work, daemon=True).start()"
    code = model(load=load, pair="print(self.count)\nreturn content")
    outcome = run_with_pauses(sandbox, write_bundle(tmp_path / "b", code))
    first, second = (int(line) for line in outcome.split())
    assert second - first < 100


def run_with_pauses(driver: BubblewrapDriver, bundle: Path) -> str:
    """Give a generator two pairs with half a second between them and return what it printed."""
    log: list[bytes] = []
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    session = driver.start(bundle, manifest, LIMITS, log.append)
    for content, style in images(2, 16):
        session.predict(content, style)
        time.sleep(0.5)
    session.close()
    return b"".join(log).decode()


WORKER = """
import os, sys
from pathlib import Path
from evaluation.manifest import parse_manifest
from tests.attacks.generators import LIMITS, images
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.sandbox.cgroups import Cgroups, Place, find_cgroups
bundle = Path(sys.argv[1])
manifest = parse_manifest((bundle / "manifest.json").read_bytes())
session = BubblewrapDriver(slot=int(sys.argv[2])).start(bundle, manifest, LIMITS, lambda chunk: None)
session.predict(*images(1, 16)[0])
print("ready", flush=True)
if sys.argv[3] == "busy":
    session.predict(*images(1, 16)[0])
sys.stdin.read()
"""


@pytest.mark.parametrize("state", ["frozen", "busy"])
def test_a_killed_worker_leaves_no_process_and_the_next_one_sweeps_the_rest(
    sandbox: BubblewrapDriver, tmp_path: Path, state: str
) -> None:
    pair = "if self.n == 2: time.sleep(600)\nreturn content"
    load = "if os.fork() == 0:\n    os.setsid()\n    time.sleep(600)"
    bundle = write_bundle(tmp_path / "b", model(load=load, pair=pair))
    command = [sys.executable, "-c", WORKER, str(bundle), str(SLOT), state]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        inside = psutil.Process(worker.pid).children(recursive=True)
        assert len(inside) >= 4
        os.kill(worker.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(inside, timeout=2)
    assert alive == []
    pattern = f"pastiche-*{worker.pid}-*"
    BubblewrapDriver(slot=SLOT)
    assert list(Path("/sys/fs/cgroup").glob(f"**/{pattern}")) == []
    assert list(Path("/tmp").glob(pattern)) == []


def test_onnx_data_outside_the_bundle_is_not_read(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    shape = [1, 3, 16, 16]
    kind = onnx.TensorProto.UINT8
    names = ("content", "style", "out")
    infos = [onnx.helper.make_tensor_value_info(name, kind, shape) for name in names]
    weight = onnx.TensorProto(name="w", data_type=kind, dims=shape, data_location=1)
    weight.external_data.add(key="location", value="../../../../etc/ld.so.cache")
    nodes = [onnx.helper.make_node("Max", ["content", "style", "w"], ["out"])]
    graph = onnx.helper.make_graph(nodes, "g", infos[:2], infos[2:], initializer=[weight])
    opset = [onnx.helper.make_opsetid("", 20)]
    data = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    io = {"dtype": "uint8", "layout": "NCHW", "max_side": 64}
    manifest = {"format": "onnx", "entry": "generator.onnx", "io": io}
    outcome = run(
        sandbox, write_bundle(tmp_path / "b", "", {"generator.onnx": data}, **manifest), memory_mb=900
    )
    assert outcome.failure is not None
    assert outcome.failure.code in ("LOAD_FAILED", "MISSING_FILE")


@pytest.mark.slow
def test_weights_that_run_commands_run_them_where_nothing_is(
    sandbox: BubblewrapDriver, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("id -u; cat /etc/passwd; ls -a /tmp; touch /bundle/here /tmp/here",)

    torch.save({"weights": Payload()}, tmp_path / "weights.pth")
    files = {"weights.pth": (tmp_path / "weights.pth").read_bytes()}
    load = "import torch\ntorch.load(bundle_dir + '/weights.pth', weights_only=False)"
    outcome = run(
        sandbox, write_bundle(tmp_path / "b", model(load=load), files), memory_mb=2000, load_seconds=60
    )
    assert outcome.failure is None, outcome.text
    assert "65534" in outcome.text
    assert "cat: /etc/passwd: No such file or directory" in outcome.text
    assert "touch: cannot touch '/bundle/here': Read-only file system" in outcome.text
    assert not Path("/tmp/here").exists()


@pytest.mark.slow
def test_it_starts_nearly_as_fast_as_a_plain_process(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", MIX)
    seconds: dict[str, list[float]] = {"bubblewrap": [], "process": []}
    for _ in range(5):
        for driver in (sandbox, ProcessDriver()):
            started = time.monotonic()
            outcome = run(driver, bundle, pairs=20, side=256)
            assert outcome.failure is None
            seconds[driver.name].append(time.monotonic() - started)
    # About .1 s on an idle machine; the bound leaves room for busy neighbors and still sees a hang.
    assert min(seconds["bubblewrap"]) - min(seconds["process"]) < 1.0
