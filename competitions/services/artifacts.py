"""Store files by their content."""

import hashlib
from pathlib import Path
from typing import IO

from competitions.models import Artifact
from competitions.storage import save_file

CHUNK = 2**20


def store_file(*, kind: Artifact.Kind, content: IO[bytes]) -> Artifact:
    """Store an open binary file and return its row; equal files share one row."""
    digest, size = hashlib.sha256(), 0
    content.seek(0)
    while chunk := content.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    sha256 = digest.hexdigest()
    content.seek(0)
    # Outputs are many, come while a generator waits, and can be made again.
    save_file(sha256, size, content, is_durable=kind != Artifact.Kind.OUTPUT)
    return Artifact.objects.get_or_create(sha256=sha256, defaults={"size": size, "kind": kind})[0]


def store_path(*, kind: Artifact.Kind, path: Path) -> Artifact:
    """Store the file at a path and return its row."""
    with path.open("rb") as content:
        return store_file(kind=kind, content=content)
