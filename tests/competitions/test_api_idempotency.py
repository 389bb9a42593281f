"""A request with an Idempotency-Key makes one thing, however often it is sent."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import IdempotencyKey, Phase, Submission, Upload
from competitions.services import idempotency
from competitions.services.submissions import cancel_submission
from tests.api_fixtures import API, error_of
from tests.conftest import manifest_of

PATH = f"{API}/submissions/"


@pytest.fixture
def archive(make_archive: Callable[..., Path]) -> bytes:
    """A good archive."""
    return make_archive().read_bytes()


def hand_in(client: APIClient, archive: bytes, key: str, **fields: str) -> Response:
    """Send an archive under a key."""
    file = io.BytesIO(archive)
    file.name = "archive.zip"
    body = {"archive": file, "competition": "small"} | fields
    return client.post(PATH, body, format="multipart", headers={"Idempotency-Key": key})


def test_the_same_request_again_gets_the_first_answer(
    member: APIClient, phase: Phase, archive: bytes
) -> None:
    first = hand_in(member, archive, "one", note="x")
    cancel_submission(submission_id=Submission.objects.get().pk, user=Submission.objects.get().submitted_by)
    second = hand_in(member, archive, "one", note="x")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert ("Idempotency-Replayed" in first, second["Idempotency-Replayed"]) == (False, "true")
    assert Submission.objects.count() == 1
    assert hand_in(member, archive, "two", again="true").json()["id"] != first.json()["id"]


@pytest.mark.parametrize("change", ["note", "archive", "address"])
def test_another_request_with_the_key_is_refused(
    member: APIClient, phase: Phase, archive: bytes, make_archive: Callable[..., Path], change: str
) -> None:
    hand_in(member, archive, "one", note="x")
    if change == "address":
        answer = member.post(f"{API}/uploads/", {}, format="json", headers={"Idempotency-Key": "one"})
    else:
        other = make_archive("other").read_bytes() if change == "archive" else archive
        answer = hand_in(member, other, "one", note="y" if change == "note" else "x")
    assert (answer.status_code, error_of(answer)["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert error_of(answer)["fix"]
    assert Submission.objects.count() == 1


def test_a_refusal_is_not_kept(member: APIClient, phase: Phase, archive: bytes) -> None:
    Phase.objects.update(closes_at=timezone.now() - timedelta(hours=1))
    assert hand_in(member, archive, "one").status_code == 403
    Phase.objects.update(closes_at=timezone.now() + timedelta(hours=1))
    assert hand_in(member, archive, "one").status_code == 201


def test_keys_of_two_users_are_two_keys(
    member: APIClient, stranger: User, caller: Callable[[User], APIClient]
) -> None:
    body = {"kind": "archive", "size": 1, "sha256": "0" * 64, "manifest": manifest_of("identity")}
    for client in (member, caller(stranger), member):
        answer = client.post(f"{API}/uploads/", body, format="json", headers={"Idempotency-Key": "k"})
        assert answer.status_code == 201
    assert Upload.objects.count() == 2


def test_while_the_first_is_under_way_the_second_waits(member: APIClient, researcher: User) -> None:
    body = {"kind": "archive", "size": 1, "sha256": "0" * 64, "manifest": manifest_of("identity")}

    def send() -> Response:
        return member.post(f"{API}/uploads/", body, format="json", headers={"Idempotency-Key": "k"})

    assert send().status_code == 201
    IdempotencyKey.objects.update(status=None, body="")
    answer = send()
    assert (answer.status_code, error_of(answer)["code"]) == (409, "IDEMPOTENCY_KEY_BUSY")
    IdempotencyKey.objects.update(
        created_at=timezone.now() - timedelta(minutes=20)
    )  # it died with its process
    assert send().status_code == 201
    assert Upload.objects.count() == 2


def test_a_key_is_forgotten_after_a_day(member: APIClient) -> None:
    body = {"kind": "archive", "size": 1, "sha256": "0" * 64, "manifest": manifest_of("identity")}
    for size in (1, 2):
        answer = member.post(
            f"{API}/uploads/", body | {"size": size}, format="json", headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 201
        IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    idempotency.sweep()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
def test_a_malformed_key_is_refused(member: APIClient, key: str) -> None:
    answer = member.post(f"{API}/uploads/", {}, format="json", headers={"Idempotency-Key": key})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "INVALID_INPUT")
    assert "Idempotency-Key" in error_of(answer)["message"]
