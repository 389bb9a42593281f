"""Read the structure of a zip file: one strict reading, where zip programs allow several.

The file must consist of its entries one after another from the first byte, then the central directory,
then the end record, and of nothing else. So no entries overlap and nothing is hidden between them.
Zip64 is refused (the size limits make it needless), and so are prepended data, comments and trailing data.
"""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from evaluation.zips.rules import ArchiveLimits, refusal, shown

STORED = 0
DEFLATED = 8

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_DESCRIPTOR = 0x0008
_UTF8 = 0x0800
_ALLOWED_FLAGS = 0x0006 | _DESCRIPTOR | _UTF8
_BAD_EXTRAS = {
    0x0001: ("ZIP64", "uses zip64"),
    0x7075: ("HEADER_MISMATCH", "carries a second name in an extra field"),
    0x9901: ("ENCRYPTED", "is encrypted"),
}


@dataclass(frozen=True)
class ZipEntry:
    """One file or folder as both of its headers tell it; `data` is the offset of its packed bytes."""

    name: str
    is_folder: bool
    method: int
    crc: int
    packed: int
    size: int
    data: int


@dataclass(frozen=True)
class _Central:
    raw_name: bytes
    system: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    extra: bytes
    offset: int


def read_directory(file: BinaryIO, size: int, limits: ArchiveLimits) -> tuple[ZipEntry, ...]:
    """Read all entries of a zip file of `size` bytes in the order of their data; names are not judged here.

    Raises:
        InvalidArchive: the structure departs from the one accepted reading.
    """
    count, start, length = _end_record(file, size, limits)
    file.seek(start)
    records = sorted(_central_records(file.read(length), count), key=lambda record: record.offset)
    entries = []
    position = 0
    for record in records:
        if record.offset != position:
            reason = "OVERLAP" if record.offset < position else "EXTRA_DATA"
            raise refusal(reason, f"{shown(record.raw_name)} does not begin where the entry before it ends.")
        entry, position = _entry(file, record, start)
        entries.append(entry)
    if position != start:
        reason = "OVERLAP" if position > start else "EXTRA_DATA"
        raise refusal(reason, "The central directory does not begin where the last entry ends.")
    return tuple(entries)


def count_files(file: BinaryIO, size: int, limits: ArchiveLimits) -> tuple[int, int]:
    """Count the files that the central directory names, and their bytes; what is before it is not looked at.

    Raises:
        InvalidArchive: there is no such directory, or it is broken.
    """
    count, start, length = _end_record(file, size, limits)
    file.seek(start)
    files = [one for one in _central_records(file.read(length), count) if not one.raw_name.endswith(b"/")]
    return len(files), sum(one.size for one in files)


def read_names(file: IO[bytes], size: int, limit: int) -> list[str]:
    """List the names in the central directory of a zip inside an archive, without judging anything else.

    Raises:
        InvalidArchive: no end record, or a directory that is broken or longer than `limit` bytes.
    """
    file.seek(max(0, size - _END.size))
    end = file.read(_END.size)
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise refusal("NOT_A_ZIP", "There is no end record.")
    count, length, start = _END.unpack(end)[4:7]
    if length > limit or start > size:
        raise refusal("BAD_DIRECTORY", f"The central directory takes {length} bytes.")
    file.seek(start)
    records = _central_records(file.read(length), count)
    return [record.raw_name.decode("utf-8", "replace") for record in records]


def _end_record(file: BinaryIO, size: int, limits: ArchiveLimits) -> tuple[int, int, int]:
    if size < _END.size:
        raise refusal("NOT_A_ZIP", "The file is too short to be a zip file.")
    file.seek(0)
    if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise refusal("NOT_A_ZIP", "The file does not begin like a zip file.")
    file.seek(size - _END.size)
    signature, disk, first, here, count, length, start, comment = _END.unpack(file.read(_END.size))
    if signature != b"PK\x05\x06" or comment:
        raise refusal(
            "EXTRA_DATA", "The file does not end with a zip end record (cut off, or data behind it)."
        )
    if 0xFFFF in (disk, first, here, count) or 0xFFFFFFFF in (length, start):
        raise refusal("ZIP64", "The archive uses zip64.")
    if disk or first or here != count:
        raise refusal("BAD_DIRECTORY", "The archive is one part of several.")
    if count > limits.entries:
        raise refusal(
            "TOO_MANY_ENTRIES", f"The archive has {count} entries; at most {limits.entries} may be."
        )
    if length > limits.directory:
        raise refusal("BAD_DIRECTORY", f"The central directory takes {length} bytes.")
    if start + length != size - _END.size:
        raise refusal("EXTRA_DATA", "The central directory does not lie just before the end record.")
    return count, start, length


