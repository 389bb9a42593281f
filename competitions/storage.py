"""Where artifact files lie: by digest, in the private storage, never below a public address."""

from typing import IO

from django.core.files.base import File
from django.core.files.storage import default_storage


def artifact_name(sha256: str) -> str:
    """Return the name of the file with that digest; two levels keep folders small."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def save_file(sha256: str, size: int, content: IO[bytes]) -> None:
    """Store a file under its digest unless it is there; a shorter leftover of a crash is replaced."""
    name = artifact_name(sha256)
    if default_storage.exists(name):
        if default_storage.size(name) == size:
            return
        default_storage.delete(name)
    default_storage.save(name, File(content))


def open_file(sha256: str) -> IO[bytes]:
    """Open a stored file for reading."""
    return default_storage.open(artifact_name(sha256), "rb")
