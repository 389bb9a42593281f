"""Read uploads: what has arrived, what is missing, how much room their owner has left, and their content."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, cast
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import Now

from accounts.models import User
from competitions.errors import NotFound, UploadClosed, WrongKind
from competitions.models import Upload, UploadPart
from competitions.parts import PART_BYTES, missing_parts
from competitions.storage import open_as

HOURS = 48  # that an upload lives
LARGEST_AT_ONCE = 4  # archives of the largest size that a user may have under way
MOST_AT_ONCE = 50  # uploads, however small
NOT_THERE = "There is no such upload, it has expired, or it is not yours."


@dataclass(frozen=True)
class UploadView:
    """An upload as its owner sees it; `missing` are the offsets of the parts that have not arrived."""

    id: UUID
    kind: str
    state: str
    name: str
    size: int
    sha256: str
    received: int
    missing: tuple[int, ...]
    part_bytes: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class RoomView:
    """How many bytes a user may have under way, and how large one file may be."""

    limit: int
    used: int
    left: int
    largest: int
    part_bytes: int
    hours: int


def live_uploads(user: User) -> QuerySet[Upload]:
    """Uploads of the user that take room: open or finished, and not expired."""
    states = (Upload.State.OPEN, Upload.State.FINISHED)
    return Upload.objects.filter(user=user, state__in=states, expires_at__gt=Now())


def known_uploads(user: User) -> QuerySet[Upload]:
    """Uploads of the user that can be looked at: those alive, and those that were rejected lately."""
    return Upload.objects.filter(user=user, expires_at__gt=Now()).exclude(state=Upload.State.DELETED)


def upload_views(rows: Sequence[Upload]) -> list[UploadView]:
    """Show uploads, with one query for the parts of all of them."""
    arrived: dict[UUID, dict[int, int]] = {row.pk: {} for row in rows}
    parts = UploadPart.objects.filter(upload__in=arrived).values_list("upload_id", "offset", "size")
    for upload_id, offset, size in parts:
        arrived[upload_id][offset] = size
    return [_view(row, arrived[row.pk]) for row in rows]


def get_upload(upload_id: UUID, user: User) -> UploadView:
    """Return an upload of the user, or raise NotFound."""
    return upload_views([find_upload(upload_id, user)])[0]


def find_upload(upload_id: UUID, user: User) -> Upload:
    """Return the row of an upload of the user, or raise NotFound."""
    row = known_uploads(user).filter(pk=upload_id).first()
    if row is None:
        raise NotFound(NOT_THERE)
    return row


def room(user: User) -> RoomView:
    """Count what the user's uploads take, and what is left for the next one."""
    largest = settings.MAX_ARCHIVE_MB * 2**20
    limit = LARGEST_AT_ONCE * largest
    used = live_uploads(user).aggregate(used=Sum("size"))["used"] or 0
    return RoomView(limit, used, max(0, limit - used), largest, PART_BYTES, HOURS)


def part_name(upload_id: UUID, offset: int, sha256: str) -> str:
    """Return the name of a part's file in the storage."""
    return f"{folder_name(upload_id)}/{offset}-{sha256}"


def folder_name(upload_id: UUID) -> str:
    """Return the name below which all parts of an upload lie."""
    return f"uploads/{upload_id}"


def parts_of(upload_id: UUID) -> IO[bytes]:
    """Read the parts of an upload one after the other, as if they were one file."""
    parts = UploadPart.objects.filter(upload=upload_id).order_by("offset")
    rows = [(part_name(upload_id, part.offset, part.sha256), part.size) for part in parts]
    return cast(IO[bytes], _Joined(rows))


def content_of(upload_id: UUID, user: User, kind: Upload.Kind = Upload.Kind.ARCHIVE) -> tuple[IO[bytes], int]:
    """Open a finished upload of that kind, and say how many bytes it has; raises as `finished_upload`."""
    upload = finished_upload(upload_id, user, kind)
    return parts_of(upload_id), upload.size


def finished_upload(upload_id: UUID, user: User, kind: Upload.Kind) -> Upload:
    """Return an upload of the user that something of that kind can be made of.

    Raises:
        NotFound: there is no such upload.
        WrongKind: it was announced as something else.
        UploadClosed: it is not finished.
    """
    upload = find_upload(upload_id, user)
    if upload.kind != kind:
        raise WrongKind(
            f"This upload was announced as {upload.kind}, and here goes {kind}.",
            fix=f"Send the file again with the kind {kind}.",
            fields={"upload": upload.kind},
        )
    if upload.state != Upload.State.FINISHED:
        raise UploadClosed(f"This upload is {upload.state}, not finished.", fix="Finish it first.")
    return upload


class _Joined(io.RawIOBase):
    """Stored files, given by name and length, read as one; only one of them is open at a time."""

    def __init__(self, parts: Sequence[tuple[str, int]]) -> None:
        self._parts = parts
        self._file = cast(IO[bytes], io.BytesIO())
        self.seek(0)

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place that is counted from the beginning; nothing before it is read."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("places are counted from the beginning")
        self._file.close()
        self._rest, self._file = list(self._parts), cast(IO[bytes], io.BytesIO())
        inside = offset
        while self._rest and inside >= self._rest[0][1]:
            inside -= self._rest.pop(0)[1]
        if inside and self._rest:
            self._file = self._next()
            self._file.seek(inside)
        return offset

    def close(self) -> None:
        """Close the file that is open; the garbage collector does so too."""
        self._file.close()
        super().close()

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        n = 0
        while n < len(buffer):
            if piece := self._file.read(len(buffer) - n):
                buffer[n : n + len(piece)] = piece
                n += len(piece)
                continue
            self._file.close()
            if not self._rest:
                self._file = io.BytesIO()
                break
            self._file = self._next()
        return n

    def _next(self) -> IO[bytes]:
        try:
            return open_as(self._rest.pop(0)[0])
        except FileNotFoundError as error:
            raise UploadClosed("This upload was deleted meanwhile.") from error


def _view(row: Upload, arrived: dict[int, int]) -> UploadView:
    is_open = row.state == Upload.State.OPEN
    return UploadView(
        id=row.pk,
        kind=row.kind,
        state=row.state,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        received=sum(arrived.values()),
        missing=missing_parts(row.size, arrived) if is_open else (),
        part_bytes=PART_BYTES,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
