"""The limits of an archive, and every reason for which one is refused with what to do about it."""

from dataclasses import dataclass

from evaluation.errors import InvalidArchive

MEGABYTE = 2**20

_REPACK = "Pack the files again with an ordinary zip program, or with evaluation.archive.pack_archive."
_RENAME = "Rename the file and pack the archive again."

_FIXES = {
    "UNREADABLE": "Name a file that exists and that you may read.",
    "NOT_A_ZIP": "Hand in a .zip file that was packed and uploaded completely.",
    "TOO_LARGE": "Leave out what the generator does not need, or store the weights in half precision.",
    "TOO_MANY_ENTRIES": "Leave out caches and data sets; the generator's code and weights are enough.",
    "COMPRESSION_RATIO": "Store the file without compression (zip -0).",
    "EXTRA_DATA": f"{_REPACK} Self-extracting archives and archive comments are not accepted.",
    "BAD_DIRECTORY": _REPACK,
    "HEADER_MISMATCH": _REPACK,
    "OVERLAP": _REPACK,
    "ZIP64": f"{_REPACK} The size limits are far below what needs zip64.",
    "ENCRYPTED": "Pack the archive without a password.",
    "UNSUPPORTED_METHOD": "Use the methods store or deflate only.",
    "NOT_REGULAR": "Replace links and special files by ordinary files (zip without -y).",
    "NAME_ENCODING": "Use ASCII names, or a zip program that marks names as UTF-8.",
    "DUPLICATE_NAME": "Keep one of the two files.",
    "COLLIDING_NAMES": "Give the two files names that differ in more than case or Unicode form.",
    "FILE_AS_FOLDER": "Give the file or the folder another name.",
    "CORRUPT_DATA": _REPACK,
    "NO_MANIFEST": "Put manifest.json at the top of the archive: zip the files, not the folder around them.",
    "MISSING_FILE": "Add the file to the archive, or take its name out of manifest.json.",
    "DIGEST_MISMATCH": "Write the file's present digest (sha256sum FILE) into manifest.json.",
    "BAD_WEIGHTS": "Save the weights with safetensors.torch.save_file or torch.save(net.state_dict(), ...).",
}


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold; bytes, except `entries` and `ratio` (unpacked over packed size).

    `ratio` is asked only of entries above `ratio_from` bytes: small files of zeros are harmless.
    """

    packed: int = 500 * MEGABYTE
    unpacked: int = 1000 * MEGABYTE
    entries: int = 2000
    ratio: int = 200
    ratio_from: int = 100_000
    directory: int = 4 * MEGABYTE


def refusal(reason: str, sentence: str) -> InvalidArchive:
    """Build the error for one broken rule; the sentence names the entry."""
    return InvalidArchive(sentence, fix=_FIXES.get(reason, _RENAME), reason=reason)


def shown(name: str | bytes) -> str:
    """Write a stranger's file name so that it can be printed: quoted, escaped, at most 80 characters."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    return ascii(text) if len(text) <= 80 else ascii(text[:77]) + "..."
