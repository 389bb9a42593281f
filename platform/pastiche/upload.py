"""Send a large file as a form without holding it in memory: requests reads it piece by piece."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import IO

from urllib3.filepost import encode_multipart_formdata


class FileForm:
    """A multipart form with text fields and the file `archive`, as a readable body of known length."""

    def __init__(
        self,
        fields: Mapping[str, str],
        file: IO[bytes],
        size: int,
        progress: Callable[[int], None] = lambda sent: None,
    ) -> None:
        """Frame the open file of `size` bytes; `progress` is told how many bytes are sent so far."""
        marker = b"\0file\0"
        file_part: dict[str, str | tuple[str, str | bytes, str]] = {
            "archive": ("archive.zip", marker, "application/zip")
        }
        body, self.content_type = encode_multipart_formdata({**fields, **file_part})
        head, _, tail = body.rpartition(marker)
        self._parts: list[IO[bytes]] = [BytesIO(head), file, BytesIO(tail)]
        self._size = len(head) + size + len(tail)
        self._sent = 0
        self._progress = progress

    def __len__(self) -> int:
        """Return the length of the body in bytes, for the header Content-Length."""
        return self._size

    def read(self, size: int = -1) -> bytes:
        """Return the next piece, at most `size` bytes; nothing at the end."""
        while self._parts:
            piece = self._parts[0].read(size)
            if piece:
                self._sent += len(piece)
                self._progress(self._sent)
                return piece
            self._parts.pop(0)
        return b""
