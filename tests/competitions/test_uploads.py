"""Uploads in parts: whatever comes, in whatever order, what is finished is the announced file, and nothing else is."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from accounts.services import create_user
from competitions import parts
from competitions.errors import (
    CompetitionError,
    NotFound,
    PartConflict,
    PartRefused,
    RefusedArchive,
    UploadClosed,
    UploadIncomplete,
    UploadMismatch,
    UploadQuotaExceeded,
    UploadTooLarge,
)
from competitions.models import Upload, UploadPart
from competitions.selectors.uploads import MOST_AT_ONCE, content_of, get_upload, room
from competitions.services import uploads
from competitions.services.uploads import Part, UploadPlan, finish_upload, put_part, start_upload
from tests.conftest import manifest_of
from tests.s3 import ObjectStorage, object_storage

LENGTH = 16  # of a part in most of these tests
CONTENT = bytes(range(100, 140))  # parts at 0, 16 and 32, the last one of 8 bytes
names = (f"sender-{n}" for n in itertools.count())


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut files into parts of 16 bytes."""
    monkeypatch.setattr(parts, "PART_BYTES", LENGTH)


def digest(content: bytes) -> str:
    """Return the SHA-256 digest."""
    return hashlib.sha256(content).hexdigest()


def plan(content: bytes = CONTENT, **changes: object) -> UploadPlan:
    """Announce a file."""
    return replace(UploadPlan("archive", len(content), digest(content), manifest_of("identity")), **changes)  # type: ignore[arg-type]


def part(offset: int, content: bytes = CONTENT) -> Part:
    """Cut out the part that begins at an offset."""
    piece = content[offset : offset + LENGTH]
    return Part(offset, piece, digest(piece))


def send(upload: Upload, *offsets: int, content: bytes = CONTENT) -> None:
    """Send some parts."""
    for offset in offsets:
        put_part(upload_id=upload.pk, user=upload.user, part=part(offset, content))


def files_of(upload: Upload) -> list[str]:
    """List what the storage holds of an upload."""
    try:
        return default_storage.listdir(f"uploads/{upload.pk}")[1]
    except FileNotFoundError:
        return []


@dataclass(frozen=True)
class Step:
    """Something that a client does, rightly or wrongly."""

    name: str
    offset: int
    noise: int = 0

    def part(self) -> Part | None:
        """Return the part that is sent, or None for the other steps."""
        piece = CONTENT[self.offset : self.offset + LENGTH]
        changed = bytes([self.noise]) + piece[1:]
        made = {
            "right": Part(self.offset, piece, digest(piece)),
            "damaged": Part(self.offset, changed, digest(piece) if changed != piece else "0" * 64),
            "other": Part(self.offset, changed, digest(changed)),
            "short": Part(self.offset, piece[:-1], digest(piece[:-1])),
            "long": Part(self.offset, piece + b"x", digest(piece + b"x")),
            "overlapping": Part(self.offset + 1, piece, digest(piece)),
            "beyond": Part(self.offset + 10 * LENGTH, piece, digest(piece)),
        }
        return made.get(self.name)


WAYS = ("right", "right", "damaged", "other", "short", "long", "overlapping", "beyond", "finish", "look")
steps = st.builds(Step, st.sampled_from(WAYS), st.sampled_from((0, 16, 32)), st.integers(0, 255))


