"""Pictures over the API: few are looked at at once, many by a worker who can be asked, stopped and replaced."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import DataSurvey, Draft, Upload
from competitions.services import drafts, surveys
from evaluation.intake.example import example_zip
from tests.api_fixtures import API, error_of
from tests.competitions.many_pictures import many_files, many_pictures
from tests.competitions.test_api_competition_files import sent, with_scopes
from tests.competitions.test_drafts import TEXTS
from tests.competitions.test_intake import zipped
from tests.competitions.test_surveys import damaged
from tests.competitions.test_uploads import digest

PLACE = f"{API}/competitions/new/data/"
SURVEY = f"{PLACE}survey/"


@pytest.fixture
def client(organizer: User, caller: Callable[[User], APIClient]) -> APIClient:
    """The organizer's program, and a competition whose suite is chosen."""
    drafts.start_draft(user=organizer, slug="new", texts=TEXTS)
    drafts.save_task(slug="new", user=organizer, suite="sts-demo-2")
    return caller(organizer)


def push(client: APIClient, data: bytes, **headers: str) -> Response:
    fields = {"upload": sent(client, data, "dataset")}
    answer: Response = client.post(PLACE, fields, format="json", headers=headers)
    return answer


def be_silent() -> None:
    DataSurvey.objects.update(seen_at=F("seen_at") - timedelta(minutes=5))


def test_few_pictures_are_reported_on_at_once(client: APIClient) -> None:
    assert client.get(PLACE).json() == {"report": None, "survey": None}
    answer = push(client, example_zip())
    report = answer.json()["report"]
    assert (answer.status_code, report["n_hidden"], report["is_fatal"]) == (200, 4, False)
    assert (report["sha256"], answer.json()["survey"]) == (digest(example_zip()), None)
    assert client.get(PLACE).json() == answer.json()
    bad = push(client, zipped({"notes.txt": b"nothing to see"})).json()["report"]
    assert bad["is_fatal"]
    assert {"NO_PAIRS", "NOT_AN_IMAGE"} <= {row["code"] for row in bad["findings"]}


def test_many_pictures_are_left_to_a_worker_who_can_be_asked(client: APIClient) -> None:
    data = many_pictures()
    answer = push(client, data)
    survey = answer.json()["survey"]
    assert (answer.status_code, answer.json()["report"]) == (202, None)
    assert (survey["state"], survey["files_total"]) == ("waiting", len(many_files()))
    assert (survey["problem"], survey["is_lost"], survey["n_before"]) == (None, False, 0)
    DataSurvey.objects.update(state="running", files_done=7)
    assert client.get(PLACE).json()["survey"]["files_done"] == 7
    DataSurvey.objects.update(state="waiting")
    surveys.look()
    found = client.get(PLACE).json()
    assert (found["survey"], found["report"]["n_hidden"]) == (None, 4)
    assert found["report"]["sha256"] == survey["sha256"] == digest(data)


def test_a_refusal_by_the_worker_stays_until_other_pictures_come(client: APIClient) -> None:
    assert push(client, damaged()).status_code == 202
    surveys.look()
    for _ in range(2):
        found = client.get(PLACE).json()["survey"]
        assert (found["state"], found["problem"]["code"]) == ("refused", "INVALID_DATASET")
        assert found["problem"]["fields"] == {"rule": "CORRUPT_DATA"}
        assert found["problem"]["message"]
    assert push(client, example_zip()).json()["survey"] is None


def test_a_push_meanwhile_is_refused_and_the_upload_cannot_be_deleted(client: APIClient) -> None:
    push(client, many_pictures())
    held = Upload.objects.get().pk
    again = push(client, example_zip())
    assert (again.status_code, error_of(again)["code"]) == (409, "ILLEGAL_TRANSITION")
    deleted = client.delete(f"{API}/uploads/{held}/")
    assert (deleted.status_code, error_of(deleted)["code"]) == (409, "UPLOAD_CLOSED")
    assert surveys.look()
    assert client.get(PLACE).json()["report"]["n_hidden"] == 4


def test_the_same_request_again_gets_the_first_answer_and_starts_nothing(client: APIClient) -> None:
    fields = {"upload": sent(client, many_pictures(), "dataset")}
    headers = {"Idempotency-Key": "once"}
    first = client.post(PLACE, fields, format="json", headers=headers)
    second = client.post(PLACE, fields, format="json", headers=headers)
    assert (first.status_code, second.status_code, second.json()) == (202, 202, first.json())
    assert second["Idempotency-Replayed"] == "true"
    assert DataSurvey.objects.count() == 1


def test_a_survey_is_stopped_and_stopping_nothing_changes_nothing(client: APIClient) -> None:
    push(client, example_zip())
    before = client.get(PLACE).json()
    data = many_pictures()
    push(client, data)
    for _ in range(2):
        assert client.delete(SURVEY).status_code == 204
        assert client.get(PLACE).json() == before
    assert not Upload.objects.filter(state="finished", sha256=digest(data)).exists()


def test_a_lost_worker_is_replaced_and_a_live_one_is_not(client: APIClient) -> None:
    assert client.post(SURVEY, {}, format="json").status_code == 409
    push(client, many_pictures())
    assert client.post(SURVEY, {}, format="json").status_code == 409
    be_silent()
    assert client.get(PLACE).json()["survey"]["is_untaken"]
    DataSurvey.objects.update(state="running")
    assert client.get(PLACE).json()["survey"]["is_lost"]
    answer = client.post(SURVEY, {}, format="json")
    assert (answer.status_code, answer.json()["survey"]["state"]) == (202, "waiting")
    assert not answer.json()["survey"]["is_untaken"]
    surveys.look()
    assert Draft.objects.get().dataset_version is not None


def test_others_and_tokens_that_do_not_organize_learn_and_change_nothing(
    client: APIClient, organizer: User, stranger: User
) -> None:
    push(client, many_pictures())
    limited = with_scopes(organizer, "read", "submit")
    other = with_scopes(stranger, "read", "submit", "organize")
    for visitor, status in ((limited, 403), (other, 404), (APIClient(), 401)):
        assert visitor.get(PLACE).status_code == status
        assert visitor.delete(SURVEY).status_code == status
        assert visitor.post(SURVEY, {}, format="json").status_code == status
        fields = {"upload": str(Upload.objects.get().pk)}
        assert visitor.post(PLACE, fields, format="json").status_code == status
    assert DataSurvey.objects.get().state == "waiting"
