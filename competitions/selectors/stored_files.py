"""Compare what the storage holds with what the database says of it."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

from competitions.models import Artifact
from competitions.storage import copy_file


@dataclass(frozen=True)
class CheckedFile:
    """A file that a row promises; `problem` is empty where the content is right."""

    sha256: str
    kind: str
    problem: str


class _Digest(io.RawIOBase):
    """Takes a file in and keeps its digest alone."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self.sha256.update(data)
        return len(data)


def check_files() -> Iterator[CheckedFile]:
    """Read every stored file once, the newest last."""
    for artifact in Artifact.objects.order_by("pk").iterator():
        yield CheckedFile(artifact.sha256, artifact.kind, _problem(artifact.sha256))


def _problem(sha256: str) -> str:
    digest = _Digest()
    try:
        copy_file(sha256, digest)  # type: ignore[arg-type]  # it is written to, and that is all
    except FileNotFoundError:
        return "missing"
    return "" if digest.sha256.hexdigest() == sha256 else "damaged"
