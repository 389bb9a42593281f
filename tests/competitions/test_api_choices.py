"""What a team asks and decides over the API: final choices, whether an archive would be taken, a board by slices."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_team, issue_token
from competitions.models import FinalChoice, Phase, QuotaEntry, Run, Submission
from competitions.services.moderation import rescore_phase
from evaluation.spec import MetricSuite
from tests.api_fixtures import API, error_of
from tests.boards import enter_runs, store_board

ADMISSION, SLICE = f"{API}/competitions/small/admission/", f"{API}/competitions/small/leaderboard/slice/"


def final(run: Run) -> str:
    return f"{API}/submissions/{run.submission_id}/final/"


def test_a_choice_is_made_shown_and_taken_back(member: APIClient, scored: Run) -> None:
    path = f"{API}/submissions/{scored.submission_id}/"
    assert member.get(path).json()["is_final"] is False
    for _ in range(2):
        answer = member.post(final(scored), {}, format="json")
        assert (answer.status_code, answer.json()["is_final"]) == (200, True)
    assert FinalChoice.objects.get().submission_id == scored.submission_id
    assert [row["is_final"] for row in member.get(f"{API}/submissions/").json()["results"]] == [True]
    for _ in range(2):
        assert member.delete(final(scored)).status_code == 204
    assert member.get(path).json()["is_final"] is False


def test_a_repeated_choice_gets_the_first_answer(member: APIClient, scored: Run) -> None:
    headers = {"Idempotency-Key": "one"}
    first = member.post(final(scored), {}, format="json", headers=headers)
    member.delete(final(scored))
    again = member.post(final(scored), {}, format="json", headers=headers)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert not FinalChoice.objects.exists()


def test_choices_follow_the_rules_of_the_page(
    member: APIClient,
    anonymous: APIClient,
    caller: Callable[[User], APIClient],
    organizer: User,
    stranger: User,
    researcher: User,
    scored: Run,
    submit: Callable[[str], Submission],
    phase: Phase,
) -> None:
    assert anonymous.post(final(scored), {}, format="json").status_code == 401
    for user in (organizer, stranger):
        answer = caller(user).post(final(scored), {}, format="json")
        assert (answer.status_code, error_of(answer)["code"]) == (403, "NOT_A_TEAM_MEMBER")
    _, key = issue_token(user=researcher, name="reader", scopes=["read"])
    reader = APIClient(headers={"Authorization": f"Token {key}"})
    assert error_of(reader.post(final(scored), {}, format="json"))["code"] == "SCOPE_MISSING"
    waiting = submit("second").runs.get()
    assert error_of(member.post(final(waiting), {}, format="json"))["code"] == "ILLEGAL_TRANSITION"
    Phase.objects.update(finals_per_team=0)
    assert error_of(member.post(final(scored), {}, format="json"))["code"] == "TOO_MANY_FINALS"
    Phase.objects.update(closes_at=timezone.now(), finals_per_team=1)
    for answer in (member.post(final(scored), {}, format="json"), member.delete(final(scored))):
        assert (answer.status_code, error_of(answer)["code"]) == (403, "PHASE_CLOSED")
    assert not FinalChoice.objects.exists()


def test_who_may_hand_in_learns_what_is_left(member: APIClient, phase: Phase) -> None:
    answer = member.get(ADMISSION, {"sha256": "0" * 64})
    assert answer.status_code == 200
    assert answer.json() == {
        "competition": "small",
        "phase": "main",
        "team": "rosalba",
        "quota": {"limit": 3, "used": 0, "left": 3},
    }
    assert not Submission.objects.exists()
    assert not QuotaEntry.objects.exists()


def test_a_repeat_is_refused_to_the_team_that_made_it(
    member: APIClient, scored: Run, researcher: User
) -> None:
    sha256 = scored.submission.archive.sha256
    other = create_team(name="Other", owner=researcher)
    answer = member.get(ADMISSION, {"sha256": sha256})
    assert (answer.status_code, error_of(answer)["code"]) == (409, "DUPLICATE_SUBMISSION")
    assert member.get(ADMISSION).status_code == 200
    assert member.get(ADMISSION, {"sha256": sha256, "team": other.slug}).status_code == 200
    assert error_of(member.get(ADMISSION, {"team": "strangers"}))["code"] == "NOT_A_TEAM_MEMBER"
    assert error_of(member.get(ADMISSION, {"sha256": "abc"}))["fields"].keys() == {"sha256"}


def test_a_used_up_quota_and_a_closed_phase_are_told_before_anything_is_sent(
    member: APIClient, anonymous: APIClient, scored: Run
) -> None:
    Phase.objects.update(runs_per_day=1)
    answer = member.get(ADMISSION)
    assert (answer.status_code, error_of(answer)["code"]) == (429, "QUOTA_EXCEEDED")
    assert int(answer["Retry-After"]) > 0
    Phase.objects.update(opens_at=timezone.now() - timedelta(days=2), closes_at=timezone.now())
    answer = member.get(ADMISSION)
    assert (answer.status_code, error_of(answer)["code"]) == (403, "PHASE_CLOSED")
    assert anonymous.get(ADMISSION).status_code == 401


def test_a_slice_orders_the_board_and_says_how_large_it_is(anonymous: APIClient, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 4))
    body = anonymous.get(SLICE, {"axis": "culture", "slice": "South"}).json()
    rows = body.pop("rows")
    assert body == {
        "competition": "small",
        "phase": "main",
        "suite": "sts-test-1",
        "axis": "culture",
        "slice": "South",
        "n_pairs": 12,
        "n_styles": 6,
    }
    # the best there is the last on the whole board, and the intervals tell nobody apart
    assert [row["name"] for row in rows] == [f"generator-000{n}" for n in (3, 2, 1, 0)]
    assert [(row["place_low"], row["place_high"]) for row in rows] == [(1, 3)] * 3 + [(None, None)]
    assert rows[0]["headline"] == {"value": 0.2 + 0.0001 * 3, "low": 0.15, "high": 0.3}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"axis": "culture", "slice": "East"}, 409, "SLICE_TOO_THIN"),
        ({"axis": "culture", "slice": "West"}, 404, "NOT_FOUND"),
        ({"axis": "style_family", "slice": "South"}, 404, "NOT_FOUND"),
        ({"axis": "weather", "slice": "South"}, 400, "INVALID_INPUT"),
        ({"axis": "culture"}, 400, "INVALID_INPUT"),
        ({"axis": "culture", "slice": "South", "phase": "none"}, 404, "NOT_FOUND"),
    ],
)
def test_a_slice_that_cannot_be_ranked_says_why(
    anonymous: APIClient, phase: Phase, query: dict[str, str], status: int, code: str
) -> None:
    store_board(phase, enter_runs(phase, 2))
    answer = anonymous.get(SLICE, query)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    if code == "SLICE_TOO_THIN":
        assert error_of(answer)["message"] == "n = 9: too few to rank."


def test_the_runs_of_a_submission_cost_the_same_however_many_there_are(
    member: APIClient, scored: Run, phase: Phase, organizer: User, suite: MetricSuite
) -> None:
    path = f"{API}/submissions/{scored.submission_id}/runs/"
    member.get(path)  # notes that the token was used
    with CaptureQueriesContext(connection) as one:
        assert member.get(path).json()["count"] == 1
    fields = {
        name: getattr(scored, name) for name in ("submission", "state", "suite", "queued_at", "finished_at")
    }
    for number in range(2, 7):
        Run.objects.create(**fields, sequence=number, pair_scores=scored.pair_scores, n_pairs=6, n_valid=6)
    with CaptureQueriesContext(connection) as six:
        answer = member.get(path).json()
    assert answer["count"] == 6
    assert len({row["id"] for row in answer["results"]}) == 6
    assert len(six) == len(one)
    rescore_phase(phase_pk=phase.pk, suite=suite, user=organizer)
    first = member.get(path, {"limit": 2}).json()
    assert [row["id"] for row in first["results"]] == [
        row["id"] for row in member.get(path).json()["results"]
    ][:2]
