"""`manage.py moderate`: decisions from a shell, each in somebody's name."""

import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from competitions.models import DatasetVersion, Disqualification, Phase, Run, Submission


def moderate(*arguments: object) -> str:
    """Run the command and return what it says."""
    said = StringIO()
    call_command("moderate", *map(str, arguments), stdout=said)
    return said.getvalue()


def test_a_submission_is_run_again(scored: Run, organizer: User) -> None:
    said = moderate("rerun", scored.submission_id, "--by=organizer")
    run = Run.objects.get(state="queued")
    assert said == f"{scored.submission_id}: queued as {run.pk}\n"
    assert run.events.get().actor == "user organizer"


def test_a_submission_is_disqualified_and_reinstated(scored: Run, staff: User, organizer: User) -> None:
    key = scored.submission_id
    assert moderate("disqualify", key, "--reason=It copies.", "--by=operator") == f"{key}: disqualified\n"
    with pytest.raises(CommandError, match="ILLEGAL_TRANSITION"):
        moderate("disqualify", key, "--reason=Again.", "--by=operator")
    assert moderate("reinstate", key, "--by=organizer") == f"{key}: reinstated\n"
    row = Disqualification.objects.get()
    assert (row.reason, row.decided_by, row.lifted_by) == ("It copies.", staff, organizer)


def test_a_phase_is_scored_by_another_suite(scored: Run, organizer: User) -> None:
    DatasetVersion.objects.update(size=256)
    said = moderate("rescore", "small/main", "--suite=sts-demo-2", "--by=organizer")
    assert said == "small/main: sts-demo-2 from now on, 1 rescorings are queued\n"
    assert Phase.objects.get().suite.name == "sts-demo-2"
    assert Run.objects.get(purpose="rescore").source == scored


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"phase": "small"}, "NOT_FOUND: There is no phase 'small'. Known: small/main."),
        ({"suite": "nothing"}, "There is no metric suite 'nothing'. Known suites: sts-1"),
        ({"by": "nobody"}, "NOT_FOUND: There is no user 'nobody'."),
        ({"by": "rosalba"}, "NOT_ALLOWED: Only the organizers"),
        ({}, "INVALID_INPUT: .*256 px; the dataset has 64 px.* Choose a suite"),
    ],
)
def test_what_does_not_fit_is_told_with_advice(
    scored: Run, organizer: User, changes: dict[str, str], told: str
) -> None:
    given = {"phase": "small/main", "suite": "sts-demo-2", "by": "organizer"} | changes
    with pytest.raises(CommandError, match=told):
        moderate("rescore", given["phase"], f"--suite={given['suite']}", f"--by={given['by']}")
    assert Phase.objects.get().suite.name == "sts-test-1"


def test_an_id_of_nothing_and_what_is_no_id_are_refused(submission: Submission, organizer: User) -> None:
    for action in (["rerun"], ["disqualify", "--reason=Why."], ["reinstate"]):
        with pytest.raises(CommandError, match="NOT_FOUND"):
            moderate(*action, uuid.uuid4(), "--by=organizer")
        with pytest.raises(CommandError, match="invalid UUID value"):
            moderate(*action, "7a0c", "--by=organizer")
