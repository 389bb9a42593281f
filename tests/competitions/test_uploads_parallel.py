"""Many requests at one instant: room, offsets and keys are given once. Needs a database server."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar
from uuid import UUID

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_token
from competitions.errors import CompetitionError
from competitions.models import DataSurvey, Upload, UploadPart
from competitions.selectors.uploads import content_of
from competitions.services.drafts import save_task, start_draft
from competitions.services.surveys import hand_in_upload, stop
from competitions.services.uploads import (
    Part,
    UploadPlan,
    delete_upload,
    finish_upload,
    put_part,
    start_upload,
)
from tests.api_fixtures import API
from tests.competitions.many_pictures import many_pictures
from tests.competitions.test_drafts import TEXTS
from tests.competitions.test_handed_in_uploads import upload_of
from tests.conftest import manifest_of

N = 12
T = TypeVar("T")

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _database_server(db: None) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite takes one writer at a time")


def at_once(act: Callable[[int], T]) -> list[T | str]:
    """Do something many times at one instant; refusals come back as their codes."""
    start = Barrier(N)

    def one(n: int) -> T | str:
        try:
            start.wait(timeout=30)
            return act(n)
        except CompetitionError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(N) as pool:
        return list(pool.map(one, range(N)))


def plan(content: bytes) -> UploadPlan:
    """Announce a file."""
    return UploadPlan("archive", len(content), hashlib.sha256(content).hexdigest(), manifest_of("identity"))


def test_the_last_room_is_given_once(researcher: User, settings: Settings) -> None:
    settings.MAX_ARCHIVE_MB = 1
    large = UploadPlan("archive", 2**20, "0" * 64, manifest_of("identity"))
    for _ in range(3):
        start_upload(user=researcher, plan=large)
    answers = at_once(lambda n: start_upload(user=researcher, plan=large).state)
    assert sorted(answers) == ["UPLOAD_QUOTA_EXCEEDED"] * (N - 1) + ["open"]
    assert Upload.objects.count() == 4


def test_of_many_different_parts_at_one_offset_one_is_kept(researcher: User) -> None:
    contents = [bytes([n]) * 100 for n in range(N)]
    upload = start_upload(user=researcher, plan=plan(contents[0]))

    def send(n: int) -> str:
        digest = hashlib.sha256(contents[n]).hexdigest()
        put_part(upload_id=upload.pk, user=researcher, part=Part(0, contents[n], digest))
        return "kept"

    assert sorted(at_once(send)) == ["PART_CONFLICT"] * (N - 1) + ["kept"]
    kept = UploadPart.objects.get()
    (winner,) = (n for n in range(N) if hashlib.sha256(contents[n]).hexdigest() == kept.sha256)
    answers = set(at_once(lambda n: finish_upload(upload_id=upload.pk, user=researcher).state))
    if winner == 0:
        assert answers == {"finished"}
        assert content_of(upload.pk, researcher)[0].read() == contents[0]
    else:
        assert answers <= {"UPLOAD_MISMATCH", "UPLOAD_CLOSED"}
        assert Upload.objects.get().state == "rejected"


def test_of_many_equal_requests_with_one_key_one_makes_something(researcher: User) -> None:
    _, key = issue_token(user=researcher, name="parallel")
    body = {"kind": "archive", "size": 1, "sha256": "0" * 64, "manifest": manifest_of("identity")}

    def send(n: int) -> tuple[int, str]:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}", HTTP_IDEMPOTENCY_KEY="one")
        answer = client.post(f"{API}/uploads/", body, format="json")
        return answer.status_code, answer.json().get("id", answer.json().get("error", {}).get("code"))

    answers = set(at_once(send))
    (made,) = Upload.objects.all()
    assert (201, str(made.pk)) in answers
    assert answers <= {(201, str(made.pk)), (409, "IDEMPOTENCY_KEY_BUSY")}


def test_pictures_are_handed_in_once_or_deleted_never_both(organizer: User) -> None:
    start_draft(user=organizer, slug="new", texts=TEXTS)
    save_task(slug="new", user=organizer, suite="sts-demo-2")
    for _ in range(5):
        key = upload_of(organizer, many_pictures())

        def act(n: int, key: UUID = key) -> str:
            if n % 3:
                hand_in_upload(slug="new", user=organizer, upload_id=key)
                return "handed in"
            delete_upload(upload_id=key, user=organizer)
            return "deleted"

        told = at_once(act)
        ends = {"handed in": "finished", "deleted": "deleted"}
        assert set(told) - {"NOT_FOUND", "UPLOAD_CLOSED", "ILLEGAL_TRANSITION"} <= set(ends)
        assert told.count("handed in") == DataSurvey.objects.count()
        assert bool(told.count("deleted")) != bool(told.count("handed in"))
        assert Upload.objects.get(pk=key).state == ends["deleted" if "deleted" in told else "handed in"]
        stop(slug="new", user=organizer)
