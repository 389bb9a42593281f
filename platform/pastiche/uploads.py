"""Send a file in parts, each with its digest, and go on where an earlier try broke off."""

import base64
import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from pastiche.bundle import inspect
from pastiche.errors import NetworkError, PasticheError, Refused
from pastiche.reading import parse, read_all
from pastiche.responses import Room, Upload
from pastiche.transport import Progress, Transport

ARCHIVE = "archive"
MOST_FAILURES = 8  # in a row, at one part
LONGEST_PAUSE = 10.0


class Uploads:
    """The caller's uploads on the server; `pause` is the first wait, in seconds, after a failed part."""

    def __init__(self, transport: Transport, pause: float) -> None:
        """Keep the connection."""
        self._transport = transport
        self._pause = pause

    def room(self) -> Room:
        """Return how much the caller may send."""
        return parse(Room, self._transport.get("/uploads/room/", {}))

    def known(self) -> list[Upload]:
        """List the uploads that have not expired, newest first."""
        return read_all(self._transport, Upload, "/uploads/")

    def get(self, upload_id: str) -> Upload:
        """Return one upload with the offsets of what is missing."""
        return parse(Upload, self._transport.get(f"/uploads/{upload_id}/", {}))

    def delete(self, upload_id: str) -> None:
        """Throw an upload away; a submission made of it stays."""
        self._transport.delete(f"/uploads/{upload_id}/")

    def send(
        self, archive: Path, progress: Progress = lambda sent, size: None, *, kind: str = ARCHIVE
    ) -> Upload:
        """Send a file whole, or what an earlier try has left of it, and have the server compare its digest.

        `progress` is told how many bytes of how many have been sent.

        Raises:
            CheckFailed: the archive breaks a rule; nothing was sent.
            NetworkError: the line broke at one part again and again; the next try goes on from there.
        """
        fields = _announced(archive, kind)
        upload = self._begun(fields) or self._begin(fields)
        with archive.open("rb") as file:
            while upload.missing:
                upload = self._next_part(upload, file, progress)
        progress(upload.size, upload.size)
        if upload.state == "finished":
            return upload
        return parse(Upload, self._transport.post(f"/uploads/{upload.id}/finish/", {}, may_repeat=True))

    def _begun(self, fields: Mapping[str, object]) -> Upload | None:
        """Return the upload of the same bytes that an earlier try has begun."""
        names = ("kind", "sha256", "size")
        same = (row for row in self.known() if all(getattr(row, name) == fields[name] for name in names))
        return next((row for row in same if row.state in ("open", "finished")), None)

    def _begin(self, fields: Mapping[str, object]) -> Upload:
        return parse(Upload, self._transport.create("/uploads/", fields))

    def _next_part(self, upload: Upload, file: BinaryIO, progress: Progress) -> Upload:
        """Send one part; after a failure ask first whether it has arrived all the same."""
        offset = upload.missing[0]
        for failures in range(1, MOST_FAILURES + 1):
            try:
                return self._put(upload, offset, file, progress)
            except (NetworkError, Refused) as error:
                if failures == MOST_FAILURES or not _is_passing(error):
                    raise
            time.sleep(min(LONGEST_PAUSE, self._pause * 2 ** (failures - 1)))
            upload = self.get(upload.id)
            if offset not in upload.missing:
                break
        return upload

    def _put(self, upload: Upload, offset: int, file: BinaryIO, progress: Progress) -> Upload:
        file.seek(offset)
        content = file.read(upload.part_bytes)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        part = _Part(content, lambda sent: progress(min(upload.size, upload.received + sent), upload.size))
        path = f"/uploads/{upload.id}/parts/{offset}/"
        return parse(Upload, self._transport.put(path, part, f"sha-256=:{digest}:"))


class _Part(io.BytesIO):
    """A request body that tells how much of it was taken."""

    def __init__(self, content: bytes, taken: Callable[[int], object]) -> None:
        super().__init__(content)
        self._taken = taken

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._taken(self.tell())
        return piece


def _announced(path: Path, kind: str) -> dict[str, object]:
    """Return what is told of a file before it is sent; an archive is checked first."""
    if kind == ARCHIVE:
        info = inspect(path)
        manifest = json.loads(info.manifest.to_json())
        return {"kind": kind, "size": info.size, "sha256": info.sha256, "manifest": manifest}
    return {"kind": kind, "size": path.stat().st_size, "sha256": digest_of(path)}


def digest_of(path: Path) -> str:
    """Return the SHA-256 digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_passing(error: PasticheError) -> bool:
    """Say whether a repetition may help: the line broke, or the part was damaged on the way."""
    return isinstance(error, NetworkError) or error.code == "PART_REFUSED"
