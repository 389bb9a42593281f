"""The archive on this machine: a zip file, or a folder that is packed first; checked as the server does."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluation.archive import ArchiveInfo, ArchiveLimits, inspect_archive, pack_archive
from evaluation.errors import InvalidArchive
from evaluation.manifest import MANIFEST_FILE
from evaluation.zips.rules import MEGABYTE
from pastiche.errors import CheckFailed, FolderError
from pastiche.language import say

BUNDLE = "bundle"  # where the starter kit keeps what is sent
ANY_SIZE_MB = 10_000  # the server says first what it takes


def inspect(archive: Path, archive_mb: int = ANY_SIZE_MB) -> ArchiveInfo:
    """Check an archive, contents and digests included, without executing anything in it.

    Raises:
        CheckFailed: with the broken rule as its code.
    """
    limits = ArchiveLimits(packed=archive_mb * MEGABYTE)
    try:
        return inspect_archive(archive, limits)
    except InvalidArchive as error:
        raise CheckFailed(error.message, fix=error.fix, code=error.reason) from error


@contextmanager
def packed(path: Path) -> Iterator[Path]:
    """Yield the archive: the file itself, or one made of the folder, which is gone afterwards.

    Raises:
        FolderError: the folder holds no manifest.json.
        CheckFailed: it holds a file that no archive may hold.
    """
    if not path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="pastiche-pack-") as name:
        archive = Path(name) / "archive.zip"
        pack(path, archive)
        yield archive


def pack(folder: Path, archive: Path) -> None:
    """Pack a folder with manifest.json, or its subfolder `bundle`; hidden files and caches are left out.

    Raises:
        FolderError: there is no manifest.json.
        CheckFailed: a file's name is none that an archive may hold.
    """
    places = [place for place in (folder, folder / BUNDLE) if (place / MANIFEST_FILE).is_file()]
    if not places:
        raise FolderError(
            say("{folder} holds no manifest.json.", folder=folder),
            fix=say("Name a .zip file, or the folder of a generator; `pastiche init` makes one."),
        )
    place = places[0]
    files = {name: path for path in sorted(place.rglob("*")) if (name := _name(path, place))}
    try:
        pack_archive({name: path.read_bytes() for name, path in files.items()}, archive)
    except InvalidArchive as error:
        raise CheckFailed(error.message, fix=error.fix, code=error.reason) from error


def _name(path: Path, place: Path) -> str:
    """Return the name in the archive, or nothing for what is not to be sent."""
    parts = path.relative_to(place).parts
    is_wanted = path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts)
    return "/".join(parts) if is_wanted else ""
