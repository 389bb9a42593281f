"""Generators in the real sandbox: good ones answer, nothing outlives a run, and anybody can end one in time."""

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

from evaluation.errors import GenerationError
from evaluation.generation.driver import Session
from evaluation.manifest import parse_manifest
from tests.attacks.generators import (
    LIMITS,
    folders_named,
    images,
    killed_load_seconds,
    model,
    run,
    write_bundle,
)
from tests.workers.sandboxes import SLOT, UID, docker, driver, sandbox
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.sandbox.cgroups import Cgroups, Place, find_cgroups
from workers.sandbox.engine import Engine
from workers.sandbox.surroundings import SandboxDriver

__all__ = ["driver", "sandbox"]
pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).parents[2]
MIX = model(pair="return content // 2 + style // 2")


def said(driver: SandboxDriver, folder: Path, load: str, **limits: float) -> str:
    """Run statements while a generator loads, and return what they printed."""
    outcome = run(driver, write_bundle(folder / "bundle", model(load=load)), pairs=1, **limits)
    assert outcome.failure is None, outcome.text
    return outcome.text


def test_a_good_generator_answers_every_pair(driver: SandboxDriver, tmp_path: Path) -> None:
    outcome = run(driver, write_bundle(tmp_path / "b", MIX), pairs=5, side=33)
    assert outcome.failure is None
    for (content, style), prediction in zip(images(5, 33), outcome.predictions, strict=True):
        assert np.array_equal(prediction.stylized, content // 2 + style // 2)
    assert outcome.usage is not None
    if driver.name == "bubblewrap":  # an engine does not tell
        assert 5 < (outcome.usage.peak_memory_mb or 0) < 200


def test_what_is_stored_with_a_result_tells_everything(driver: SandboxDriver) -> None:
    told = driver.describe()
    assert {"driver", "version", "mode", "filter", "device", "memory", "pids", "cpu", "freezer"} <= set(told)
    assert all(told.values())
    assert len(told["filter"]) == 64
    assert ("image" in told) == (driver.name == "docker")


def test_seen_from_outside_the_runner_is_nobody(driver: SandboxDriver, tmp_path: Path) -> None:
    if driver.surroundings.has_own_kernel:
        pytest.skip("its processes are no processes of this kernel")
    bundle = write_bundle(tmp_path / "b", MIX)
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    session = driver.start(bundle, manifest, LIMITS, lambda chunk: None)
    try:
        found = psutil.process_iter(["pid", "name", "cmdline", "uids"])
        (pid,) = [
            p.info["pid"]
            for p in found
            if "/bundle" in (p.info["cmdline"] or [])
            and p.info["name"].startswith("python")
            and p.info["uids"].real == (os.getuid() if UID is None else UID)
        ]
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip()) == ("2", "1")
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        if UID is not None:
            assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(UID)}
        for name in ("net", "pid", "mnt", "ipc", "uts"):
            assert os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")
    finally:
        session.close()


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


def test_only_two_folders_can_be_written(driver: SandboxDriver, tmp_path: Path) -> None:
    load = """
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
    print(sorted(set(writable()) - {'/dev/mqueue'}), os.access('/usr', os.W_OK))
    """  # a container has a folder of message queues, whose content is made by calls that do not exist for it
    printed = said(driver, tmp_path, textwrap.dedent(load).strip())
    assert printed == "['/dev/shm', '/tmp'] False\n"
    assert sorted(path.name for path in (tmp_path / "bundle").iterdir()) == ["manifest.json", "model.py"]


def test_the_watchdog_stops_a_memory_bomb_where_no_cgroup_can(
    tmp_path: Path, sandbox: BubblewrapDriver
) -> None:
    driver = BubblewrapDriver(slot=SLOT, cgroups=Cgroups(), allow_watchdog=True)
    bomb = "self.block = np.ones(300 << 20, np.uint8)\ntime.sleep(5)"
    outcome = run(driver, write_bundle(tmp_path / "b", model(pair=bomb)), memory_mb=200)
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


def test_nothing_of_one_run_is_found_by_the_next(driver: SandboxDriver, tmp_path: Path) -> None:
    load = """
    import ctypes
    number = ctypes.CDLL(None).shmget(0x50415354, 4096, 0)
    print(os.path.exists('/tmp/left'), os.path.exists('/dev/shm/left'), number)
    for folder in ('/tmp', '/dev/shm'): open(folder + '/left', 'w').write('state')
    ctypes.CDLL(None).shmget(0x50415354, 4096, 0o1600)
    """
    for _ in range(2):
        printed = said(driver, tmp_path, textwrap.dedent(load).strip())
        assert printed == "False False -1\n"


@pytest.mark.parametrize("after", [0.0, 0.02, 0.6], ids=["at once", "before it says hello", "while it loads"])
def test_a_load_can_be_killed_from_another_thread(
    driver: SandboxDriver, tmp_path: Path, after: float
) -> None:
    bundle = write_bundle(tmp_path / "b", model(load="time.sleep(15)"))
    assert killed_load_seconds(driver, bundle, after=after) < 2


def test_a_frozen_generator_can_be_killed_and_fails_the_next_pair(
    driver: SandboxDriver, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "b", MIX)
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    launched: list[Session] = []
    session = driver.start(bundle, manifest, LIMITS, lambda chunk: None, on_launch=launched.append)
    assert launched == [session]
    started = time.monotonic()
    session.kill()
    with pytest.raises(GenerationError, match="ended from outside") as caught:
        session.predict(*images(1, 16)[0])
    assert caught.value.code == "CRASHED"
    assert time.monotonic() - started < 2


WORKER = """
import sys
from pathlib import Path
from evaluation.manifest import parse_manifest
from tests.attacks.generators import LIMITS, images
from workers.sandbox.bubblewrap import BubblewrapDriver
bundle = Path(sys.argv[1])
manifest = parse_manifest((bundle / "manifest.json").read_bytes())
session = BubblewrapDriver(slot=int(sys.argv[2])).start(bundle, manifest, LIMITS, lambda chunk: None)
session.predict(*images(1, 16)[0])
print("ready", flush=True)
if sys.argv[3] == "busy":
    session.predict(*images(1, 16)[0])
sys.stdin.read()
"""


@pytest.mark.skipif("PASTICHE_TEST_ENGINE" not in os.environ, reason="no container engine is named")
def test_the_container_of_a_killed_worker_is_removed_by_the_next_one(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", model(pair="while True: time.sleep(1)"))
    code = WORKER.replace("BubblewrapDriver(slot=int(sys.argv[2]))", "docker()")
    code = "from tests.workers.sandboxes import docker\n" + code.replace(
        "session.predict", "0 and session.predict", 1
    )
    command = [sys.executable, "-c", code, str(bundle), str(SLOT), "busy"]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        os.kill(worker.pid, signal.SIGKILL)
    engine, label = Engine(Path(os.environ["PASTICHE_TEST_ENGINE"])), f"pastiche={socket.gethostname()}"
    assert [name for name in engine.containers(label) if f"-{worker.pid}-" in name]
    docker()
    assert not [name for name in engine.containers(label) if f"-{worker.pid}-" in name]


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
    BubblewrapDriver(slot=SLOT)
    assert folders_named(f"pastiche-*{worker.pid}-*") == []
