"""Competition files over the API: who may, what is answered, and uploads of kinds of their own."""

import base64
import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.services import issue_token
from competitions.models import Competition
from evaluation.intake.example import example_zip
from tests.api_fixtures import API
from tests.competitions.test_competition_files import FILE, edited, ready  # noqa: F401
from tests.competitions.test_intake import unpacked, zipped


def with_scopes(user: User, *scopes: str) -> APIClient:
    _, key = issue_token(user=user, name="test", scopes=[ApiToken.Scope(scope) for scope in scopes])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


def sent(client: APIClient, content: bytes, kind: str) -> str:
    """Upload a file of one part."""
    sha256 = hashlib.sha256(content)
    fields = {"kind": kind, "size": len(content), "sha256": sha256.hexdigest()}
    made = client.post(f"{API}/uploads/", fields, format="json")
    assert made.status_code == 201, made.json()
    key = made.json()["id"]
    assert made.json()["name"] == kind
    digest = f"sha-256=:{base64.b64encode(sha256.digest()).decode()}:"
    client.put(
        f"{API}/uploads/{key}/parts/0/",
        content,
        content_type="application/octet-stream",
        headers={"Content-Digest": digest},
    )
    assert client.post(f"{API}/uploads/{key}/finish/", {}, format="json").json()["state"] == "finished"
    return str(key)


def exported(client: APIClient, slug: str = "new") -> dict[str, bytes]:
    answer: Any = client.get(f"{API}/competitions/{slug}/file/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    return unpacked(b"".join(answer.streaming_content))


def test_what_is_exported_is_changed_and_imported(
    ready: Competition,  # noqa: F811
    organizer: User,
    caller: Callable[[User], APIClient],
) -> None:
    client = caller(organizer)
    files = edited(exported(client), ("memory_mb = 512", "memory_mb = 1024"))
    place = f"{API}/competitions/new/file/"
    told = client.post(f"{place}diff/", {"text": files[FILE].decode()}, format="json")
    expected = {
        "section": "limits",
        "field": "limits.memory_mb",
        "before": "512",
        "after": "1024",
        "freedom": "",
    }
    assert (told.status_code, told.json()["changes"]) == (200, [expected])
    done = client.post(place, {"upload": sent(client, zipped(files), "competition")}, format="json")
    assert (done.status_code, done.json()) == (200, told.json())
    assert exported(client) == files
    copy = edited(files, ('slug = "new"', 'slug = "copy"'))
    key = sent(client, zipped(copy), "competition")
    assert client.post(place, {"upload": key}, format="json").status_code == 422
    done = client.post(f"{API}/competitions/copy/file/", {"upload": key}, format="json")
    assert (done.status_code, done.json()["is_new"]) == (200, True)


def test_mistakes_are_answered_with_line_and_field(
    ready: Competition,  # noqa: F811
    organizer: User,
    caller: Callable[[User], APIClient],
) -> None:
    client = caller(organizer)
    text = exported(client)[FILE].decode().replace("memory_mb = 512", "memory = 512")
    answer = client.post(f"{API}/competitions/new/file/diff/", {"text": text}, format="json")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "INVALID_COMPETITION_FILE")
    assert error["fields"]["limits.memory"].startswith("line ")


def test_an_upload_of_another_kind_is_refused_everywhere(
    ready: Competition,  # noqa: F811
    organizer: User,
    caller: Callable[[User], APIClient],
) -> None:
    client = caller(organizer)
    key = sent(client, example_zip(), "dataset")
    for path, fields in (
        ("competitions/new/file/", {"upload": key}),
        ("submissions/", {"upload": key, "competition": "new"}),
    ):
        answer = client.post(f"{API}/{path}", fields, format="json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "UPLOAD_KIND"), path
    plan = {"kind": "archive", "size": 3, "sha256": "0" * 64}
    assert client.post(f"{API}/uploads/", plan, format="json").status_code == 422
    plan |= {"kind": "dataset", "manifest": {}}
    assert client.post(f"{API}/uploads/", plan, format="json").status_code == 422


@pytest.mark.usefixtures("ready")
def test_others_and_tokens_that_do_not_organize_get_nothing(organizer: User, stranger: User) -> None:
    place = f"{API}/competitions/new"
    limited = with_scopes(organizer, "read", "submit")
    other = with_scopes(stranger, "read", "submit", "organize")
    for client, status in ((limited, 403), (other, 404), (APIClient(), 401)):
        assert client.get(f"{place}/file/").status_code == status
    assert limited.post(f"{place}/file/diff/", {"text": ""}, format="json").status_code == 403
    for address in ("file", "data"):
        fields = {"upload": "0b4a1d2e-8f63-4c59-9a57-2f7f6f1c9e21"}
        assert limited.post(f"{place}/{address}/", fields, format="json").status_code == 403
    key = sent(other, BytesIO(example_zip()).getvalue(), "dataset")
    assert other.post(f"{place}/data/", {"upload": key}, format="json").status_code == 404
