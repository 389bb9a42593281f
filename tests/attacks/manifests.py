"""Hostile manifests: each archive is a good one but for its manifest, and must be refused."""

import json
from collections.abc import Callable

from tests.attacks.builders import HostileArchive, good_entries, manifest
from tests.attacks.zip_writer import file, write_zip


def _text(text: bytes) -> Callable[[], bytes]:
    return lambda: write_zip([file("manifest.json", text), *good_entries()[1:]])


def _changed(**changes: object) -> Callable[[], bytes]:
    return lambda: write_zip(good_entries(**changes))


def _with_key(text: str) -> Callable[[], bytes]:
    return _text(manifest()[:-1] + text.encode() + b"}")


HOSTILE_MANIFESTS = (
    HostileArchive("nested manifest", "INVALID_MANIFEST", _text(b"[" * 20_000 + b"]" * 20_000)),
    HostileArchive("nested value", "INVALID_MANIFEST", _with_key(', "paper": ' + "[" * 50 + "]" * 50)),
    HostileArchive("key twice", "INVALID_MANIFEST", _with_key(', "format": "onnx"')),
    HostileArchive("number of 9000 digits", "INVALID_MANIFEST", _with_key(', "title": ' + "9" * 9000)),
    HostileArchive("no number", "INVALID_MANIFEST", _with_key(', "title": NaN')),
    HostileArchive("another encoding", "INVALID_MANIFEST", _text(manifest().decode().encode("utf-16"))),
    HostileArchive("lone surrogate", "INVALID_MANIFEST", _with_key(', "title": "\\ud800"')),
    HostileArchive("limits of its own", "INVALID_MANIFEST", _changed(limits={"memory_mb": 10**6})),
    HostileArchive(
        "environment of its own", "INVALID_MANIFEST", _changed(environment={"LD_PRELOAD": "x.so"})
    ),
    HostileArchive("mounts of its own", "INVALID_MANIFEST", _changed(mounts=["/:/host"])),
    HostileArchive("command for an entry", "INVALID_MANIFEST", _changed(entry="os:system('id')")),
    HostileArchive("module of the system for an entry", "MISSING_FILE", _changed(entry="os:system")),
    HostileArchive("entry above", "INVALID_MANIFEST", _changed(entry="..model:Model")),
    HostileArchive(
        "weights above",
        "INVALID_MANIFEST",
        _changed(weights=["../../w.pth"], sha256={"../../w.pth": "0" * 64}),
    ),
    HostileArchive("another runtime", "INVALID_MANIFEST", _changed(runtime="sh")),
    HostileArchive("another device", "INVALID_MANIFEST", _changed(device="/dev/mem")),
    HostileArchive("name of a path", "INVALID_MANIFEST", _changed(name="../../evil")),
    HostileArchive("list for a table", "INVALID_MANIFEST", _text(json.dumps([1, 2]).encode())),
    HostileArchive(
        "link to the old root",
        "NOT_REGULAR",
        lambda: write_zip(good_entries(file("x", b"/oldroot/tmp", mode=0o120777))),
    ),
)
