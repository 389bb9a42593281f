"""Where artifact files lie: by digest, in the private storage, never below a public address."""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage, storages

if TYPE_CHECKING:
    from competitions.bucket import Bucket

INCOMING = "incoming"
ABANDONED_SECONDS = 600  # nobody who still writes pauses that long
READABLE = 0o644  # by the web server too, which may be another user than the worker


class StorageRefused(Exception):  # noqa: N818
    """The storage answers, but not as it should; `setting` is the one that is wrong."""

    def __init__(self, setting: str, sentence: str) -> None:
        """Keep what to tell the operator."""
        super().__init__(sentence)
        self.setting = setting


class StorageUnreachable(Exception):  # noqa: N818
    """The storage does not answer; waiting may help."""


def artifact_name(sha256: str) -> str:
    """Return the name of the file with that digest; two levels keep folders small."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def save_file(sha256: str, size: int, content: IO[bytes], *, is_durable: bool = True) -> None:
    """Store a file under its digest unless it is there; a shorter leftover of a crash is replaced.

    It appears whole or not at all: under another name first where the storage is a folder, by one request
    where it is a bucket. In a folder a durable file outlives a power cut too; that takes some milliseconds.
    """
    save_as(artifact_name(sha256), size, content, is_durable=is_durable)


def save_as(name: str, size: int, content: IO[bytes], *, is_durable: bool = True) -> None:
    """Store a file as `save_file` does, under a name of its own; what lies there already has the same content."""
    if _stored_size(name) == size:
        return
    place = storages["default"]
    if isinstance(place, FileSystemStorage):
        _save_whole(Path(place.location), name, content, is_durable=is_durable)
    else:
        place.save(name, File(content))


def open_file(sha256: str) -> IO[bytes]:
    """Open a stored file for reading."""
    return default_storage.open(artifact_name(sha256), "rb")


def open_as(name: str) -> IO[bytes]:
    """Open a file that `save_as` stored."""
    return default_storage.open(name, "rb")


def discard_folder(name: str) -> None:
    """Delete all files below a name; a folder that is not there is as good as empty."""
    try:
        files = default_storage.listdir(name)[1]
    except FileNotFoundError:
        return
    for file in files:
        default_storage.delete(f"{name}/{file}")
    if _bucket() is None:
        with contextlib.suppress(OSError):  # a writer who came too late; the next one who looks takes it away
            default_storage.delete(name)


def copy_file(sha256: str, target: IO[bytes]) -> None:
    """Write a stored file to an open one; whoever needs to be sure of the content compares the digest."""
    if bucket := _bucket():
        bucket.download(artifact_name(sha256), target)
        return
    with open_file(sha256) as source:
        shutil.copyfileobj(source, target)


def download_link(sha256: str, name: str) -> str | None:
    """Return a signed address that gives the file out as `name` for a short while.

    None where files lie in a folder: then the web server sends them itself.
    """
    bucket = _bucket()
    return bucket.link(artifact_name(sha256), name, settings.LINK_SECONDS) if bucket else None


def check_storage(*, by_writing: bool) -> None:
    """Look whether files can be stored and read; `by_writing` tries it, and has a stranger try to read.

    Raises:
        StorageRefused: a setting is wrong.
        StorageUnreachable: nothing answers.
    """
    place = storages["default"]
    if bucket := _bucket():
        bucket.check(by_writing=by_writing)
    elif isinstance(place, FileSystemStorage):
        _check_folder(Path(place.location))


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageRefused("PASTICHE_DATA_DIR", f"{folder} cannot be made ({error.strerror})") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StorageRefused("PASTICHE_DATA_DIR", f"{folder} cannot be written")


def _bucket() -> "Bucket | None":
    place = storages["default"]
    return None if isinstance(place, FileSystemStorage) else cast("Bucket", place)


def _stored_size(name: str) -> int | None:
    try:
        return default_storage.size(name)
    except FileNotFoundError:
        return None


def _save_whole(root: Path, name: str, content: IO[bytes], *, is_durable: bool) -> None:
    incoming, final = root / INCOMING, root / name
    for folder in (incoming, final.parent):
        folder.mkdir(parents=True, exist_ok=True)
    _sweep(incoming)
    handle, unfinished = tempfile.mkstemp(dir=incoming)
    try:
        with open(handle, "wb") as target:
            shutil.copyfileobj(content, target)
            if is_durable:
                target.flush()
                os.fsync(handle)
        os.chmod(unfinished, READABLE)
        os.replace(unfinished, final)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished)
        raise
    if is_durable:
        _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(incoming: Path) -> None:
    """Remove what killed writers left."""
    for file in incoming.iterdir():
        with contextlib.suppress(FileNotFoundError):  # its writer has just finished
            if time.time() - file.stat().st_mtime > ABANDONED_SECONDS:
                file.unlink()
