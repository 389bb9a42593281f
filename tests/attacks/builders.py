"""Build submission archives for attacks: a good one, and ways to make it a bad one."""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.attacks.zip_writer import Entry, file, write_zip


@dataclass(frozen=True)
class HostileArchive:
    """One archive to refuse: `reason` is the `InvalidArchive.reason`, `build` makes the bytes."""

    name: str
    reason: str
    build: Callable[[], bytes]


def manifest(**changes: Any) -> bytes:
    """Write a good manifest of a Python generator, with changes."""
    fields = {
        "schema": 1,
        "name": "plain-copy",
        "version": "1.0",
        "format": "python",
        "entry": "model:Model",
        "runtime": "py311-torch215",
        "io": {"dtype": "uint8", "layout": "HWC", "max_side": 512, "same_size": True},
        "license": "MIT",
    }
    return json.dumps(fields | changes).encode()


def good_entries(*more: Entry, **changes: Any) -> list[Entry]:
    """List the entries of a good archive, then `more`; `changes` go into the manifest."""
    code = b"class Model:\n    def stylize(self, content, style):\n        return content\n"
    return [file("manifest.json", manifest(**changes)), file("model.py", code), *more]


def with_weights(name: str, data: bytes) -> bytes:
    """Build an archive that lists one weight file with its right digest."""
    digest = hashlib.sha256(data).hexdigest()
    return write_zip(good_entries(file(name, data), weights=[name], sha256={name: digest}))


def safetensors(header: object, buffer: bytes = b"") -> bytes:
    """Write a .safetensors file with this header, honest or not."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + buffer