@pytest.mark.django_db
@pytest.mark.usefixtures("small_parts")
@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(steps, max_size=14))
def test_whatever_is_sent_in_whatever_order_only_the_announced_file_is_ever_finished(
    done: list[Step],
) -> None:
    user = create_user(username=next(names), password=None)
    upload = start_upload(user=user, plan=plan())
    arrived: dict[int, bytes] = {}
    state = "open"
    for step in done:
        sent = step.part()
        try:
            if sent is not None:
                put_part(upload_id=upload.pk, user=user, part=sent)
                assert state == "open" or arrived.get(sent.offset) == sent.content
                assert arrived.setdefault(sent.offset, sent.content) == sent.content
                assert digest(sent.content) == sent.sha256
            elif step.name == "finish":
                finish_upload(upload_id=upload.pk, user=user)
                assert b"".join(arrived[offset] for offset in sorted(arrived)) == CONTENT
                state = "finished"
        except UploadMismatch:
            assert len(arrived) == 3
            state, arrived = "rejected", {}
            assert files_of(upload) == []
        except CompetitionError:
            pass
        view = get_upload(upload.pk, user)
        assert view.state == state
        assert set(view.missing) == ({0, 16, 32} - set(arrived) if state == "open" else set())
        if state == "finished":
            content, size = content_of(upload.pk, user)
            assert (content.read(), size) == (CONTENT, len(CONTENT))
        else:
            with pytest.raises(UploadClosed):
                content_of(upload.pk, user)


@pytest.fixture
def upload(researcher: User, small_parts: None) -> Upload:
    """An upload of three parts that has just been announced."""
    return start_upload(user=researcher, plan=plan())


@pytest.mark.parametrize(
    "wrong",
    [
        Part(0, CONTENT[:15], digest(CONTENT[:15])),
        Part(0, CONTENT[:17], digest(CONTENT[:17])),
        Part(0, CONTENT[:16], digest(CONTENT[1:17])),
        Part(8, CONTENT[8:24], digest(CONTENT[8:24])),
        Part(32, CONTENT[24:40], digest(CONTENT[24:40])),
        Part(48, b"", digest(b"")),
        Part(-16, CONTENT[:16], digest(CONTENT[:16])),
        Part(10**30, CONTENT[:16], digest(CONTENT[:16])),
    ],
)
def test_a_part_that_does_not_fit_leaves_nothing_behind(upload: Upload, wrong: Part) -> None:
    with pytest.raises(PartRefused) as refused:
        put_part(upload_id=upload.pk, user=upload.user, part=wrong)
    assert refused.value.fix
    assert files_of(upload) == []
    assert not UploadPart.objects.exists()


def test_the_same_part_again_changes_nothing_and_another_one_is_refused(upload: Upload) -> None:
    send(upload, 16, 16)
    with pytest.raises(PartConflict):
        send(upload, 16, content=CONTENT[::-1])
    send(upload, 32, 0)
    assert finish_upload(upload_id=upload.pk, user=upload.user).state == "finished"
    assert finish_upload(upload_id=upload.pk, user=upload.user).state == "finished"
    send(upload, 16)  # a repetition that came late
    with pytest.raises(PartConflict):
        send(upload, 16, content=CONTENT[::-1])
    content, _ = content_of(upload.pk, upload.user)
    assert [content.read(), content.seek(0), content.read(7)] == [CONTENT, 0, CONTENT[:7]]


def test_an_incomplete_upload_says_what_is_missing(upload: Upload) -> None:
    send(upload, 16)
    with pytest.raises(UploadIncomplete) as refused:
        finish_upload(upload_id=upload.pk, user=upload.user)
    assert refused.value.fields == {"missing": "0, 32"}
    assert get_upload(upload.pk, upload.user).received == 16


def test_parts_of_another_file_are_rejected_as_a_whole(upload: Upload) -> None:
    send(upload, 0, 32)
    send(upload, 16, content=CONTENT[::-1])
    with pytest.raises(UploadMismatch):
        finish_upload(upload_id=upload.pk, user=upload.user)
    assert files_of(upload) == []
    with pytest.raises(UploadClosed):
        finish_upload(upload_id=upload.pk, user=upload.user)
    with pytest.raises(UploadClosed):
        send(upload, 32)
    assert files_of(upload) == []
    assert room(upload.user).used == 0


def test_nobody_else_sees_or_touches_an_upload(upload: Upload, stranger: User) -> None:
    send(upload, 0)
    for act in (get_upload, content_of):
        with pytest.raises(NotFound):
            act(upload.pk, stranger)
    with pytest.raises(NotFound):
        put_part(upload_id=upload.pk, user=stranger, part=part(16))
    for end in (finish_upload, uploads.delete_upload):
        with pytest.raises(NotFound):
            end(upload_id=upload.pk, user=stranger)
    assert Upload.objects.get().state == "open"


