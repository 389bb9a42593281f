"""The worker's disk: what is brought in is whole, what is used stays, and the rest keeps to its bounds."""

import contextlib
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from competitions.models import Phase
from competitions.selectors.work import PairFile
from competitions.storage import artifact_name
from evaluation.pairs import dataset_digest, read_pairs
from workers import cache, workspace
from workers.cache import DamagedFile, has_room, hold_file, room_problem, trim
from workers.workspace import dataset_folder, fetch, run_folder

MB = 2**20
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The worker's folder."""
    return Path(settings.WORKER_DIR)


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> Callable[[bytes], str]:
    """Return a function that puts content into the storage and returns its digest."""

    def put(content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        path = stored(tmp_path, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return sha256

    return put


@pytest.fixture
def work(phase: Phase) -> Any:
    """What a run says about the dataset of a phase."""
    pairs = phase.dataset_version.pairs.select_related("content", "style").order_by("name")
    files = tuple(
        PairFile(
            name=pair.name,
            split=pair.split,
            content_sha256=pair.content.sha256,
            style_sha256=pair.style.sha256,
            style_family=pair.style_family,
            culture=pair.culture,
            content_kind=pair.content_kind,
        )
        for pair in pairs
    )
    version = phase.dataset_version
    return SimpleNamespace(dataset_digest=version.digest, size=version.size, pairs=files)


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    """Let go of the dataset that a test has used."""
    yield
    for descriptor in workspace._held.values():
        os.close(descriptor)
    workspace._held.clear()


def stored(tmp_path: Path, sha256: str) -> Path:
    """Return where the storage has a file."""
    return tmp_path / "data" / "artifacts" / artifact_name(sha256)


def kept(folder: Path) -> set[str]:
    """List the files that the cache keeps."""
    return {path.name for path in (folder / "files").iterdir()}


def used_long_ago(path: Path, seconds: float) -> None:
    """Have an entry look as if it was last used that long ago."""
    os.utime(path, (time.time() - seconds,) * 2)


def take(folder: Path, sha256: str) -> bytes:
    """Read a file through the cache."""
    with hold_file(folder, sha256) as file:
        return file.read()


def until(is_true: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_file_is_brought_in_once(folder: Path, store: Callable[[bytes], str], tmp_path: Path) -> None:
    sha256 = store(b"an archive")
    assert fetch(sha256, tmp_path / "first", is_kept=True).read_bytes() == b"an archive"
    stored(tmp_path, sha256).unlink()
    assert fetch(sha256, tmp_path / "second", is_kept=True).read_bytes() == b"an archive"
    assert kept(folder) == {sha256}


def test_what_is_needed_once_does_not_fill_the_cache(
    folder: Path, store: Callable[[bytes], str], tmp_path: Path
) -> None:
    fetch(store(b"an output"), tmp_path / "output")
    assert not (folder / "files").exists()


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_file_that_the_storage_has_damaged_is_refused_and_not_kept(
    folder: Path, store: Callable[[bytes], str], tmp_path: Path, is_kept: bool
) -> None:
    sha256 = store(b"an archive")
    stored(tmp_path, sha256).write_bytes(b"an arch1ve")
    with pytest.raises(DamagedFile, match=sha256):
        fetch(sha256, tmp_path / "file", is_kept=is_kept)
    trim(folder)
    assert kept(folder) == set()


def test_a_file_that_was_damaged_on_this_disk_is_brought_in_anew(
    folder: Path, store: Callable[[bytes], str], tmp_path: Path
) -> None:
    sha256 = store(b"an archive")
    fetch(sha256, tmp_path / "first", is_kept=True)
    (folder / "files" / sha256).write_bytes(b"an arch1ve")
    with pytest.raises(DamagedFile):
        fetch(sha256, tmp_path / "second", is_kept=True)
    assert fetch(sha256, tmp_path / "third", is_kept=True).read_bytes() == b"an archive"


def test_the_least_recently_used_go_first_and_the_bound_holds(
    folder: Path, store: Callable[[bytes], str], settings: Settings
) -> None:
    settings.WORKER_CACHE_MB = 3
    digests = [store(bytes([n]) * MB) for n in range(5)]
    for age, sha256 in enumerate(digests[:3]):
        take(folder, sha256)
        used_long_ago(folder / "files" / sha256, 100 - age)
    take(folder, digests[0])  # so that the second is the oldest now
    for sha256 in digests[3:]:
        take(folder, sha256)
        trim(folder)
    assert kept(folder) == {digests[0], *digests[3:]}


def test_a_killed_process_leaves_no_half_file_and_no_lock(
    folder: Path, store: Callable[[bytes], str], tmp_path: Path
) -> None:
    content = b"x" * MB
    sha256 = store(content)
    source = stored(tmp_path, sha256)
    source.unlink()
    os.mkfifo(source)
    child = FORK.Process(target=take, args=(folder, sha256))
    child.start()
    with source.open("wb") as pipe:
        pipe.write(content[: MB // 2])
        pipe.flush()
        until(lambda: any(path.stat().st_size for path in (folder / "files").iterdir()))
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join(20)
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    assert kept(folder) == {sha256 + cache.UNFINISHED}
    source.unlink()
    store(content)
    assert take(folder, sha256) == content
    assert kept(folder) == {sha256}


def test_what_a_killed_process_left_goes_before_anything_that_is_used(
    folder: Path, store: Callable[[bytes], str], settings: Settings
) -> None:
    sha256 = store(b"x" * MB)
    take(folder, sha256)
    used_long_ago(folder / "files" / sha256, 1000)
    left = folder / "files" / ("f" * 64 + cache.UNFINISHED)
    left.write_bytes(b"y" * MB)
    settings.WORKER_CACHE_MB = 1
    trim(folder)
    assert kept(folder) == {sha256}


def test_a_file_that_is_being_brought_in_is_left_alone(folder: Path, settings: Settings) -> None:
    settings.WORKER_CACHE_MB = 0
    path = cache.shelf(folder, "files") / ("a" * 64)

    def make(unfinished: Path) -> None:
        unfinished.write_bytes(b"half")
        other = FORK.Process(target=trim, args=(folder,))
        other.start()
        other.join(20)
        unfinished.write_bytes(b"whole")

    with open(cache.hold(path, make), "rb") as file:
        assert file.read() == b"whole"


def test_many_processes_that_want_one_file_bring_it_in_together(
    folder: Path, store: Callable[[bytes], str], tmp_path: Path
) -> None:
    sha256 = store(os.urandom(4 * MB))
    start, right = FORK.Barrier(4), FORK.Value("i", 0)

    def ask() -> None:
        start.wait(20)
        is_right = hashlib.sha256(take(folder, sha256)).hexdigest() == sha256
        with right.get_lock():
            right.value += is_right

    children = [FORK.Process(target=ask) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert right.value == 4
    assert kept(folder) == {sha256}


def test_a_dataset_is_put_together_and_shares_its_files_with_the_cache(
    folder: Path, work: Any, tmp_path: Path
) -> None:
    made = dataset_folder(folder, work)
    assert dataset_digest(read_pairs(made)) == work.dataset_digest
    image = f"{work.pairs[0].content_sha256}.png"
    assert (made / image).samefile(folder / "files" / work.pairs[0].content_sha256)
    shutil.rmtree(tmp_path / "data" / "artifacts")
    assert dataset_folder(folder, work) == made


def test_a_dataset_in_use_stays_until_its_process_ends(folder: Path, work: Any, settings: Settings) -> None:
    is_there, may_go = FORK.Event(), FORK.Event()

    def use() -> None:
        dataset_folder(folder, work)
        is_there.set()
        may_go.wait(60)

    child = FORK.Process(target=use)
    child.start()
    assert is_there.wait(30)
    settings.WORKER_CACHE_MB = 0
    trim(folder)
    made = folder / "datasets" / work.dataset_digest
    assert dataset_digest(read_pairs(made)) == work.dataset_digest
    assert kept(folder) == set()
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join(20)
    trim(folder)
    assert not made.exists()
    assert list((folder / "trash").iterdir()) == []


def test_asking_for_another_dataset_lets_go_of_the_first(folder: Path, work: Any, settings: Settings) -> None:
    first = dataset_folder(folder, work)
    document = json.loads((first / "pairs.json").read_text())
    pairs = work.pairs[1:]
    smaller = folder / "smaller"
    shutil.copytree(first, smaller)
    names = {pair.name for pair in pairs}
    document["pairs"] = [row for row in document["pairs"] if row["id"] in names]
    (smaller / "pairs.json").write_text(json.dumps(document))
    other = SimpleNamespace(dataset_digest=dataset_digest(read_pairs(smaller)), size=work.size, pairs=pairs)
    settings.WORKER_CACHE_MB = 0
    second = dataset_folder(folder, other)
    assert not first.exists()
    assert second.is_dir()


def test_a_dataset_with_a_damaged_image_is_refused_and_the_image_brought_in_anew(
    folder: Path, work: Any
) -> None:
    take(folder, work.pairs[0].content_sha256)
    damaged = folder / "files" / work.pairs[0].content_sha256
    whole = (folder / "files" / work.pairs[0].content_sha256).read_bytes()
    take(folder, work.pairs[0].style_sha256)
    damaged.write_bytes((folder / "files" / work.pairs[0].style_sha256).read_bytes())
    with pytest.raises(DamagedFile):
        dataset_folder(folder, work)
    assert dataset_folder(folder, work).is_dir()
    assert damaged.read_bytes() == whole


def test_reference_features_have_a_bound_of_their_own(folder: Path, settings: Settings) -> None:
    features = cache.shelf(folder, "features")
    for age in (300, 200, 100):
        path = features / f"{age}.safetensors"
        path.write_bytes(b"x" * MB)
        used_long_ago(path, age)
    writing = features / ".new.safetensors.tmp"
    writing.write_bytes(b"x" * MB)
    settings.WORKER_FEATURES_MB = 2
    trim(folder)
    assert {path.name for path in features.iterdir()} == {"200.safetensors", "100.safetensors", writing.name}


def test_room_is_made_by_evicting_before_work_is_declined(
    folder: Path, store: Callable[[bytes], str], settings: Settings
) -> None:
    settings.WORKER_MIN_FREE_MB = 0
    old, new = store(os.urandom(8 * MB)), store(os.urandom(8 * MB))
    for age, sha256 in ((100, old), (0, new)):
        take(folder, sha256)
        used_long_ago(folder / "files" / sha256, age)
    assert has_room(folder, 0)
    assert kept(folder) == {old, new}

    free = shutil.disk_usage(folder).free
    assert not has_room(folder, 2 * free)
    assert kept(folder) == {old, new}  # throwing them away would not have helped
    problem = room_problem(folder, 2 * free)
    assert "PASTICHE_WORKER_DIR" in problem
    assert f"{2 * free // MB} MB are needed" in problem


def test_a_run_has_a_private_folder_and_those_of_killed_processes_go(folder: Path) -> None:
    def die() -> None:
        with run_folder(folder) as made:
            (made / "file").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    child = FORK.Process(target=die)
    child.start()
    child.join(20)
    assert len(list((folder / "runs").iterdir())) == 1
    with run_folder(folder) as first:
        assert [first] == list((folder / "runs").iterdir())
        assert first.stat().st_mode & 0o777 == 0o700
        inside = threading.Thread(target=lambda: run_folder(folder).__enter__())
        inside.start()
        inside.join()
        assert first.is_dir()
    assert not first.exists()
