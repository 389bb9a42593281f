"""Control groups: the own group is found in both versions, and a real group limits, freezes and goes."""

import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from evaluation.generation.driver import Limits
from workers.sandbox.cgroups import Cgroups, Place, find_cgroups
from workers.sandbox.group import Group

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = """31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 30 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
35 30 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
"""


def everything(folder: Path, version: int, controller: str) -> bool:
    return True


def test_the_unit_of_a_unified_system_is_found() -> None:
    found = find_cgroups("0::/system.slice/worker.service\n", V2, everything)
    place = Place(Path("/sys/fs/cgroup/system.slice/worker.service"), 2)
    assert found.places == {name: place for name in ("memory", "pids", "cpu", "freezer")}
    assert found.is_sufficient


def test_groups_are_made_beside_the_leaf_of_the_worker() -> None:
    found = find_cgroups("0::/system.slice/worker.service/pastiche-worker\n", V2, everything)
    assert found.places["memory"].parent == Path("/sys/fs/cgroup/system.slice/worker.service")


def test_a_hybrid_system_has_one_place_for_each_controller() -> None:
    own = "4:memory:/a/b\n3:pids:/\n2:cpu,cpuacct:/c\n1:name=systemd:/\n0::/d\n"

    def can_use(folder: Path, version: int, controller: str) -> bool:
        return version == 1 or controller == "freezer"

    assert find_cgroups(own, HYBRID, can_use).places == {
        "memory": Place(Path("/sys/fs/cgroup/memory/a/b"), 1),
        "pids": Place(Path("/sys/fs/cgroup/pids"), 1),
        "cpu": Place(Path("/sys/fs/cgroup/cpu,cpuacct/c"), 1),
        "freezer": Place(Path("/sys/fs/cgroup/unified/d"), 2),
    }


def test_the_root_of_a_mount_is_taken_off_the_path() -> None:
    mount = "31 30 0:27 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    inside = find_cgroups("4:memory:/docker/abc/worker\n", mount, everything)
    assert inside.places["memory"].parent == Path("/sys/fs/cgroup/memory/worker")
    elsewhere = find_cgroups("4:memory:/\n", mount, everything)
    assert elsewhere.places["memory"].parent == Path("/sys/fs/cgroup/memory")


def test_without_memory_or_pids_it_is_not_sufficient() -> None:
    place = Place(Path("/sys/fs/cgroup"), 2)
    assert not Cgroups({"memory": place}).is_sufficient
    assert not Cgroups({"pids": place, "cpu": place, "freezer": place}).is_sufficient
    assert not find_cgroups("0::/\n", V2, lambda *_: False).places


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files of a unified system in which this process is the unit `worker`, handed over to it."""
    unit = tmp_path / "worker"
    unit.mkdir()
    (unit / "cgroup.controllers").write_text("cpu memory pids\n")
    (unit / "cgroup.subtree_control").write_text("")
    (unit / "cgroup.procs").write_text("41\n")
    try:
        os.setxattr(unit, "user.delegate", b"1")
    except OSError:
        pytest.skip("this file system keeps no such attributes")
    return tmp_path


def found_in(tree: Path) -> Cgroups:
    return find_cgroups("0::/worker\n", f"30 23 0:26 / {tree} rw shared:4 - cgroup2 cgroup2 rw\n")


def test_a_delegated_group_hands_its_controllers_on_once_its_processes_have_moved(tree: Path) -> None:
    found = found_in(tree)
    assert found.places == {name: Place(tree / "worker", 2) for name in ("memory", "pids", "cpu", "freezer")}
    assert (tree / "worker/pastiche-worker/cgroup.procs").read_text() == "41"
    assert (tree / "worker/cgroup.subtree_control").read_text().startswith("+")


def test_a_controller_that_is_not_offered_is_not_used(tree: Path) -> None:
    (tree / "worker/cgroup.controllers").write_text("cpu pids\n")
    assert not found_in(tree).is_sufficient


def test_a_group_of_version_2_is_one_folder_with_all_limits(tree: Path) -> None:
    group = found_in(tree).create(dataclasses.replace(Limits(), memory_mb=64, pids=8, cpu_threads=3))
    (folder,) = {file.parent for file in group.process_files}
    assert folder.parent == tree / "worker"
    told = {name: (folder / name).read_text() for name in ("memory.max", "pids.max", "cpu.max")}
    assert told == {"memory.max": str(64 << 20), "pids.max": "8", "cpu.max": "300000 100000"}
    (folder / "memory.events").write_text("low 0\noom 1\noom_kill 2\n")
    (folder / "memory.peak").write_text(str(10 << 20))
    assert (group.oom_kills(), group.peak_memory_mb()) == (2, 10)
    group.freeze()
    assert (folder / "cgroup.freeze").read_text() == "1"
    group.thaw()
    assert (folder / "cgroup.freeze").read_text() == "0"


@pytest.fixture
def group() -> Iterator[Group]:
    """A real group with a small limit; skipped where none can be made."""
    cgroups = find_cgroups()
    if not cgroups.is_sufficient:
        pytest.skip("no cgroup can be made here")
    made = cgroups.create(dataclasses.replace(Limits(), memory_mb=64, pids=8))
    yield made
    made.remove()
    assert not any(file.parent.exists() for file in made.process_files)


@pytest.fixture
def sleeper(group: Group) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the group."""
    with subprocess.Popen(["sleep", "600"]) as process:
        for file in group.process_files:
            file.write_text(str(process.pid))
        yield process
        process.kill()


def test_the_members_of_a_group_are_killed_and_it_can_be_removed(
    group: Group, sleeper: subprocess.Popen[bytes]
) -> None:
    group.freeze()
    group.kill()
    assert sleeper.wait(2) == -signal.SIGKILL


def test_a_frozen_process_does_nothing_until_it_is_thawed(group: Group) -> None:
    if not group.can_freeze:
        pytest.skip("no freezer here")
    code = "import time\nwhile True: print(time.monotonic(), flush=True); time.sleep(0.01)"
    with subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE) as process:
        for file in group.process_files:
            file.write_text(str(process.pid))
        assert process.stdout is not None
        process.stdout.readline()
        group.freeze()
        time.sleep(0.1)
        os.set_blocking(process.stdout.fileno(), False)
        process.stdout.read()
        time.sleep(0.2)
        assert process.stdout.read() is None
        group.thaw()
        time.sleep(0.2)
        assert process.stdout.read()
        process.kill()


def test_the_limits_are_set_and_the_use_is_counted(group: Group, sleeper: subprocess.Popen[bytes]) -> None:
    assert group.oom_kills() == 0
    assert 0 <= (group.peak_memory_mb() or 0) < 64
    limits = [file.parent / name for file in group.process_files for name in ("pids.max",)]
    assert [path.read_text() for path in limits if path.exists()] == ["8\n"]


def test_the_groups_of_a_worker_that_is_gone_are_swept_and_those_of_a_living_one_stay(group: Group) -> None:
    cgroups = find_cgroups()
    with subprocess.Popen(["true"]) as gone:
        pass
    assert not psutil.pid_exists(gone.pid)
    left = [file.parent.parent / f"pastiche-{gone.pid}-abc" for file in group.process_files]
    for folder in left:
        folder.mkdir()
    cgroups.sweep()
    assert not any(folder.exists() for folder in left)
    assert all(file.exists() for file in group.process_files)
