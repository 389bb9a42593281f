"""Uploads over the API: announced, sent in parts, finished, and handed in as a submission."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import Phase, Submission, Upload
from tests.api_fixtures import API, error_of
from tests.conftest import manifest_of

PATH = f"{API}/uploads/"
PART = 8 * 2**20


def announce(client: APIClient, content: bytes, **changes: object) -> Response:
    """Announce a file."""
    fields = {
        "kind": "archive",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "manifest": manifest_of("identity"),
    }
    return client.post(PATH, fields | changes, format="json")


def digest_header(content: bytes) -> str:
    """Write a digest as RFC 9530 does."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def put(client: APIClient, upload: str, offset: int, content: bytes, digest: str | None = None) -> Response:
    """Send a part."""
    headers = {"Content-Digest": digest_header(content) if digest is None else digest}
    path = f"{PATH}{upload}/parts/{offset}/"
    return client.put(path, content, content_type="application/octet-stream", headers=headers)


@pytest.fixture
def archive(make_archive: Callable[..., Path]) -> bytes:
    """A good archive of a little more than one part."""
    return make_archive(weights=[], code="#" * PART + "\nclass Model:\n    pass\n").read_bytes()


def test_an_archive_goes_up_in_parts_and_becomes_a_submission(
    member: APIClient, phase: Phase, archive: bytes
) -> None:
    answer = announce(member, archive)
    assert answer.status_code == 201
    body = answer.json()
    row = Upload.objects.get()
    assert body == {
        "id": str(row.pk),
        "kind": "archive",
        "state": "open",
        "name": "identity",
        "size": len(archive),
        "sha256": hashlib.sha256(archive).hexdigest(),
        "received": 0,
        "missing": [0, PART],
        "part_bytes": PART,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "expires_at": row.expires_at.isoformat().replace("+00:00", "Z"),
    }
    upload = body["id"]
    early = member.post(f"{PATH}{upload}/finish/")
    assert (early.status_code, error_of(early)["code"]) == (409, "UPLOAD_INCOMPLETE")
    assert put(member, upload, PART, archive[PART:]).json()["missing"] == [0]
    assert put(member, upload, 0, archive[:PART]).json()["missing"] == []
    hand_in = {"upload": upload, "competition": "small", "note": "in parts"}
    too_soon = member.post(f"{API}/submissions/", hand_in, format="json")
    assert (too_soon.status_code, error_of(too_soon)["code"]) == (409, "UPLOAD_CLOSED")
    assert member.post(f"{PATH}{upload}/finish/").json()["state"] == "finished"
    made = member.post(f"{API}/submissions/", hand_in, format="json")
    assert made.status_code == 201, made.json()
    assert (made.json()["archive_sha256"], made.json()["note"]) == (body["sha256"], "in parts")
    assert member.delete(f"{PATH}{upload}/").status_code == 204
    assert member.get(f"{PATH}{upload}/").status_code == 404
    assert Submission.objects.get().archive.size == len(archive)


def test_the_room_is_shown_before_anything_is_sent(
    member: APIClient, anonymous: APIClient, settings: Settings
) -> None:
    settings.MAX_ARCHIVE_MB = 2
    megabyte = 2**20
    announce(member, b"x" * 1000)
    assert member.get(f"{PATH}room/").json() == {
        "limit": 8 * megabyte, "used": 1000, "left": 8 * megabyte - 1000, "largest": 2 * megabyte,
        "part_bytes": PART, "hours": 48,
    }  # fmt: skip
    assert anonymous.get(f"{PATH}room/").status_code == 401
    answer = announce(member, b"x", size=2 * megabyte + 1)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "UPLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"size": 0}, 400, "size"),
        ({"size": "9"}, 400, "size"),
        ({"size": True}, 400, "size"),
        ({"sha256": "F" * 64}, 400, "sha256"),
        ({"kind": "virus"}, 400, "kind"),
        ({"manifest": "{}"}, 400, "manifest"),
        ({"team": "rosalba"}, 400, "team"),
        ({"manifest": {}}, 422, "manifest"),
        ({"manifest": {"schema": 1, "name": "\x00"}}, 422, "manifest"),
    ],
)
def test_a_wrong_announcement_is_refused_by_name(
    member: APIClient, changes: dict[str, object], status: int, field: str
) -> None:
    answer = announce(member, b"content", **changes)
    assert answer.status_code == status
    assert field in error_of(answer)["fields"]
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("content", "digest", "status", "code"),
    [
        (b"content", "", 400, "INVALID_INPUT"),
        (b"content", "sha-256=:AAAA:", 400, "INVALID_INPUT"),
        (b"content", digest_header(b"other"), 422, "PART_REFUSED"),
        (b"conten", digest_header(b"conten"), 422, "PART_REFUSED"),
        (b"", digest_header(b""), 422, "PART_REFUSED"),
        (b"x" * (PART + 1), digest_header(b""), 413, "UPLOAD_TOO_LARGE"),
    ],
)
def test_a_part_that_is_not_as_announced_is_refused(
    member: APIClient, content: bytes, digest: str, status: int, code: str
) -> None:
    upload = announce(member, b"content").json()["id"]
    answer = put(member, upload, 0, content, digest)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert error_of(answer)["fix"]
    assert member.get(f"{PATH}{upload}/").json()["received"] == 0


def test_parts_are_bytes_and_nothing_else(member: APIClient) -> None:
    upload = announce(member, b"content").json()["id"]
    answer = member.put(f"{PATH}{upload}/parts/0/", {"a": 1}, format="json")
    assert (answer.status_code, error_of(answer)["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_the_list_is_the_callers(
    member: APIClient, stranger: User, caller: Callable[[User], APIClient], anonymous: APIClient
) -> None:
    first, second = (announce(member, content).json()["id"] for content in (b"one", b"two"))
    listed = member.get(PATH).json()
    assert [row["id"] for row in listed["results"]] == [second, first]
    other = caller(stranger)
    assert other.get(PATH).json()["results"] == []
    assert other.get(f"{PATH}{first}/").status_code == 404
    assert put(other, first, 0, b"one").status_code == 404
    assert other.delete(f"{PATH}{first}/").status_code == 404
    assert other.post(f"{PATH}{first}/finish/").status_code == 404
    assert anonymous.get(PATH).status_code == 401
    hand_in = {"upload": first, "competition": "small"}
    assert other.post(f"{API}/submissions/", hand_in, format="json").status_code == 404


def test_a_broken_archive_is_refused_when_it_is_handed_in_and_the_upload_stays(
    member: APIClient, phase: Phase
) -> None:
    upload = announce(member, b"no archive").json()["id"]
    put(member, upload, 0, b"no archive")
    member.post(f"{PATH}{upload}/finish/")
    answer = member.post(f"{API}/submissions/", {"upload": upload, "competition": "small"}, format="json")
    assert (answer.status_code, error_of(answer)["code"]) == (422, "INVALID_BUNDLE")
    assert not Submission.objects.exists()
    assert member.get(f"{PATH}{upload}/").json()["state"] == "finished"
