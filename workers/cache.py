"""What a machine's workers keep on their disk: stored files and datasets by digest; the least recently used go first.

An entry in use carries a shared lock of the kernel, which ends with its process at the latest; who wants to evict
it needs an exclusive one. Entries come and go by renaming, so nobody sees half of one.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from filelock import FileLock, Timeout

from competitions.storage import copy_file
from evaluation.obstacles import OBSTACLES, Told
from workers import metrics

MB = 2**20
PRIVATE = 0o700
UNFINISHED = ".unfinished"
WRITING_SECONDS = 600  # a younger file under a passing name may still be written to


class DamagedFile(RuntimeError):
    """A stored file does not have the content that its digest promises; a fault of the platform."""


def hold_file(worker_dir: Path, sha256: str) -> IO[bytes]:
    """Open a stored file on this disk, after bringing it in where it is missing; until closed it is not evicted.

    Raises:
        DamagedFile: the storage has other content under this digest.
    """
    return open(
        hold(shelf(worker_dir, "files") / sha256, lambda unfinished: _bring_in(sha256, unfinished)), "rb"
    )


def hold(path: Path, make: Callable[[Path], None]) -> int:
    """Return a descriptor that keeps an entry from being evicted until it is closed.

    Where the entry is missing, one process of the machine at a time has `make` write it under another name.
    """
    descriptor = _hold(path)
    metrics.cache_asked(is_hit=descriptor is not None)
    while descriptor is None:
        with _makers_lock(path):
            if not path.exists():  # else somebody else was first
                _make(path, make)
        descriptor = _hold(path)
    return descriptor


def _make(path: Path, make: Callable[[Path], None]) -> None:
    unfinished = path.with_name(path.name + UNFINISHED)
    _remove(unfinished)  # left by a process that was killed
    try:
        make(unfinished)
        unfinished.rename(path)
    finally:
        _remove(unfinished)


def forget(path: Path) -> None:
    """Remove an entry that turned out to be damaged."""
    _discard(path)


def shelf(worker_dir: Path, name: str) -> Path:
    """Return a private folder of the worker's, made if it is missing."""
    folder = worker_dir / name
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    return folder


def trim(worker_dir: Path) -> None:
    """Bring files, datasets and reference features back within their bounds."""
    with _trimming(worker_dir):
        entries = _entries(worker_dir)
        used = _size(entries)
        for path in entries:
            if used <= settings.WORKER_CACHE_MB * MB:
                break
            used -= _evict(path)
        features = _features(worker_dir)
        used = _size(features)
        for path in features:
            if used <= settings.WORKER_FEATURES_MB * MB:
                break
            used -= _discard(path)


def has_room(worker_dir: Path, needed_bytes: int) -> bool:
    """Say whether the disk has this room beside what it always keeps free; what can be evicted goes first."""
    missing = _missing_bytes(worker_dir, needed_bytes)
    if missing <= 0:
        return True
    with _trimming(worker_dir):
        entries, features = _entries(worker_dir), _features(worker_dir)
        if _size(entries) + _size(features) < missing:  # then throwing them away would not help
            return False
        for paths, evict in ((entries, _evict), (features, _discard)):
            for path in paths:
                evict(path)
                if _missing_bytes(worker_dir, needed_bytes) <= 0:
                    return True
    return False


def room_problem(worker_dir: Path, needed_bytes: int) -> str:
    """Say for the operator why there is no room; an empty text where there is."""
    if has_room(worker_dir, needed_bytes):
        return ""
    free = shutil.disk_usage(worker_dir).free // MB
    wanted = needed_bytes // MB + settings.WORKER_MIN_FREE_MB
    values = {"folder": worker_dir, "free": free, "wanted": wanted}
    return Told(OBSTACLES["DISK_FULL"].sentence, values)


def _missing_bytes(worker_dir: Path, needed_bytes: int) -> int:
    return needed_bytes + settings.WORKER_MIN_FREE_MB * MB - shutil.disk_usage(worker_dir).free


def _bring_in(sha256: str, unfinished: Path) -> None:
    with unfinished.open("w+b") as target:
        copy_file(sha256, target)
        target.seek(0)
        if hashlib.file_digest(target, "sha256").hexdigest() != sha256:
            raise DamagedFile(f"The stored file {sha256} is damaged.")


def _hold(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    with contextlib.suppress(FileNotFoundError):  # evicted before the lock was ours
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            os.utime(path)
            return descriptor
    os.close(descriptor)
    return None


def _evict(path: Path) -> int:
    """Remove an entry that nobody uses and return the bytes that this freed."""
    if path.name.endswith(UNFINISHED):
        return _evict_unfinished(path)
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _discard(path)
    except BlockingIOError:  # in use
        return 0
    finally:
        os.close(descriptor)


def _evict_unfinished(path: Path) -> int:
    try:
        with _makers_lock(path.with_name(path.name.removesuffix(UNFINISHED)), timeout=0):
            return _discard(path)
    except Timeout:  # it is being made just now
        return 0


def _discard(path: Path) -> int:
    """Take an entry away at once, folders before they are emptied, and return the bytes that no other entry shares."""
    freed = sum(found.st_size for found in _stats([path]) if found.st_nlink == 1)
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir():
            path = path.rename(shelf(path.parent.parent, "trash") / secrets.token_hex(8))
        _remove(path)
        metrics.evicted(freed)
    return freed


def _remove(path: Path) -> None:
    """Delete an entry, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _entries(worker_dir: Path) -> list[Path]:
    """List files and datasets, the least recently used first; what a killed process left goes before all."""
    ages = {}
    for name in ("files", "datasets"):
        for path in shelf(worker_dir, name).iterdir():
            with contextlib.suppress(FileNotFoundError):
                # Not the time of access: looking into a folder changes it.
                ages[path] = 0.0 if path.name.endswith(UNFINISHED) else path.stat().st_mtime
    return sorted(ages, key=lambda path: ages[path])


def _features(worker_dir: Path) -> list[Path]:
    """List reference features by age; reading one does not hold it, since a mapped file outlives its name."""
    ages, young = {}, time.time() - WRITING_SECONDS
    for path in shelf(worker_dir, "features").rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            if path.is_file() and not (path.suffix == ".tmp" and found.st_mtime > young):
                ages[path] = max(found.st_mtime, found.st_atime)
    return sorted(ages, key=lambda path: ages[path])


def _size(entries: Iterable[Path]) -> int:
    return sum({(found.st_dev, found.st_ino): found.st_size for found in _stats(entries)}.values())


def _stats(entries: Iterable[Path]) -> Iterator[os.stat_result]:
    for entry in entries:
        for path in entry.rglob("*") if entry.is_dir() else [entry]:
            with contextlib.suppress(FileNotFoundError):
                yield path.stat()


def _makers_lock(path: Path, timeout: float = -1) -> FileLock:
    """Few locks for many entries: two that share one wait for each other, that is all.

    Files have others than datasets, since bringing in a dataset brings in files.
    """
    lock = shelf(path.parent.parent, "locks") / f"{path.parent.name}-{path.name[:2]}.lock"
    return FileLock(lock, timeout=timeout)


@contextlib.contextmanager
def _trimming(worker_dir: Path) -> Iterator[None]:
    """Have one process of the machine make room at a time, and finish what a killed one had begun."""
    with FileLock(shelf(worker_dir, "locks") / "trim.lock"):
        for left in shelf(worker_dir, "trash").iterdir():
            _remove(left)
        yield
