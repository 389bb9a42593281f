"""Submissions over the API: who cancels, lists and sees them."""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import Competition, Phase, Run, Submission
from competitions.services import queue
from competitions.services.workers import Ability
from tests.api_fixtures import API, error_of

PATH = f"{API}/submissions/"


def test_the_team_cancels_its_run_once(member: APIClient, submission: Submission) -> None:
    answer = member.post(f"{PATH}{submission.pk}/cancel/")
    assert answer.status_code == 200
    assert answer.json()["run"]["state"] == "cancelled"
    assert answer.json()["quota"] == {"limit": 3, "used": 0, "left": 3}
    again = member.post(f"{PATH}{submission.pk}/cancel/")
    assert (again.status_code, error_of(again)["code"]) == (409, "ILLEGAL_TRANSITION")


def test_others_cancel_nothing(
    anonymous: APIClient, submission: Submission, stranger: User, caller: Callable[[User], APIClient]
) -> None:
    path = f"{PATH}{submission.pk}/cancel/"
    assert anonymous.post(path).status_code == 401
    assert caller(stranger).post(path).status_code == 404
    assert Run.objects.get().state == "queued"


def test_who_only_sees_a_submission_may_not_cancel_it(
    scored: Run, stranger: User, caller: Callable[[User], APIClient]
) -> None:
    answer = caller(stranger).post(f"{PATH}{scored.submission_id}/cancel/")
    assert (answer.status_code, error_of(answer)["code"]) == (403, "NOT_ALLOWED")


def test_organizers_and_staff_may_cancel(
    submit: Callable[[str], Submission], organizer: User, staff: User, caller: Callable[[User], APIClient]
) -> None:
    for user in (organizer, staff):
        row = submit(f"by-{user.username}")
        answer = caller(user).post(f"{PATH}{row.pk}/cancel/")
        assert answer.status_code == 200
        assert answer.json()["quota"] is None  # they are not of the team
        assert row.runs.get().state == "cancelled"


def test_cancelling_takes_no_fields(member: APIClient, submission: Submission) -> None:
    answer = member.post(f"{PATH}{submission.pk}/cancel/", {"reason": "late"}, format="json")
    assert answer.status_code == 400
    assert list(error_of(answer)["fields"]) == ["reason"]
    assert Run.objects.get().state == "queued"


def test_the_list_is_the_teams_newest_first(
    member: APIClient,
    submit: Callable[[str], Submission],
    stranger: User,
    organizer: User,
    caller: Callable[[User], APIClient],
) -> None:
    first, second = submit("first"), submit("second")
    body = member.get(PATH).json()
    assert [row["id"] for row in body["results"]] == [str(second.pk), str(first.pk)]
    assert [row["run"]["queue_place"] for row in body["results"]] == [2, 1]
    for user in (stranger, organizer):
        assert caller(user).get(PATH).json()["results"] == []


def test_the_list_costs_as_many_queries_for_many_as_for_one(
    member: APIClient, submit: Callable[[str], Submission]
) -> None:
    submit("first")
    one = _count_queries(member)
    submit("second")
    queue.claim(worker="worker-1", ability=Ability("test", True))
    submit("third")
    assert member.get(PATH).json()["count"] == 3
    assert _count_queries(member) == one


def test_a_waiting_submission_is_its_teams_only(
    anonymous: APIClient,
    member: APIClient,
    submission: Submission,
    stranger: User,
    organizer: User,
    caller: Callable[[User], APIClient],
) -> None:
    path = f"{PATH}{submission.pk}/"
    for client, status in [
        (anonymous, 404),
        (caller(stranger), 404),
        (member, 200),
        (caller(organizer), 200),
    ]:
        assert client.get(path).status_code == status


def test_a_scored_submission_is_for_everybody_who_sees_the_competition(
    anonymous: APIClient, scored: Run
) -> None:
    path = f"{PATH}{scored.submission_id}/"
    body = anonymous.get(path).json()
    assert body["run"]["state"] == "scored"
    assert body["quota"] is None
    Competition.objects.update(is_published=False)
    assert anonymous.get(path).status_code == 404


@pytest.mark.parametrize("text", ["1", "nothing", "x" * 36, "{00000000-0000-0000-0000-000000000000}"])
def test_what_is_no_id_is_refused(member: APIClient, phase: Phase, text: str) -> None:
    for path in (f"submissions/{text}/", f"runs/{text}/", f"runs/{text}/log/"):
        answer = member.get(f"{API}/{path}")
        assert (answer.status_code, error_of(answer)["code"]) == (400, "INVALID_INPUT")
        assert error_of(answer)["fix"]


def test_an_unknown_id_is_404(member: APIClient, phase: Phase) -> None:
    for path in ("submissions/{}/", "runs/{}/", "runs/{}/log/", "runs/{}/scores/"):
        answer = member.get(f"{API}/{path.format(uuid.uuid4())}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")


def _count_queries(client: APIClient) -> int:
    client.get(PATH)  # the use of the token is noted once a minute
    with CaptureQueriesContext(connection) as queries:
        assert client.get(PATH).status_code == 200
    return len(queries)
