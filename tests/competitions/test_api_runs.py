"""Runs over the API: progress, log and scores; single values of public pairs only."""

import hashlib
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import Run, RunOutput, Submission
from competitions.rules import RunState
from competitions.services import queue, results, runs
from competitions.services.queue import create_run
from competitions.services.workers import Ability, register_worker
from tests.api_fixtures import API, pairs_of, score_of
from tests.progress import report_progress


def test_a_run_shows_its_progress(member: APIClient, submission: Submission) -> None:
    held = queue.claim(worker="worker-1", ability=Ability("test", True))
    assert held is not None
    runs.advance(held, RunState.LOADING)
    runs.advance(held, RunState.GENERATING)
    report_progress(held, 4)
    body = member.get(f"{API}/runs/{held.run_id}/").json()
    assert (body["state"], body["stage"]) == ("generating", "generating")
    assert (body["pairs_done"], body["pairs_total"]) == (4, 6)
    assert (body["attempt"], body["queue_place"], body["waiting_reason"]) == (1, None, "")
    assert body["started_at"] <= body["last_sign_of_life"]
    assert (body["finished_at"], body["failure"]) == (None, None)


def test_a_waiting_run_says_why_no_worker_takes_it(member: APIClient, submission: Submission) -> None:
    ability = Ability(
        "process", can_run_untrusted=False, reason="bubblewrap is not installed", advice="Install it."
    )
    register_worker(name="worker-1", ability=ability)
    body = member.get(f"{API}/runs/{Run.objects.get().pk}/").json()
    assert body["waiting_reason"] == "bubblewrap is not installed"


def test_a_failure_tells_what_to_do_and_what_it_cost(member: APIClient, submission: Submission) -> None:
    held = queue.claim(worker="worker-1", ability=Ability("test", True))
    assert held is not None
    runs.fail(held, code="PAIR_TIMEOUT", detail="12.1 s instead of 10 s.")
    body = member.get(f"{API}/runs/{held.run_id}/").json()
    assert body["state"] == "failed"
    assert body["finished_at"]
    failure = body["failure"]
    assert set(failure) == {"code", "sentence", "detail", "advice", "fault", "charged"}
    assert (failure["code"], failure["fault"], failure["charged"]) == ("PAIR_TIMEOUT", "participant", True)
    assert failure["detail"] == "12.1 s instead of 10 s."
    assert failure["advice"]


def test_each_run_of_a_submission_has_its_own_address(
    member: APIClient, scored: Run, submission: Submission
) -> None:
    again = create_run(submission=submission, purpose=Run.Purpose.DRY_RUN, actor="operator")
    assert member.get(f"{API}/runs/{scored.pk}/").json()["state"] == "scored"
    assert member.get(f"{API}/runs/{again.pk}/").json()["state"] == "queued"
    assert member.get(f"{API}/submissions/{submission.pk}/").json()["run"]["id"] == str(again.pk)


def test_the_log_is_read_piece_by_piece(member: APIClient, submission: Submission) -> None:
    held = queue.claim(worker="worker-1", ability=Ability("test", True))
    assert held is not None
    results.append_log(held, text="läuft\n", is_withheld=False)
    path = f"{API}/runs/{held.run_id}/log/"
    first = member.get(path).json()
    assert first == {"offset": 0, "next_offset": 6, "text": "läuft\n", "withheld": False, "ended": False}
    results.append_log(held, text="more\n", is_withheld=False)
    second = member.get(path, {"offset": first["next_offset"]}).json()
    assert (second["offset"], second["text"], second["next_offset"]) == (6, "more\n", 11)
    assert member.get(path, {"offset": 99}).json()["text"] == ""


def test_what_is_logged_beside_hidden_images_is_withheld(member: APIClient, scored: Run) -> None:
    body = member.get(f"{API}/runs/{scored.pk}/log/").json()
    assert body["text"] == "loading weights\nmade public\nmade public\n"
    assert (body["withheld"], body["ended"]) == (True, True)


@pytest.mark.parametrize("offset", ["-1", "x", "1e3", "0x1"])
def test_a_senseless_offset_is_refused(member: APIClient, submission: Submission, offset: str) -> None:
    answer = member.get(f"{API}/runs/{Run.objects.get().pk}/log/", {"offset": offset})
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["offset"]


def test_the_log_is_its_teams_even_when_the_scores_are_public(
    anonymous: APIClient,
    scored: Run,
    stranger: User,
    organizer: User,
    staff: User,
    caller: Callable[[User], APIClient],
) -> None:
    path = f"{API}/runs/{scored.pk}/log/"
    for client, status in [
        (anonymous, 404),
        (caller(stranger), 404),
        (caller(organizer), 200),
        (caller(staff), 200),
    ]:
        assert client.get(path).status_code == status


def test_scores_are_aggregates_over_hidden_pairs_and_values_of_public_ones(
    anonymous: APIClient, scored: Run
) -> None:
    body = anonymous.get(f"{API}/runs/{scored.pk}/scores/").json()
    assert (body["suite"], body["n"], body["n_valid"]) == ("sts-test-1", 6, 6)
    hidden = [score_of(i) for i in range(2, 6)]
    headline = body["scores"]["headline"]
    assert headline["value"] == pytest.approx(sum(hidden) / 4, rel=1e-12)
    assert headline["low"] < headline["value"] < headline["high"]
    assert set(body["scores"]) == {"headline", "content", "style", "seconds"}
    assert [row["id"] for row in body["pairs"]] == ["p000", "p001"]
    row = body["pairs"][1]
    assert row["values"] == {
        "headline": score_of(1), "content": 0.9, "style": score_of(1) / 2, "seconds": 0.25
    }  # fmt: skip
    assert (row["invalid"], row["seconds"], row["style_family"]) == ("", 0.25, "family-1")
    public = pairs_of(scored.submission, "public")[1]
    assert row["output_url"] == f"http://testserver/images/runs/{scored.pk}/{public.pk}/"
    output = b"".join(anonymous.get(row["output_url"]).streaming_content)
    made = RunOutput.objects.get(run=scored, pair=public).artifact
    assert hashlib.sha256(output).hexdigest() == made.sha256


def test_before_the_end_there_are_no_scores(member: APIClient, submission: Submission) -> None:
    answer = member.get(f"{API}/runs/{Run.objects.get().pk}/scores/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert "queued" in answer.json()["error"]["message"]
