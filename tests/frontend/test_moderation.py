"""The buttons of a submission's page: run again, disqualify with a reason that the team reads, reinstate."""

import re

import pytest
from django.test import Client

from accounts.models import User
from competitions.models import Disqualification, Run, Submission
from competitions.services.submissions import cancel_submission


@pytest.fixture
def organizing(client: Client, organizer: User) -> Client:
    """The organizer's browser."""
    client.force_login(organizer)
    return client


def test_a_team_runs_again_what_it_cancelled(
    client: Client, submission: Submission, researcher: User
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    client.force_login(researcher)
    assert "Run again as it is" in client.get(f"/s/{submission.pk}/").content.decode()
    page = client.post(f"/s/{submission.pk}/retry/", follow=True).content.decode()
    assert "The submission was queued anew." in page
    assert "Run again as it is" not in page
    assert 'data-state="queued"' in page


def test_an_organizer_has_a_submission_run_again(organizing: Client, scored: Run) -> None:
    page = organizing.post(f"/s/{scored.submission_id}/rerun/", follow=True).content.decode()
    assert "The submission was queued anew." in page
    assert scored.submission.runs.get(state="queued").events.get().actor == "user organizer"


def test_the_team_reads_why_it_is_disqualified_until_it_is_reinstated(
    organizing: Client, scored: Run, researcher: User
) -> None:
    url, team = f"/s/{scored.submission_id}/", Client()
    team.force_login(researcher)
    page = organizing.post(f"{url}disqualify/", {"reason": "It <copies>."}, follow=True).content.decode()
    assert "The submission was disqualified." in page
    assert "It &lt;copies&gt;." in team.get(url).content.decode()
    page = organizing.post(f"{url}reinstate/", follow=True).content.decode()
    assert "The submission was reinstated." in page
    assert "It &lt;copies&gt;." not in team.get(url).content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_fitting_reason_nobody_is_disqualified(
    organizing: Client, scored: Run, reason: str
) -> None:
    answer = organizing.post(f"/s/{scored.submission_id}/disqualify/", {"reason": reason})
    assert answer.status_code == 400
    assert "INVALID_INPUT" in answer.content.decode()
    assert not Disqualification.objects.exists()


def test_a_decision_that_came_too_late_is_explained_in_the_readers_language(
    organizing: Client, scored: Run
) -> None:
    organizing.cookies["django_language"] = "zh-hans"
    answer = organizing.post(f"/s/{scored.submission_id}/reinstate/")
    assert answer.status_code == 400
    assert "此提交未被取消资格。" in answer.content.decode()


def test_the_page_of_an_organizer_keeps_its_ids_apart(organizing: Client, scored: Run) -> None:
    ids = re.findall(r' id="([^"]+)"', organizing.get(f"/s/{scored.submission_id}/").content.decode())
    assert {"moderation", "reason"} <= set(ids)
    assert len(ids) == len(set(ids))
