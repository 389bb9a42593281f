"""Write zip files byte by byte, so that each field can be made to lie."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

UTF8 = 0x0800
DESCRIPTOR = 0x0008


@dataclass(frozen=True)
class Entry:
    """One entry; a field that is None is filled in honestly, `local_*` speaks in the local header only."""

    name: bytes
    data: bytes = b""
    method: int = 0
    flags: int = UTF8
    mode: int = 0o100644
    system: int = 3
    dos: int = 0
    crc: int | None = None
    size: int | None = None
    packed: int | None = None
    extra: bytes = b""
    offset: int | None = None
    disk: int = 0
    raw: bytes | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    local_method: int | None = None
    local_extra: bytes = b""
    local_signature: bytes = b"PK\x03\x04"
    descriptor: bytes = b""


def file(name: str, data: bytes = b"", **fields: object) -> Entry:
    """Describe an entry by its text name."""
    return Entry(name.encode(), data, **fields)  # type: ignore[arg-type]


def deflate(data: bytes) -> bytes:
    """Pack data as a raw deflate stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def write_zip(
    entries: Sequence[Entry],
    *,
    prefix: bytes = b"",
    between: bytes = b"",
    suffix: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
    disk: int = 0,
    directory_offset: int | None = None,
    directory_length: int | None = None,
) -> bytes:
    """Write local headers and data, `between`, the central directory and the end record."""
    body = bytearray(prefix)
    central = bytearray()
    for entry in entries:
        offset = len(body) if entry.offset is None else entry.offset
        body += _local(entry)
        central += _central(entry, offset)
    body += between
    start = len(body) if directory_offset is None else directory_offset
    length = len(central) if directory_length is None else directory_length
    number = len(entries) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", disk, disk, number, number, length, start, len(comment))
    return bytes(body + central + end + comment + suffix)


def _payload(entry: Entry) -> bytes:
    if entry.raw is not None:
        return entry.raw
    return deflate(entry.data) if entry.method == 8 else entry.data


def _numbers(entry: Entry) -> tuple[int, int, int]:
    crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
    packed = len(_payload(entry)) if entry.packed is None else entry.packed
    return crc, packed, len(entry.data) if entry.size is None else entry.size


def _local(entry: Entry) -> bytes:
    crc, packed, size = _numbers(entry)
    if entry.flags & DESCRIPTOR:
        crc = packed = size = 0
    size = size if entry.local_size is None else entry.local_size
    method = entry.method if entry.local_method is None else entry.local_method
    name = entry.name if entry.local_name is None else entry.local_name
    header = struct.pack(
        "<4s5H3L2H",
        *(entry.local_signature, 20, entry.flags, method, 0, 33, crc, packed, size),
        *(len(name), len(entry.local_extra)),
    )
    return header + name + entry.local_extra + _payload(entry) + entry.descriptor


def _central(entry: Entry, offset: int) -> bytes:
    crc, packed, size = _numbers(entry)
    header = struct.pack(
        "<4s6H3L5H2L",
        *(b"PK\x01\x02", entry.system << 8 | 20, 20, entry.flags, entry.method, 0, 33, crc, packed, size),
        *(len(entry.name), len(entry.extra), 0, entry.disk, 0, entry.mode << 16 | entry.dos, offset),
    )
    return header + entry.name + entry.extra
