"""Phases, datasets, suites, teams, runs and tables over the API: what is there, for whom, and nothing hidden."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import Membership, User
from accounts.services import create_team
from competitions.models import Competition, Phase, Run, Submission
from competitions.services.queue import create_run
from evaluation.spec import parse_suite
from tests.api_fixtures import API, error_of, score_of


def test_phases_tell_what_their_runs_are_scored_by(anonymous: APIClient, phase: Phase) -> None:
    (shown,) = anonymous.get(f"{API}/competitions/small/phases/").json()["results"]
    assert shown == anonymous.get(f"{API}/competitions/small/phases/main/").json()
    assert (shown["slug"], shown["state"], shown["runs_per_day"], shown["runs_total"]) == (
        "main",
        "open",
        3,
        100,
    )
    assert (shown["suite"], shown["n_public"], shown["n_hidden"]) == ("sts-test-1", 2, 4)
    assert shown["suite_digest"] == parse_suite(phase.suite.document).digest
    assert anonymous.get(f"{API}/competitions/small/phases/nothing/").status_code == 404


def test_a_dataset_shows_its_public_part(anonymous: APIClient, phase: Phase) -> None:
    (shown,) = anonymous.get(f"{API}/datasets/").json()["results"]
    assert shown == anonymous.get(f"{API}/datasets/small/1/").json()
    version = phase.dataset_version
    assert shown == {
        "slug": "small",
        "title": "Small pairs",
        "version": 1,
        "digest": version.digest,
        "size": 64,
        "credits": version.credits,
        "n_public": 2,
        "n_hidden": 4,
        "created_at": version.created_at.isoformat().replace("+00:00", "Z"),
    }
    pairs = anonymous.get(f"{API}/datasets/small/1/pairs/").json()
    assert pairs == anonymous.get(f"{API}/competitions/small/pairs/").json()
    for path in ("small/2/", "nothing/1/", "small/99999999999999999999/", "small/2/pairs/"):
        assert anonymous.get(f"{API}/datasets/{path}").status_code == 404


def test_a_suite_shows_every_number_of_it(anonymous: APIClient, phase: Phase) -> None:
    (listed,) = anonymous.get(f"{API}/suites/").json()["results"]
    shown = anonymous.get(f"{API}/suites/sts-test-1/").json()
    assert listed | {"document": shown["document"]} == shown
    assert parse_suite(json.dumps(shown["document"])).digest == shown["digest"]
    assert anonymous.get(f"{API}/suites/nothing/").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["competitions/small/phases/", "datasets/small/1/", "datasets/small/1/pairs/", "suites/sts-test-1/"],
)
def test_what_only_unpublished_competitions_use_is_their_organizers(
    anonymous: APIClient,
    phase: Phase,
    stranger: User,
    organizer: User,
    caller: Callable[[User], APIClient],
    path: str,
) -> None:
    Competition.objects.update(is_published=False)
    for client, status in [(anonymous, 404), (caller(stranger), 404), (caller(organizer), 200)]:
        assert client.get(f"{API}/{path}").status_code == status
    assert anonymous.get(f"{API}/datasets/").json()["results"] == []
    assert anonymous.get(f"{API}/suites/").json()["results"] == []


def test_teams_are_shown_to_their_members(
    member: APIClient, researcher: User, stranger: User, caller: Callable[[User], APIClient]
) -> None:
    team = create_team(name="Venice", owner=stranger)
    Membership.objects.create(team=team, user=researcher)
    listed = member.get(f"{API}/teams/").json()["results"]
    assert listed == [{"slug": "rosalba", "name": "rosalba"}, {"slug": "venice", "name": "Venice"}]
    shown = member.get(f"{API}/teams/venice/").json()
    assert (shown["is_personal"], shown["members"]) == (
        False,
        [{"username": "stranger", "role": "owner"}, {"username": "rosalba", "role": "member"}],
    )
    answer = caller(stranger).get(f"{API}/teams/rosalba/")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")


def test_all_runs_of_a_submission_are_listed_newest_first(
    member: APIClient, anonymous: APIClient, scored: Run, submission: Submission
) -> None:
    again = create_run(submission=submission, actor="operator", is_free=True)
    body = member.get(f"{API}/submissions/{submission.pk}/runs/").json()
    assert [row["id"] for row in body["results"]] == [str(again.pk), str(scored.pk)]
    assert [row["state"] for row in body["results"]] == ["queued", "scored"]
    assert anonymous.get(f"{API}/submissions/{submission.pk}/runs/").status_code == 200
    assert anonymous.get(f"{API}/submissions/{scored.pk}/runs/").status_code == 404


def test_runs_that_nobody_may_see_are_not_listed(anonymous: APIClient, submission: Submission) -> None:
    assert anonymous.get(f"{API}/submissions/{submission.pk}/runs/").status_code == 404


def test_single_values_and_pictures_are_those_of_released_pairs(
    anonymous: APIClient, scored: Run, submission: Submission
) -> None:
    pairs = anonymous.get(f"{API}/runs/{scored.pk}/pairs/").json()
    assert pairs["count"] == 2
    assert pairs["results"] == anonymous.get(f"{API}/runs/{scored.pk}/scores/").json()["pairs"]
    outputs = anonymous.get(f"{API}/runs/{scored.pk}/outputs/").json()["results"]
    assert [row["id"] for row in outputs] == ["p000", "p001"]
    assert [row["output_url"] for row in outputs] == [row["output_url"] for row in pairs["results"]]
    picture = anonymous.get(outputs[0]["output_url"])
    assert b"".join(picture.streaming_content).startswith(b"\x89PNG")
    picture.close()


def test_before_the_end_there_are_pictures_and_no_values(member: APIClient, submission: Submission) -> None:
    run = Run.objects.get()
    assert member.get(f"{API}/runs/{run.pk}/outputs/").json()["results"] == []
    assert member.get(f"{API}/runs/{run.pk}/pairs/").status_code == 404


def test_the_board_comes_as_a_table_in_full_precision(anonymous: APIClient, scored: Run) -> None:
    path = f"{API}/competitions/small/leaderboard.csv"
    answer = anonymous.get(path)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    (board,) = anonymous.get(f"{API}/competitions/small/leaderboard/").json()["rows"]
    assert float(row["headline"]) == board["headline"]
    assert float(row["headline_low"]) == board["headline_low"]
    assert (row["rank"], row["name"], row["run_id"]) == ("1", "identity", str(scored.pk))
    assert repr(score_of(2)) not in answer.content.decode() or board["headline_low"] == score_of(2)
    again = anonymous.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_name_in_the_table_is_no_formula(anonymous: APIClient, scored: Run) -> None:
    Submission.objects.update(name="=HYPERLINK(1)")
    (row,) = csv.DictReader(
        io.StringIO(anonymous.get(f"{API}/competitions/small/leaderboard.csv").content.decode())
    )
    assert row["name"] == "'=HYPERLINK(1)"