def test_a_deleted_upload_is_gone_with_its_parts(upload: Upload) -> None:
    send(upload, 0, 16, 32)
    finish_upload(upload_id=upload.pk, user=upload.user)
    content, _ = content_of(upload.pk, upload.user)
    assert room(upload.user).used == len(CONTENT)
    uploads.delete_upload(upload_id=upload.pk, user=upload.user)
    assert files_of(upload) == []
    assert room(upload.user).used == 0
    with pytest.raises(NotFound):
        get_upload(upload.pk, upload.user)
    with pytest.raises(UploadClosed):
        content.read()


def test_an_upload_expires_and_is_swept_some_time_later(upload: Upload) -> None:
    send(upload, 0)
    assert abs(upload.expires_at - timezone.now() - timedelta(hours=48)) < timedelta(minutes=1)
    assert uploads.sweep() == 0
    Upload.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    for act in (lambda: send(upload, 16), lambda: get_upload(upload.pk, upload.user)):
        with pytest.raises(NotFound):
            act()
    assert (uploads.sweep(), room(upload.user).used) == (0, 0)
    Upload.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    assert uploads.sweep() == 1
    assert (files_of(upload), Upload.objects.count(), UploadPart.objects.count()) == ([], 0, 0)


def test_what_is_too_large_is_refused_before_it_is_sent(researcher: User, settings: Settings) -> None:
    settings.MAX_ARCHIVE_MB = 1
    with pytest.raises(UploadTooLarge, match="limit is 1 MB"):
        start_upload(user=researcher, plan=plan(size=2**20 + 1))
    for _ in range(4):
        start_upload(user=researcher, plan=plan(size=2**20))
    assert room(researcher).left == 0
    with pytest.raises(UploadQuotaExceeded, match=r"0\.0 MB are left"):
        start_upload(user=researcher, plan=plan())
    uploads.delete_upload(upload_id=Upload.objects.first().pk, user=researcher)  # type: ignore[union-attr]
    start_upload(user=researcher, plan=plan())


def test_many_small_uploads_are_too_many(researcher: User) -> None:
    for _ in range(MOST_AT_ONCE):
        start_upload(user=researcher, plan=plan())
    with pytest.raises(UploadQuotaExceeded, match=str(MOST_AT_ONCE)):
        start_upload(user=researcher, plan=plan())


@pytest.mark.parametrize("changes", [{"memory_gb": 64}, {"name": "Not A Name"}, {"schema": 2}])
def test_a_wrong_manifest_is_refused_before_anything_is_sent(
    researcher: User, changes: dict[str, object]
) -> None:
    with pytest.raises(RefusedArchive) as refused:
        start_upload(user=researcher, plan=plan(manifest=manifest_of("identity") | changes))
    assert next(iter(changes)) in refused.value.fields["manifest"]
    assert not Upload.objects.exists()


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStorage]:
    """One object storage for this file."""
    with object_storage() as made:
        yield made


def test_a_bucket_keeps_the_same_promises(
    server: ObjectStorage, settings: Settings, researcher: User, make_archive: Callable[..., Path]
) -> None:
    place = {"BACKEND": "competitions.bucket.Bucket", "OPTIONS": server.options()}
    settings.STORAGES = settings.STORAGES | {"default": place}
    content = bytes(range(256)) * (2**15 + 1)  # one whole part of 8 MiB and a short one
    upload = start_upload(user=researcher, plan=plan(content))
    for offset in (2**23, 0, 0):
        piece = content[offset : offset + 2**23]
        put_part(upload_id=upload.pk, user=researcher, part=Part(offset, piece, digest(piece)))
    finish_upload(upload_id=upload.pk, user=researcher)
    assert digest(content_of(upload.pk, researcher)[0].read()) == digest(content)
    assert len(files_of(upload)) == 2
    uploads.delete_upload(upload_id=upload.pk, user=researcher)
    assert files_of(upload) == []