def _central_records(data: bytes, count: int) -> Iterator[_Central]:
    position = 0
    for number in range(1, count + 1):
        if len(data) - position < _CENTRAL.size or data[position : position + 4] != b"PK\x01\x02":
            raise refusal("BAD_DIRECTORY", f"Entry {number} of {count} is missing in the central directory.")
        made, _, flags, method, _, _, crc, packed, size, *rest = _CENTRAL.unpack_from(data, position)[1:]
        name_length, extra_length, comment_length, disk, _, attributes, offset = rest
        name_end = position + _CENTRAL.size + name_length
        end = name_end + extra_length + comment_length
        raw_name = data[position + _CENTRAL.size : name_end]
        if end > len(data) or disk:
            raise refusal("BAD_DIRECTORY", f"{shown(raw_name)} has a broken directory entry.")
        if 0xFFFFFFFF in (packed, size, offset):
            raise refusal("ZIP64", f"{shown(raw_name)} uses zip64.")
        extra = data[name_end : name_end + extra_length]
        yield _Central(raw_name, made >> 8, flags, method, crc, packed, size, attributes, extra, offset)
        position = end
    if position != len(data):
        raise refusal("BAD_DIRECTORY", f"The central directory holds more than its {count} entries.")


def _entry(file: BinaryIO, record: _Central, limit: int) -> tuple[ZipEntry, int]:
    name = _decode(record)
    _check_record(record, name)
    file.seek(record.offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise refusal("HEADER_MISMATCH", f"{shown(name)} has no local header.")
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(header)
    raw_name, extra = file.read(name_length), file.read(extra_length)
    sizes = (crc, packed, size)
    known = (record.crc, record.packed, record.size)
    promised = flags & _DESCRIPTOR and sizes == (0, 0, 0)
    if (raw_name, flags, method) != (record.raw_name, record.flags, record.method) or (
        sizes != known and not promised
    ):
        raise refusal("HEADER_MISMATCH", f"{shown(name)} is described differently by its two headers.")
    _check_extra(extra, name)
    data = record.offset + _LOCAL.size + name_length + extra_length
    end = data + record.packed
    if end > limit:
        raise refusal("OVERLAP", f"{shown(name)} reaches into the central directory.")
    if flags & _DESCRIPTOR:
        end += _descriptor_length(file, end, known, name)
    plain = name.removesuffix("/")
    return ZipEntry(plain, plain != name, method, record.crc, record.packed, record.size, data), end


def _decode(record: _Central) -> str:
    try:
        return record.raw_name.decode("utf-8" if record.flags & _UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise refusal(
            "NAME_ENCODING", f"The name {shown(record.raw_name)} is neither ASCII nor marked as UTF-8."
        ) from error


def _check_record(record: _Central, name: str) -> None:
    if record.flags & _ENCRYPTED:
        raise refusal("ENCRYPTED", f"{shown(name)} is encrypted.")
    if record.method not in (STORED, DEFLATED) or record.flags & ~_ALLOWED_FLAGS:
        raise refusal(
            "UNSUPPORTED_METHOD", f"{shown(name)} is packed by a method other than store and deflate."
        )
    if record.method == STORED and record.packed != record.size:
        raise refusal("HEADER_MISMATCH", f"{shown(name)} is stored, but its two sizes differ.")
    _check_extra(record.extra, name)
    mode = record.attributes >> 16
    is_folder = name.endswith("/")
    expected = stat.S_IFDIR if is_folder else stat.S_IFREG
    if stat.S_IFMT(mode) not in (0, expected) or mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        raise refusal("NOT_REGULAR", f"{shown(name)} is a link, a device, or has a special mode.")
    if record.attributes & 0x10 and not is_folder or is_folder and (record.size or record.packed > 2):
        raise refusal("NOT_REGULAR", f"{shown(name)} is a file and a folder at once.")


def _check_extra(extra: bytes, name: str) -> None:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind in _BAD_EXTRAS:
            reason, problem = _BAD_EXTRAS[kind]
            raise refusal(reason, f"{shown(name)} {problem}.")
        position += 4 + length
    if position > len(extra):
        raise refusal("BAD_DIRECTORY", f"{shown(name)} has a broken extra field.")


def _descriptor_length(file: BinaryIO, offset: int, known: tuple[int, int, int], name: str) -> int:
    expected = struct.pack("<3L", *known)
    file.seek(offset)
    found = file.read(16)
    if found == b"PK\x07\x08" + expected:
        return 16
    if found[:12] == expected:
        return 12
    raise refusal(
        "HEADER_MISMATCH", f"{shown(name)} has a data descriptor that disagrees with the directory."
    )
