"""Moderation over the API: what comes back, and what is refused whoever asks."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import (
    Competition,
    DatasetVersion,
    Disqualification,
    Phase,
    QuotaEntry,
    Run,
    Submission,
)
from competitions.services import queue
from competitions.services.competitions import store_suite
from competitions.services.moderation import rescore
from competitions.services.submissions import cancel_submission
from competitions.services.workers import Ability
from evaluation.spec import load_suite, suite_ids
from tests.api_fixtures import API, error_of

RESCORE = f"{API}/competitions/small/phases/main/rescore/"


@pytest.fixture
def organizing(caller: Callable[[User], APIClient], organizer: User) -> APIClient:
    """The organizer's program."""
    return caller(organizer)


def address(submission: Submission, action: str) -> str:
    """Return where an action on a submission is taken."""
    return f"{API}/submissions/{submission.pk}/{action}/"


def test_a_team_repeats_a_cancelled_run_and_pays_for_it(
    member: APIClient, submission: Submission, researcher: User
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    answer = member.post(address(submission, "retry"))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["run"]["state"], body["run"]["purpose"]) == ("queued", "score")
    assert body["quota"] == {"limit": 3, "used": 1, "left": 2}
    again = member.post(address(submission, "retry"))
    assert (again.status_code, error_of(again)["code"]) == (409, "ILLEGAL_TRANSITION")
    assert error_of(again)["fix"]


def test_a_team_whose_competition_was_taken_back_still_gets_its_answer(
    member: APIClient, submission: Submission
) -> None:
    Competition.objects.update(is_published=False)
    answer = member.post(address(submission, "cancel"))
    assert (answer.status_code, answer.json()["quota"]) == (200, None)


def test_an_organizer_has_a_submission_run_again(
    organizing: APIClient, scored: Run, submission: Submission
) -> None:
    answer = organizing.post(address(submission, "rerun"))
    assert answer.status_code == 201
    assert answer.json()["run"]["id"] == str(Run.objects.get(state="queued").pk)
    again = organizing.post(address(submission, "rerun"))
    assert (again.status_code, error_of(again)["code"]) == (409, "ILLEGAL_TRANSITION")


def test_a_disqualification_comes_and_goes_with_its_reason(
    organizing: APIClient, anonymous: APIClient, scored: Run, submission: Submission
) -> None:
    answer = organizing.post(address(submission, "disqualify"), {"reason": " It copies. "}, format="json")
    assert (answer.status_code, answer.json()["disqualified_for"]) == (200, "It copies.")
    seen = anonymous.get(f"{API}/submissions/{submission.pk}/").json()
    assert seen["disqualified_for"] == "It copies."
    answer = organizing.post(address(submission, "reinstate"))
    assert (answer.status_code, answer.json()["disqualified_for"]) == (200, None)


@pytest.mark.parametrize("fields", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}])
def test_a_disqualification_needs_a_reason_that_can_be_kept(
    organizing: APIClient, scored: Run, submission: Submission, fields: dict[str, str]
) -> None:
    answer = organizing.post(address(submission, "disqualify"), fields, format="json")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "INVALID_INPUT")
    assert list(error_of(answer)["fields"]) == ["reason"]
    assert not Disqualification.objects.exists()


@pytest.mark.parametrize("action", ["retry", "rerun", "reinstate"])
def test_other_decisions_take_no_fields(
    organizing: APIClient, scored: Run, submission: Submission, action: str
) -> None:
    answer = organizing.post(address(submission, action), {"reason": "Because."}, format="json")
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["reason"])
    assert Run.objects.count() == 1


def test_a_rescoring_names_suite_and_runs(organizing: APIClient, scored: Run) -> None:
    DatasetVersion.objects.update(size=256)
    answer = organizing.post(RESCORE, {"suite": "sts-demo-2"}, format="json")
    run = Run.objects.get(purpose="rescore")
    expected = {"competition": "small", "phase": "main", "suite": "sts-demo-2", "runs": [str(run.pk)]}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert Phase.objects.get().suite.name == "sts-demo-2"
    assert organizing.get(f"{API}/runs/{run.pk}/").json()["purpose"] == "rescore"
    again = organizing.post(RESCORE, {"suite": "sts-demo-2"}, format="json")
    assert (again.status_code, error_of(again)["code"]) == (409, "ILLEGAL_TRANSITION")


@pytest.mark.parametrize("name", ["nothing", "../spec", "", None])
def test_a_suite_that_is_not_shipped_is_refused(organizing: APIClient, scored: Run, name: str | None) -> None:
    answer = organizing.post(RESCORE, {"suite": name} if name is not None else {}, format="json")
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["suite"])
    if name:
        assert all(known in error_of(answer)["message"] for known in suite_ids())
    assert Phase.objects.get().suite.name == "sts-test-1"


def test_a_suite_of_another_size_or_a_phase_that_is_not_there_is_refused(
    organizing: APIClient, scored: Run
) -> None:
    answer = organizing.post(RESCORE, {"suite": "sts-demo-2"}, format="json")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "INVALID_INPUT")
    for path in (RESCORE.replace("main", "nothing"), RESCORE.replace("small", "nothing")):
        answer = organizing.post(path, {"suite": "sts-demo-2"}, format="json")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")


@pytest.fixture
def rescoring(scored: Run) -> Run:
    """A queued rescoring of the scored run."""
    Phase.objects.update(suite=store_suite(suite=load_suite("sts-demo-2")))
    made = rescore(Run.objects.select_related("submission__phase").get(pk=scored.pk), actor="test")
    assert made is not None
    return made


def test_an_organizer_cancels_one_rescoring_and_nothing_else(
    organizing: APIClient, member: APIClient, rescoring: Run, scored: Run
) -> None:
    path = f"{API}/runs/{rescoring.pk}/cancel/"
    refused = member.post(path)
    assert (refused.status_code, error_of(refused)["code"]) == (403, "NOT_ALLOWED")
    answer = organizing.post(path, {"reason": "The suite is wrong."}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["purpose"], body["state"]) == (str(rescoring.pk), "rescore", "cancelled")
    assert rescoring.events.order_by("sequence").last().detail == "The suite is wrong."
    assert Run.objects.get(pk=scored.pk).state == "scored"
    assert QuotaEntry.objects.get().state == "charged"
    again = organizing.post(path)
    assert (again.status_code, error_of(again)["code"]) == (409, "ILLEGAL_TRANSITION")


def test_an_organizer_cancels_a_rerun_and_the_team_pays_nothing(
    organizing: APIClient, scored: Run, submission: Submission
) -> None:
    run = organizing.post(address(submission, "rerun")).json()["run"]
    held = queue.claim(worker="worker-1", ability=Ability("test", True))
    assert held is not None
    answer = organizing.post(f"{API}/runs/{run['id']}/cancel/")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert QuotaEntry.objects.get().run == scored


@pytest.mark.parametrize(
    ("fields", "name"), [({"reason": "x" * 501}, "reason"), ({"why": "Because."}, "why")]
)
def test_the_end_of_a_run_takes_a_short_reason_or_none(
    organizing: APIClient, submission: Submission, fields: dict[str, str], name: str
) -> None:
    answer = organizing.post(f"{API}/runs/{submission.runs.get().pk}/cancel/", fields, format="json")
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, [name])
    assert submission.runs.get().state == "queued"


def test_a_run_that_is_not_there_cannot_be_cancelled(organizing: APIClient, submission: Submission) -> None:
    answer = organizing.post(f"{API}/runs/{submission.pk}/cancel/")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")
