"""Recognize PNG files that hold pixels and nothing else, so that they may be kept byte for byte."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB_8 = b"\x08\x02\x00\x00\x00"  # bits, colour type, compression, filter, no interlace


def is_bare(data: bytes, size: int) -> bool:
    """Say whether this is an 8-bit RGB PNG of `size` pixels square without any metadata or bytes of no use."""
    chunks = _chunks(data)
    names = [name for name, _ in chunks]
    if not chunks or names != [b"IHDR", *[b"IDAT"] * (len(names) - 2), b"IEND"]:
        return False
    if chunks[0][1] != struct.pack(">II", size, size) + RGB_8 or chunks[-1][1]:
        return False
    stream = zlib.decompressobj()
    expected = size * (3 * size + 1)
    try:
        pixels = stream.decompress(b"".join(content for _, content in chunks[1:-1]), expected + 1)
    except zlib.error:
        return False
    return len(pixels) == expected and stream.eof and not stream.unused_data


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return name and content of every chunk; none where the file is not made of whole chunks."""
    if not data.startswith(SIGNATURE):
        return []
    found, place = [], len(SIGNATURE)
    while place < len(data):
        head = data[place : place + 8]
        if len(head) < 8:
            return []
        length = int.from_bytes(head[:4], "big")
        content, check = data[place + 8 : place + 8 + length], data[place + 8 + length : place + 12 + length]
        if check != zlib.crc32(head[4:] + content).to_bytes(4, "big"):
            return []
        found.append((head[4:], content))
        place += 12 + length
    return found
