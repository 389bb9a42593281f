"""Submission archives: inspect one without executing anything, unpack one safely, pack one reproducibly."""

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, BinaryIO

from evaluation.manifest import MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, parse_manifest
from evaluation.weights import MAX_HEADER_BYTES, check_safetensors, check_state_dict
from evaluation.zips.content import read_content
from evaluation.zips.directory import ZipEntry, read_directory
from evaluation.zips.names import name_problem
from evaluation.zips.rules import ArchiveLimits, refusal, shown
from evaluation.zips.tree import check_names, check_sizes

__all__ = ["ArchiveInfo", "ArchiveLimits", "inspect_archive", "pack_archive", "unpack_archive"]

_LIMITS = ArchiveLimits()
_SPOOL = 1 << 23
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ArchiveInfo:
    """What is known of a good archive: manifest, its own sha256 and bytes, and (name, bytes) of each file."""

    manifest: Manifest
    sha256: str
    size: int
    files: tuple[tuple[str, int], ...]


def inspect_archive(path: Path, limits: ArchiveLimits = _LIMITS) -> ArchiveInfo:
    """Check a whole archive, contents and digests included, and write nothing.

    Raises:
        InvalidArchive: `reason` names the broken rule, the message names the entry.
        InvalidManifest: the manifest does not follow the schema.
    """
    return _read(path, limits, lambda name, pieces: _drain(pieces))


def unpack_archive(path: Path, destination: Path, limits: ArchiveLimits = _LIMITS) -> ArchiveInfo:
    """Check an archive and write it into a new or empty folder; files get mode 0644, folders 0755.

    Nothing is left in the folder where the archive is refused.

    Raises:
        InvalidArchive: as `inspect_archive`.
        FileExistsError: the destination is not an empty folder.
    """
    destination.mkdir(mode=0o755, exist_ok=True)
    if destination.is_symlink() or any(destination.iterdir()):
        raise FileExistsError(f"{destination} is not an empty folder")
    try:
        return _read(path, limits, lambda name, pieces: _write(destination, name, pieces))
    except BaseException:
        _empty(destination)
        raise


def pack_archive(files: Mapping[str, bytes], out: Path) -> str:
    """Write files as an archive that is the same to the byte for the same files, and return its sha256.

    Raises:
        InvalidArchive: a name that no archive may hold.
    """
    for name in files:
        problem = name_problem(name)
        if problem:
            raise refusal(problem[0], f"The name {shown(name)} {problem[1]}.")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, files[name])
    with out.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, limits: ArchiveLimits, take: Callable[[str, Iterator[bytes]], None]) -> ArchiveInfo:
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limits.packed:
            raise refusal(
                "TOO_LARGE", f"The archive has {size:,} bytes; at most {limits.packed:,} are allowed."
            )
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        entries = read_directory(file, size, limits)
        check_names(entries)
        check_sizes(entries, limits)
        files = {entry.name: entry for entry in entries if not entry.is_folder}
        manifest = _manifest(file, files)
        _check_listed(manifest, files)
        for name, entry in files.items():
            take(name, _checked(file, entry, manifest))
    return ArchiveInfo(manifest, digest, size, tuple(sorted((name, files[name].size) for name in files)))


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        opened = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise refusal("UNREADABLE", f"{shown(str(path))} cannot be opened.") from error
    with opened as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise refusal("UNREADABLE", f"{shown(str(path))} is not a file.")
        yield file


def _manifest(file: BinaryIO, files: Mapping[str, ZipEntry]) -> Manifest:
    entry = files.get(MANIFEST_FILE)
    if entry is None:
        raise refusal("NO_MANIFEST", "There is no manifest.json at the top of the archive.")
    if entry.size > MAX_MANIFEST_BYTES:
        raise refusal(
            "TOO_LARGE", f"manifest.json has {entry.size} bytes; at most {MAX_MANIFEST_BYTES} may be."
        )
    return parse_manifest(b"".join(read_content(file, entry)))


def _check_listed(manifest: Manifest, files: Mapping[str, ZipEntry]) -> None:
    for name in (*manifest.weights, *manifest.sha256):
        if name not in files:
            raise refusal("MISSING_FILE", f"manifest.json names {shown(name)}, which is not in the archive.")
    if manifest.format == "onnx":
        wanted = [manifest.entry]
    else:
        module = manifest.entry.partition(":")[0].replace(".", "/")
        wanted = [f"{module}.py", f"{module}/__init__.py"]
    if not any(name in files for name in wanted):
        raise refusal("MISSING_FILE", f"The entry {shown(manifest.entry)} needs {' or '.join(wanted)}.")


def _checked(file: BinaryIO, entry: ZipEntry, manifest: Manifest) -> Iterator[bytes]:
    """Yield the content of an entry and, at its end, compare its digest and look into weight files."""
    digest = hashlib.sha256()
    kept = _bytes_to_keep(entry, manifest)
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as spool:
        for piece in read_content(file, entry):
            digest.update(piece)
            spool.write(piece[: max(0, kept - spool.tell())])
            yield piece
        expected = manifest.sha256.get(entry.name)
        if expected not in (None, digest.hexdigest()):
            raise refusal(
                "DIGEST_MISMATCH", f"{shown(entry.name)} does not have the sha256 of manifest.json."
            )
        if kept:
            spool.seek(0)
            _check_weights(spool, entry)


def _bytes_to_keep(entry: ZipEntry, manifest: Manifest) -> int:
    """Tell how much of a file its check needs: the header of .safetensors, all of .pth weights."""
    if entry.name.endswith(".safetensors"):
        return MAX_HEADER_BYTES + 8
    return entry.size if entry.name.endswith(".pth") and entry.name in manifest.weights else 0


def _check_weights(spool: IO[bytes], entry: ZipEntry) -> None:
    check = check_safetensors if entry.name.endswith(".safetensors") else check_state_dict
    try:
        check(spool, entry.size)
    except ValueError as error:
        raise refusal(
            "BAD_WEIGHTS", f"{shown(entry.name)} cannot be accepted as weights: {error}."
        ) from error


def _drain(pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass


def _write(folder: Path, name: str, pieces: Iterator[bytes]) -> None:
    target = folder / name
    for parent in reversed(target.relative_to(folder).parents[:-1]):
        _make_folder(folder / parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
        for piece in pieces:
            file.write(piece)
        os.fchmod(file.fileno(), 0o644)


def _make_folder(path: Path) -> None:
    path.mkdir(exist_ok=True)
    path.chmod(0o755)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
