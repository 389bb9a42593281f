"""Files on the worker's own disk: a folder per run that is gone afterwards, and datasets put together once."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from filelock import FileLock

from competitions.selectors.work import Assignment
from competitions.storage import copy_file
from evaluation.pairs import PAIRS_FILE, dataset_digest, read_pairs
from workers.cache import PRIVATE, DamagedFile, forget, hold, hold_file, shelf, trim

# The dataset that this process used last, by its folder: a warm scorer reads it by its path.
_held: dict[Path, int] = {}


@contextmanager
def run_folder(worker_dir: Path) -> Iterator[Path]:
    """Make a private folder for one run and remove it afterwards; those of killed processes go too."""
    parent = shelf(worker_dir, "runs")
    with FileLock(shelf(worker_dir, "locks") / "runs.lock"):
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(dir=parent))
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def fetch(sha256: str, destination: Path, *, is_kept: bool = False) -> Path:
    """Copy a stored file to the worker's disk and check its digest; one that is needed again is kept in the cache.

    Raises:
        DamagedFile: the content is another.
    """
    with destination.open("x+b") as target:
        if is_kept:
            with hold_file(settings.WORKER_DIR, sha256) as source:
                shutil.copyfileobj(source, target)
        else:
            copy_file(sha256, target)
        target.seek(0)
        is_whole = hashlib.file_digest(target, "sha256").hexdigest() == sha256
    if is_kept:
        trim(settings.WORKER_DIR)
    if not is_whole:
        forget(settings.WORKER_DIR / "files" / sha256)  # the next attempt brings it in anew
        raise DamagedFile(f"The stored file {sha256} is damaged.")
    return destination


def dataset_folder(worker_dir: Path, work: Assignment) -> Path:
    """Return the folder with the run's dataset, put together from stored files at first use.

    It is not evicted before this process has asked for another one.
    """
    folder = shelf(worker_dir, "datasets") / work.dataset_digest
    if folder not in _held:
        descriptor = hold(folder, lambda unfinished: _build(worker_dir, unfinished, work))
        for other in list(_held):
            os.close(_held.pop(other))
        _held[folder] = descriptor
        trim(worker_dir)
    return folder


def _sweep(parent: Path) -> None:
    for left in parent.iterdir():
        descriptor = os.open(left, os.O_RDONLY)
        with contextlib.suppress(BlockingIOError):  # its process lives
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        os.close(descriptor)


def _build(worker_dir: Path, folder: Path, work: Assignment) -> None:
    folder.mkdir(mode=PRIVATE)
    digests = {d for pair in work.pairs for d in (pair.content_sha256, pair.style_sha256)}
    for sha256 in digests:
        with hold_file(worker_dir, sha256):
            os.link(worker_dir / "files" / sha256, folder / f"{sha256}.png")
    rows = [
        {
            "id": pair.name,
            "content": f"{pair.content_sha256}.png",
            "style": f"{pair.style_sha256}.png",
            "split": pair.split,
            "style_family": pair.style_family,
            "culture": pair.culture,
            "content_kind": pair.content_kind,
        }
        for pair in work.pairs
    ]
    document = {"schema": 1, "size": work.size, "pairs": rows}
    (folder / PAIRS_FILE).write_text(json.dumps(document), encoding="utf-8")
    if dataset_digest(read_pairs(folder)) != work.dataset_digest:
        for sha256 in digests:
            forget(worker_dir / "files" / sha256)
        raise DamagedFile("The dataset's pairs do not have the digest of its version.")
