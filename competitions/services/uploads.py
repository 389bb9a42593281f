"""Take in files part by part: announced with size and digest, sent in any order, and checked as a whole."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from accounts.models import User
from competitions.clock import in_seconds
from competitions.errors import (
    PartConflict,
    PartRefused,
    RefusedArchive,
    UploadClosed,
    UploadIncomplete,
    UploadMismatch,
    UploadQuotaExceeded,
    UploadTooLarge,
    WrongKind,
)
from competitions.models import DataSurvey, Upload, UploadPart
from competitions.parts import PART_BYTES, missing_parts, part_size
from competitions.selectors.uploads import (
    HOURS,
    MOST_AT_ONCE,
    find_upload,
    folder_name,
    live_uploads,
    part_name,
    parts_of,
    room,
)
from competitions.storage import discard_folder, save_as
from evaluation.errors import InvalidManifest
from evaluation.manifest import parse_manifest

GRACE_SECONDS = 3600  # a request that was under way when an upload expired is over by then
CHUNK = 2**20


@dataclass(frozen=True)
class UploadPlan:
    """What its owner announces of a file; only archives have a manifest."""

    kind: str
    size: int
    sha256: str
    manifest: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Part:
    """A piece of the file and the digest that its sender has computed of it."""

    offset: int
    content: bytes
    sha256: str


def start_upload(*, user: User, plan: UploadPlan) -> Upload:
    """Make room for a file that is to come, or say why it need not be sent.

    Raises:
        UploadTooLarge: no file may be so large.
        RefusedArchive: the manifest breaks the rules.
        WrongKind: an archive comes without a manifest, or another file with one.
        UploadQuotaExceeded: the user's other uploads leave no room.
    """
    if plan.size > settings.MAX_ARCHIVE_MB * 2**20:
        raise UploadTooLarge(
            f"The file has {plan.size / 2**20:.1f} MB; the limit is {settings.MAX_ARCHIVE_MB} MB."
        )
    name = _checked_name(plan)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two uploads cannot share the last room
        _check_room(user, plan.size)
        upload = Upload.objects.create(
            user=user,
            kind=plan.kind,
            size=plan.size,
            sha256=plan.sha256,
            name=name,
            expires_at=in_seconds(HOURS * 3600),
        )
    upload.refresh_from_db()
    return upload


def put_part(*, upload_id: UUID, user: User, part: Part) -> None:
    """Keep one part of a file; the same part again changes nothing.

    Raises:
        NotFound: there is no such upload.
        PartRefused: no part of this length begins there, or it was damaged on the way.
        PartConflict: another part arrived at this offset.
        UploadClosed: the upload takes no more parts.
    """
    upload = find_upload(upload_id, user)
    _check_part(upload, part)
    if upload.state == Upload.State.REJECTED:
        raise UploadClosed
    known = upload.parts.filter(offset=part.offset).first()
    if known is None:
        if upload.state != Upload.State.OPEN:
            raise UploadClosed
        name = part_name(upload.pk, part.offset, part.sha256)
        save_as(name, len(part.content), io.BytesIO(part.content))
        known = _keep(upload, part)
    if known.sha256 != part.sha256:
        raise PartConflict


def finish_upload(*, upload_id: UUID, user: User) -> Upload:
    """Compare the whole file with what was announced; once finished it stays so.

    Raises:
        NotFound: there is no such upload.
        UploadIncomplete: parts are missing.
        UploadMismatch: the digest is another one; the parts are gone then.
        UploadClosed: the upload was rejected before.
    """
    upload = find_upload(upload_id, user)
    if upload.state == Upload.State.FINISHED:
        return upload
    if upload.state != Upload.State.OPEN:
        raise UploadClosed
    missing = missing_parts(upload.size, set(upload.parts.values_list("offset", flat=True)))
    if missing:
        shown = ", ".join(map(str, missing[:10]))
        raise UploadIncomplete(
            f"{len(missing)} parts have not arrived.",
            fix=f"Send the parts at {shown}.",
            fields={"missing": shown},
        )
    is_right = _digest(upload.pk) == upload.sha256
    ending = Upload.State.FINISHED if is_right else Upload.State.REJECTED
    Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN).update(state=ending)
    if not is_right:
        discard_folder(folder_name(upload.pk))
        raise UploadMismatch
    return find_upload(upload_id, user)


def delete_upload(*, upload_id: UUID, user: User) -> None:
    """Throw an upload away; submissions that were made of it keep their archive.

    Raises:
        NotFound: there is no such upload.
        UploadClosed: its files wait for a worker, or one looks at them.
    """
    upload = find_upload(upload_id, user)
    with transaction.atomic():
        Upload.objects.select_for_update().filter(pk=upload.pk).first()  # nobody hands it in meanwhile
        if DataSurvey.objects.filter(upload=upload).exclude(state=DataSurvey.State.REFUSED).exists():
            raise UploadClosed(
                "The files of this upload are being looked at.",
                fix="Wait for their report, or stop that; the upload goes by itself then.",
            )
        Upload.objects.filter(pk=upload.pk).update(state=Upload.State.DELETED)
    discard_folder(folder_name(upload.pk))


def sweep() -> int:
    """Remove uploads that have expired, with what is left of them in the storage; return how many there were."""
    expired = Upload.objects.filter(expires_at__lt=in_seconds(-GRACE_SECONDS))
    keys = list(expired.values_list("pk", flat=True))
    for key in keys:
        discard_folder(folder_name(key))
        Upload.objects.filter(pk=key).delete()
    return len(keys)


def _checked_name(plan: UploadPlan) -> str:
    is_archive = plan.kind == Upload.Kind.ARCHIVE
    if is_archive != (plan.manifest is not None):
        raise WrongKind(
            "An archive is announced with its manifest, and no other file has one.",
            fix="Add the manifest, or leave it out.",
            fields={"manifest": "missing" if is_archive else "unexpected"},
        )
    if not is_archive:
        return plan.kind
    try:
        return parse_manifest(json.dumps(plan.manifest, ensure_ascii=False).encode("utf-8", "replace")).name
    except InvalidManifest as error:
        fields = {"manifest": error.message, "rule": error.reason}
        raise RefusedArchive(error.message, fix=error.fix, fields=fields) from error


def _check_room(user: User, size: int) -> None:
    left = room(user).left
    if size > left:
        raise UploadQuotaExceeded(
            f"The file has {size / 2**20:.1f} MB; {left / 2**20:.1f} MB are left for your uploads."
        )
    if live_uploads(user).count() >= MOST_AT_ONCE:
        raise UploadQuotaExceeded(f"You have {MOST_AT_ONCE} uploads, and there may be no more at once.")


def _check_part(upload: Upload, part: Part) -> None:
    expected = part_size(upload.size, part.offset)
    if expected is None:
        raise PartRefused(
            f"No part begins at {part.offset}.",
            fix=f"Parts begin at multiples of {PART_BYTES} below {upload.size}.",
        )
    if len(part.content) != expected:
        raise PartRefused(
            f"The part has {len(part.content)} bytes.", fix=f"The part at {part.offset} has {expected} bytes."
        )
    if hashlib.sha256(part.content).hexdigest() != part.sha256:
        raise PartRefused("The part was damaged on the way, or its digest is wrong.", fix="Send it again.")


def _keep(upload: Upload, part: Part) -> UploadPart:
    """Write down that a stored part belongs to the upload, unless it has ended while the part was stored."""
    with transaction.atomic():
        is_open = (
            Upload.objects.select_for_update()
            .filter(pk=upload.pk, state=Upload.State.OPEN, expires_at__gt=Now())
            .exists()
        )
        if is_open:
            return UploadPart.objects.get_or_create(
                upload=upload,
                offset=part.offset,
                defaults={"size": len(part.content), "sha256": part.sha256},
            )[0]
    if not Upload.objects.filter(pk=upload.pk, state=Upload.State.FINISHED).exists():
        discard_folder(folder_name(upload.pk))
    raise UploadClosed


def _digest(upload_id: UUID) -> str:
    digest = hashlib.sha256()
    with parts_of(upload_id) as content:
        while piece := content.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()
