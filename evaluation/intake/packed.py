"""Read an organizer's zip file by the same strict reading as archives, one file after the other, writing nothing."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from evaluation.zips.content import read_content
from evaluation.zips.directory import ZipEntry, read_directory
from evaluation.zips.rules import ArchiveLimits, refusal
from evaluation.zips.tree import check_names, check_sizes

MAX_FILE_BYTES = 100 * 2**20


def packed_files(file: BinaryIO, limits: ArchiveLimits) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file in a zip; a single folder around everything is taken off.

    Raises:
        InvalidArchive: `reason` names the broken rule: bombs, paths that leave the folder, links, overlaps ...
    """
    size = os.fstat(file.fileno()).st_size
    if size > limits.packed:
        raise refusal("TOO_LARGE", f"The zip file has {size:,} bytes; at most {limits.packed:,} are allowed.")
    entries = read_directory(file, size, limits)
    check_names(entries)
    check_sizes(entries, limits)
    files = [entry for entry in entries if not entry.is_folder]
    around = _folder_around(files)
    for entry in sorted(files, key=lambda entry: entry.name):
        if entry.size > MAX_FILE_BYTES:
            raise refusal("TOO_LARGE", f"{entry.name} has {entry.size:,} bytes; no picture needs that many.")
        yield entry.name.removeprefix(around), b"".join(read_content(file, entry))


def folder_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file below a folder; links are left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _folder_around(files: list[ZipEntry]) -> str:
    """Return the folder that somebody zipped instead of what is in it, or nothing."""
    ours = [entry.name for entry in files if not entry.name.startswith("__MACOSX/")]
    tops = {name.split("/", 1)[0] for name in ours if "/" in name}
    if len(tops) != 1 or any("/" not in name for name in ours):
        return ""
    top = tops.pop()
    return "" if top in ("contents", "styles", "public", "hidden") else f"{top}/"
