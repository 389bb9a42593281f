"""Hostile submission archives as data: a name, the reason for which each must be refused, and its bytes.

Each one is a good archive but for the one thing that its name says.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable
from typing import Any

from tests.attacks.builders import HostileArchive, good_entries, safetensors, with_weights
from tests.attacks.manifests import HOSTILE_MANIFESTS
from tests.attacks.zip_writer import DESCRIPTOR, UTF8, Entry, deflate, file, write_zip


def _named(name: str, **fields: Any) -> Callable[[], bytes]:
    return lambda: write_zip(good_entries(file(name, b"x", **fields)))


def _names(*names: str) -> Callable[[], bytes]:
    return lambda: write_zip(good_entries(*map(_plain, names)))


def _plain(name: str) -> Entry:
    return file(name, mode=0o040755) if name.endswith("/") else file(name, b"x")


def _entry(*entries: Entry, **options: Any) -> Callable[[], bytes]:
    return lambda: write_zip(good_entries(*entries), **options)


def _bytes_of(size: int) -> bytes:
    return hashlib.shake_128(b"noise").digest(size)


def _overlapping() -> bytes:
    """Two directory entries that point at one local header, as in the better zip bombs."""
    return write_zip(good_entries(file("manifest2.json", b"x", offset=0)))


def _nested_data() -> bytes:
    """An entry whose data hold the whole of another entry that the directory lists as well."""
    inner = write_zip([file("inner.txt", b"hidden")])
    local = inner[: inner.index(b"PK\x01\x02")]
    entries = good_entries(file("outer.bin", local))
    place = write_zip(entries).index(local)
    return write_zip([*entries, file("inner.txt", b"hidden", offset=place)])


def _bomb() -> bytes:
    data = bytes(20_000_000)
    return write_zip(good_entries(file("bomb.bin", data, method=8)))


def _lying_bomb() -> bytes:
    """A stream of 20 MB whose headers promise 1000 bytes."""
    data = bytes(20_000_000)
    return write_zip(good_entries(file("bomb.bin", data, method=8, size=1000, crc=zlib.crc32(data[:1000]))))


def _bad_safetensors(header: object, buffer: bytes = b"") -> Callable[[], bytes]:
    return lambda: with_weights("w.safetensors", safetensors(header, buffer))


_F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
_AES = struct.pack("<HH7s", 0x9901, 7, b"\x02\x00AE\x03\x00\x00")
_ZIP64 = struct.pack("<HHQQ", 1, 16, 1, 1)
_UNICODE_PATH = struct.pack("<HHBL", 0x7075, 8, 1, 0) + b"abc"

HOSTILE_NAMES = (
    HostileArchive("parent folder", "PATH_TRAVERSAL", _named("../evil.py")),
    HostileArchive("parent folder inside", "PATH_TRAVERSAL", _named("a/../../evil.py")),
    HostileArchive("dot part", "PATH_TRAVERSAL", _named("./model2.py")),
    HostileArchive("empty part", "PATH_TRAVERSAL", _named("a//b.py")),
    HostileArchive("two slashes at the end", "PATH_TRAVERSAL", _names("a//")),
    HostileArchive("absolute path", "ABSOLUTE_PATH", _named("/tmp/evil.py")),
    HostileArchive("drive letter", "ABSOLUTE_PATH", _named("C:/evil.py")),
    HostileArchive("relative drive", "ABSOLUTE_PATH", _named("C:evil.py")),
    HostileArchive("backslash", "BACKSLASH", _named("..\\evil.py")),
    HostileArchive("network share", "BACKSLASH", _named("\\\\host\\share\\evil")),
    HostileArchive("null byte", "CONTROL_CHARACTER", _named("model.py\0.txt")),
    HostileArchive("newline", "CONTROL_CHARACTER", _named("a\nb")),
    HostileArchive("escape sequence", "CONTROL_CHARACTER", _named("\x1b[2Ja")),
    HostileArchive("right-to-left mark", "CONTROL_CHARACTER", _named("gnp.\u202eyp")),
    HostileArchive("zero-width space", "CONTROL_CHARACTER", _named("mod\u200bel.py")),
    HostileArchive("long name", "NAME_TOO_LONG", _named("a" * 5000)),
    HostileArchive("long part", "NAME_TOO_LONG", _named("a" * 121)),
    HostileArchive("long path", "NAME_TOO_LONG", _named("/".join(["a" * 60] * 5))),
    HostileArchive("depth 400", "TOO_DEEP", _named("/".join("a" * 100))),
    HostileArchive("depth 9", "TOO_DEEP", _named("a/a/a/a/a/a/a/a/b")),
    HostileArchive("empty name", "EMPTY_NAME", _named("")),
    HostileArchive("only a slash", "EMPTY_NAME", _names("/")),
    HostileArchive("alternate stream", "UNSAFE_NAME", _named("model.py:evil")),
    HostileArchive("device name", "UNSAFE_NAME", _named("a/NUL.txt")),
    HostileArchive("dot at the end", "UNSAFE_NAME", _named("a./b")),
    HostileArchive("space at the end", "UNSAFE_NAME", _named("a /b")),
    HostileArchive("not UTF-8", "NAME_ENCODING", _entry(Entry(b"\xff\xfe.py", b"x"))),
    HostileArchive("unmarked encoding", "NAME_ENCODING", _entry(Entry("é.py".encode(), b"x", flags=0))),
    HostileArchive("same name twice", "DUPLICATE_NAME", _names("a.txt", "a.txt")),
    HostileArchive("two manifests", "DUPLICATE_NAME", _names("manifest.json")),
    HostileArchive("folder twice", "DUPLICATE_NAME", _names("a/", "a/")),
    HostileArchive("names differ in case", "COLLIDING_NAMES", _names("a.txt", "A.TXT")),
    HostileArchive("folders differ in case", "COLLIDING_NAMES", _names("dir/a", "Dir/b")),
    HostileArchive("manifest in capitals", "COLLIDING_NAMES", _names("Manifest.json")),
    HostileArchive("composed and decomposed", "COLLIDING_NAMES", _names("\u00e9.txt", "e\u0301.txt")),
    HostileArchive("full-width letters", "COLLIDING_NAMES", _names("\uff41.txt", "a.txt")),
    HostileArchive("sharp s", "COLLIDING_NAMES", _names("stra\u00dfe.txt", "strasse.txt")),
    HostileArchive("file as folder", "FILE_AS_FOLDER", _names("a", "a/b")),
    HostileArchive("folder as file", "FILE_AS_FOLDER", _names("a/b", "a")),
)

HOSTILE_ENTRIES = (
    HostileArchive("symbolic link", "NOT_REGULAR", _entry(file("link", b"/etc/passwd", mode=0o120777))),
    HostileArchive(
        "link through", "NOT_REGULAR", _entry(file("d", b"/tmp", mode=0o120777), file("d/x", b"x"))
    ),
    HostileArchive("link from DOS", "NOT_REGULAR", _named("link", mode=0o120777, system=0)),
    HostileArchive("fifo", "NOT_REGULAR", _named("fifo", mode=0o010644)),
    HostileArchive("socket", "NOT_REGULAR", _named("socket", mode=0o140644)),
    HostileArchive("character device", "NOT_REGULAR", _named("tty", mode=0o020666)),
    HostileArchive("block device", "NOT_REGULAR", _named("disk", mode=0o060666)),
    HostileArchive("set-user-id", "NOT_REGULAR", _named("su", mode=0o104755)),
    HostileArchive("set-group-id", "NOT_REGULAR", _named("sg", mode=0o102755)),
    HostileArchive("folder mode on a file", "NOT_REGULAR", _named("d", mode=0o040755)),
    HostileArchive("folder bit on a file", "NOT_REGULAR", _named("d", dos=0x10)),
    HostileArchive("folder with content", "NOT_REGULAR", _named("d/", mode=0o040755)),
    HostileArchive("encrypted", "ENCRYPTED", _named("x", flags=UTF8 | 1)),
    HostileArchive("strongly encrypted", "ENCRYPTED", _named("x", flags=UTF8 | 0x40)),
    HostileArchive("masked directory", "ENCRYPTED", _named("x", flags=UTF8 | 0x2000)),
    HostileArchive("AES field", "ENCRYPTED", _named("x", extra=_AES)),
    HostileArchive("bzip2", "UNSUPPORTED_METHOD", _named("x", method=12)),
    HostileArchive("LZMA", "UNSUPPORTED_METHOD", _named("x", method=14)),
    HostileArchive("patch data", "UNSUPPORTED_METHOD", _named("x", flags=UTF8 | 0x20)),
    HostileArchive("zip64 field", "ZIP64", _named("x", extra=_ZIP64)),
    HostileArchive("local zip64 field", "ZIP64", _named("x", local_extra=_ZIP64)),
    HostileArchive("zip64 size", "ZIP64", _named("x", size=0xFFFFFFFF)),
    HostileArchive("zip64 end", "ZIP64", _entry(count=0xFFFF)),
    HostileArchive("second name in a field", "HEADER_MISMATCH", _named("x", extra=_UNICODE_PATH)),
    HostileArchive("broken extra field", "BAD_DIRECTORY", _named("x", extra=b"\x55\x54\xff\x00\x01")),
    HostileArchive("other local name", "HEADER_MISMATCH", _named("x", local_name=b"../x")),
    HostileArchive("other local size", "HEADER_MISMATCH", _named("x", local_size=9)),
    HostileArchive("other local method", "HEADER_MISMATCH", _named("x", local_method=8)),
    HostileArchive("stored with two sizes", "HEADER_MISMATCH", _named("x", size=5)),
    HostileArchive("no local header", "HEADER_MISMATCH", _named("x", local_signature=b"PK\0\0")),
    HostileArchive(
        "wrong data descriptor",
        "HEADER_MISMATCH",
        _named("x", flags=UTF8 | DESCRIPTOR, descriptor=b"PK\x07\x08" + bytes(12)),
    ),
    HostileArchive("missing data descriptor", "HEADER_MISMATCH", _named("x", flags=UTF8 | DESCRIPTOR)),
)

HOSTILE_STRUCTURE = (
    HostileArchive("empty file", "NOT_A_ZIP", lambda: b""),
    HostileArchive("text", "NOT_A_ZIP", lambda: b"this is no zip file at all, but long enough to be one"),
    HostileArchive("gzip", "NOT_A_ZIP", lambda: b"\x1f\x8b\x08" + bytes(100)),
    HostileArchive("cut off", "EXTRA_DATA", lambda: write_zip(good_entries())[:-30]),
    HostileArchive("self-extracting", "NOT_A_ZIP", _entry(prefix=b"#!/bin/sh\n")),
    HostileArchive("entry before the first", "EXTRA_DATA", _entry(prefix=b"PK\x03\x04" + bytes(26))),
    HostileArchive("trailing data", "EXTRA_DATA", _entry(suffix=b"evil")),
    HostileArchive("comment", "EXTRA_DATA", _entry(comment=b"evil")),
    HostileArchive("second end record", "EXTRA_DATA", _entry(suffix=write_zip([]))),
    HostileArchive("data before the directory", "EXTRA_DATA", _entry(between=b"evil")),
    HostileArchive("several disks", "BAD_DIRECTORY", _entry(disk=1)),
    HostileArchive("entry on another disk", "BAD_DIRECTORY", _named("x", disk=1)),
    HostileArchive("too few entries counted", "BAD_DIRECTORY", _entry(count=1)),
    HostileArchive("too many entries counted", "BAD_DIRECTORY", _entry(count=3)),
    HostileArchive("directory elsewhere", "EXTRA_DATA", _entry(directory_offset=0)),
    HostileArchive("directory too long", "EXTRA_DATA", _entry(directory_length=1000)),
    HostileArchive("overlapping entries", "OVERLAP", _overlapping),
    HostileArchive("entry inside an entry", "OVERLAP", _nested_data),
    HostileArchive(
        "data past the directory", "OVERLAP", _entry(file("x", b"x", method=8, packed=5000, size=1))
    ),
    HostileArchive("50 000 entries", "TOO_MANY_ENTRIES", lambda: write_zip([file("x")] * 50_000)),
    HostileArchive("2001 entries", "TOO_MANY_ENTRIES", _names(*(f"f{i}" for i in range(1999)))),
)

HOSTILE_CONTENT = (
    HostileArchive("bomb", "COMPRESSION_RATIO", _bomb),
    HostileArchive("bomb with a small promise", "CORRUPT_DATA", _lying_bomb),
    HostileArchive("two gigabytes promised", "TOO_LARGE", _named("x", method=8, size=2_000_000_000)),
    HostileArchive(
        "two gigabytes in parts",
        "TOO_LARGE",
        _entry(*(file(f"x{i}", b"x", method=8, size=500_000_000) for i in range(4))),
    ),
    HostileArchive("wrong checksum", "CORRUPT_DATA", _named("x", crc=1)),
    HostileArchive("wrong packed checksum", "CORRUPT_DATA", _named("x", crc=1, method=8)),
    HostileArchive("more promised than packed", "CORRUPT_DATA", _named("x", method=8, size=90)),
    HostileArchive("broken stream", "CORRUPT_DATA", _named("x", method=8, raw=b"\xff" * 40)),
    HostileArchive(
        "stream cut off", "CORRUPT_DATA", _named("x", method=8, raw=deflate(_bytes_of(900))[:500])
    ),
    HostileArchive(
        "data behind the stream", "CORRUPT_DATA", _named("x", method=8, raw=deflate(b"x") + b"evil")
    ),
    HostileArchive("no entries", "NO_MANIFEST", lambda: write_zip([])),
    HostileArchive("no manifest", "NO_MANIFEST", lambda: write_zip(good_entries()[1:])),
    HostileArchive(
        "folder around the files",
        "NO_MANIFEST",
        lambda: write_zip([file(f"bundle/{e.name.decode()}", e.data) for e in good_entries()]),
    ),
    HostileArchive(
        "manifest is a folder",
        "NO_MANIFEST",
        lambda: write_zip([file("manifest.json/", mode=0o040755), *good_entries()[1:]]),
    ),
    HostileArchive("huge manifest", "TOO_LARGE", lambda: write_zip(good_entries(description="x" * 70_000))),
    HostileArchive("unknown key", "INVALID_MANIFEST", lambda: write_zip(good_entries(network=True))),
    HostileArchive("no entry file", "MISSING_FILE", lambda: write_zip(good_entries()[:1])),
    HostileArchive(
        "no onnx file",
        "MISSING_FILE",
        lambda: write_zip(
            good_entries(
                format="onnx", entry="a.onnx", io={"dtype": "uint8", "layout": "NCHW", "max_side": 64}
            )
        ),
    ),
    HostileArchive(
        "no weights",
        "MISSING_FILE",
        lambda: write_zip(good_entries(weights=["w.pth"], sha256={"w.pth": "0" * 64})),
    ),
    HostileArchive(
        "digest of a missing file", "MISSING_FILE", lambda: write_zip(good_entries(sha256={"b": "0" * 64}))
    ),
    HostileArchive(
        "wrong digest", "DIGEST_MISMATCH", lambda: write_zip(good_entries(sha256={"model.py": "0" * 64}))
    ),
)

HOSTILE_WEIGHTS = (
    HostileArchive(
        "weights without digest", "INVALID_MANIFEST", lambda: write_zip(good_entries(weights=["w.pth"]))
    ),
    HostileArchive("pickled weights", "INVALID_MANIFEST", lambda: with_weights("w.pkl", b"\x80\x04N.")),
    HostileArchive("exported program", "INVALID_MANIFEST", lambda: with_weights("w.pt2", b"PK")),
    HostileArchive(
        "bare pickle", "BAD_WEIGHTS", lambda: with_weights("w.pth", b"\x80\x04cos\nsystem\n." + bytes(30))
    ),
    HostileArchive(
        "TorchScript program",
        "BAD_WEIGHTS",
        lambda: with_weights(
            "w.pth", write_zip([file("w/data.pkl"), file("w/code/m.py"), file("w/constants.pkl")])
        ),
    ),
    HostileArchive(
        "renamed exported program",
        "BAD_WEIGHTS",
        lambda: with_weights("w.pth", write_zip([file("w/data.pkl"), file("w/archive_format")])),
    ),
    HostileArchive(
        "zip without data.pkl", "BAD_WEIGHTS", lambda: with_weights("w.pth", write_zip([file("w/a")]))
    ),
    HostileArchive("empty weights", "BAD_WEIGHTS", lambda: with_weights("w.safetensors", b"")),
    HostileArchive(
        "header past the end",
        "BAD_WEIGHTS",
        lambda: with_weights("w.safetensors", struct.pack("<Q", 2**60) + b"{}"),
    ),
    HostileArchive("header is a list", "BAD_WEIGHTS", _bad_safetensors([])),
    HostileArchive(
        "header is text", "BAD_WEIGHTS", lambda: with_weights("w.safetensors", struct.pack("<Q", 3) + b"abc")
    ),
    HostileArchive("tensor past the end", "BAD_WEIGHTS", _bad_safetensors({"a": _F32})),
    HostileArchive("data behind the tensors", "BAD_WEIGHTS", _bad_safetensors({"a": _F32}, bytes(9))),
    HostileArchive("overlapping tensors", "BAD_WEIGHTS", _bad_safetensors({"a": _F32, "b": _F32}, bytes(8))),
    HostileArchive(
        "shape too large", "BAD_WEIGHTS", _bad_safetensors({"a": _F32 | {"shape": [99]}}, bytes(8))
    ),
    HostileArchive(
        "negative shape", "BAD_WEIGHTS", _bad_safetensors({"a": _F32 | {"shape": [-1, -2]}}, bytes(8))
    ),
    HostileArchive("unknown dtype", "BAD_WEIGHTS", _bad_safetensors({"a": _F32 | {"dtype": "P8"}}, bytes(8))),
    HostileArchive("dtype is a list", "BAD_WEIGHTS", _bad_safetensors({"a": _F32 | {"dtype": []}}, bytes(8))),
    HostileArchive("metadata with numbers", "BAD_WEIGHTS", _bad_safetensors({"__metadata__": {"a": 1}})),
    HostileArchive(
        "hidden code in undeclared weights",
        "BAD_WEIGHTS",
        _entry(file("other.safetensors", b"\x80\x04cos\nsystem\n." + bytes(30))),
    ),
)

HOSTILE_ARCHIVES = (
    *HOSTILE_NAMES,
    *HOSTILE_ENTRIES,
    *HOSTILE_STRUCTURE,
    *HOSTILE_CONTENT,
    *HOSTILE_WEIGHTS,
    *HOSTILE_MANIFESTS,
)
