"""Read the content of one zip entry in pieces, never more than its headers promise."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from evaluation.zips.directory import STORED, ZipEntry
from evaluation.zips.rules import refusal, shown

PIECE = 1 << 18


def read_content(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file entry.

    Raises:
        InvalidArchive: more or fewer bytes than promised, a wrong checksum, a broken or overlong stream.
    """
    pieces = _packed(file, entry) if entry.method == STORED else _inflated(file, entry)
    crc = 0
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > entry.size:
            raise refusal("CORRUPT_DATA", f"{shown(entry.name)} unpacks to more than its {entry.size} bytes.")
        crc = zlib.crc32(piece, crc)
        yield piece
    if total != entry.size or crc != entry.crc:
        raise refusal(
            "CORRUPT_DATA", f"{shown(entry.name)} does not have the size and checksum of its header."
        )


def _packed(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    position = entry.data
    end = entry.data + entry.packed
    while position < end:
        file.seek(position)
        piece = file.read(min(PIECE, end - position))
        if not piece:
            raise refusal("CORRUPT_DATA", f"{shown(entry.name)} is cut off.")
        position += len(piece)
        yield piece


def _inflated(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in _packed(file, entry):
            while piece:
                yield stream.decompress(piece, PIECE)
                if stream.eof and stream.unused_data:
                    raise refusal("CORRUPT_DATA", f"{shown(entry.name)} has data behind its packed stream.")
                piece = stream.unconsumed_tail
        while not stream.eof and (rest := stream.decompress(b"", PIECE)):
            yield rest
    except zlib.error as error:
        raise refusal("CORRUPT_DATA", f"{shown(entry.name)} cannot be unpacked.") from error
    if not stream.eof:
        raise refusal("CORRUPT_DATA", f"{shown(entry.name)} is cut off.")
