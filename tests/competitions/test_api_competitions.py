"""Competitions, boards and public pairs over the API: who sees what, in which shape, at what cost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import Competition, LeaderboardSnapshot, Phase, Run, Submission
from competitions.services import leaderboards
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from evaluation.spec import MetricSuite
from tests.api_fixtures import API, pairs_of, score_of

ROW = {
    "rank", "rank_low", "rank_high", "group", "group_last", "p_next", "name", "team", "kind", "submission",
    "headline", "headline_low",
    "headline_high", "content", "style", "values", "slices", "seconds_per_image", "unranked_reason", "flags",
}  # fmt: skip


def test_the_list_tells_window_suite_and_counts(anonymous: APIClient, phase: Phase) -> None:
    body = anonymous.get(f"{API}/competitions/").json()
    assert body["count"] == 1
    assert body["next_offset"] is None
    assert body["results"] == [
        {
            "slug": "small",
            "title": "Small waves",
            "summary": "Waves on waves.",
            "state": "open",
            "opens_at": phase.opens_at.isoformat().replace("+00:00", "Z"),
            "closes_at": phase.closes_at.isoformat().replace("+00:00", "Z"),
            "suite": "sts-test-1",
            "n_public": 2,
            "n_hidden": 4,
        }
    ]


def test_moments_are_in_utc_whatever_zone_a_page_chose(anonymous: APIClient, phase: Phase) -> None:
    with timezone.override("Asia/Tokyo"):
        text = anonymous.get(f"{API}/competitions/").json()["results"][0]["opens_at"]
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == phase.opens_at.astimezone(UTC)


def test_a_competition_without_phase_is_listed_with_blanks(
    anonymous: APIClient, competition: Competition
) -> None:
    row = anonymous.get(f"{API}/competitions/").json()["results"][0]
    assert (row["state"], row["opens_at"], row["suite"], row["n_hidden"]) == (None, None, None, None)
    detail = anonymous.get(f"{API}/competitions/small/").json()
    assert (detail["phases"], detail["metrics"], detail["quota"]) == ([], [], None)
    answer = anonymous.get(f"{API}/competitions/small/leaderboard/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "PHASE_CLOSED")


def test_the_detail_tells_phases_limits_and_metrics(anonymous: APIClient, phase: Phase) -> None:
    body = anonymous.get(f"{API}/competitions/small/").json()
    assert body["description"] == "A test."
    (shown,) = body["phases"]
    assert shown["runs_per_day"] == 3
    assert shown["limits"] == {
        "archive_mb": 500, "memory_mb": 4096, "load_seconds": 120, "pair_seconds": 10, "run_seconds": 3600
    }  # fmt: skip
    headline = body["metrics"][0]
    assert set(headline) == {"name", "title", "direction", "unit", "family", "misses"}
    assert (headline["name"], headline["direction"]) == ("headline", "higher")


def test_the_quota_is_the_callers(anonymous: APIClient, member: APIClient, submission: Submission) -> None:
    assert anonymous.get(f"{API}/competitions/small/").json()["quota"] is None
    assert member.get(f"{API}/competitions/small/").json()["quota"] == {"limit": 3, "used": 1, "left": 2}


def test_an_unpublished_competition_is_for_organizers_and_staff(
    anonymous: APIClient,
    phase: Phase,
    caller: Callable[[User], APIClient],
    organizer: User,
    staff: User,
    stranger: User,
) -> None:
    Competition.objects.update(is_published=False)
    for path in ("", "leaderboard/", "pairs/"):
        for client, status in [
            (anonymous, 404),
            (caller(stranger), 404),
            (caller(organizer), 200),
            (caller(staff), 200),
        ]:
            answer = client.get(f"{API}/competitions/small/{path}")
            assert answer.status_code == status
            assert status == 200 or answer.json()["error"]["code"] == "NOT_FOUND"
    assert anonymous.get(f"{API}/competitions/").json()["results"] == []


def test_public_pairs_come_with_addresses_of_their_images(anonymous: APIClient, phase: Phase) -> None:
    body = anonymous.get(f"{API}/competitions/small/pairs/").json()
    assert [row["id"] for row in body["results"]] == ["p000", "p001"]
    row = body["results"][0]
    assert row | {"content_url": "", "style_url": ""} == {
        "id": "p000",
        "content_url": "",
        "style_url": "",
        "style_family": "family-0",
        "culture": "culture-0",
        "content_kind": "waves",
    }
    for side in ("content_url", "style_url"):
        image = anonymous.get(row[side])
        assert b"".join(image.streaming_content).startswith(b"\x89PNG")


def test_the_board_before_the_first_score_is_empty(anonymous: APIClient, phase: Phase) -> None:
    body = anonymous.get(f"{API}/competitions/small/leaderboard/").json()
    assert body == {
        "competition": "small", "phase": "main", "suite": "sts-test-1", "snapshot": None, "is_rescoring": False,
        "rows": [], "disqualified": [],
    }  # fmt: skip


def test_the_board_shows_numbers_in_full_precision(anonymous: APIClient, scored: Run) -> None:
    body = anonymous.get(f"{API}/competitions/small/leaderboard/?phase=main").json()
    snapshot = LeaderboardSnapshot.objects.get()
    assert (body["snapshot"]["id"], body["snapshot"]["n_pairs"]) == (snapshot.pk, 4)
    assert body["snapshot"]["seed"] == snapshot.seed
    (row,) = body["rows"]
    assert set(row) == ROW
    assert (row["rank"], row["rank_low"], row["rank_high"], row["kind"]) == (1, 1, 1, "entry")
    assert row["submission"] == str(scored.submission_id)
    hidden = [score_of(i) for i in range(2, 6)]  # fully crossed: the hierarchical mean is the plain one
    assert row["headline"] == pytest.approx(sum(hidden) / 4, rel=1e-12)
    assert row["headline"] == scored.scores.get(metric="headline", split="hidden").value
    assert row["headline_low"] <= row["headline"] <= row["headline_high"]
    assert row["values"]["headline"] == {
        "value": row["headline"], "low": row["headline_low"], "high": row["headline_high"]
    }  # fmt: skip
    assert (row["content"], row["seconds_per_image"]) == (pytest.approx(0.9), pytest.approx(0.25))


def test_the_board_is_sent_again_only_when_it_says_something_new(anonymous: APIClient, scored: Run) -> None:
    path = f"{API}/competitions/small/leaderboard/"
    tag = anonymous.get(path)["ETag"]
    again = anonymous.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    Phase.objects.update(required_coverage=0.5)
    leaderboards.refresh(phase_id=scored.submission.phase_id)
    fresh = anonymous.get(path, headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert fresh["ETag"] != tag


def test_answers_are_kept_from_shared_caches(anonymous: APIClient, phase: Phase) -> None:
    answer = anonymous.get(f"{API}/competitions/small/leaderboard/")
    assert "private" in answer["Cache-Control"]
    assert {"Authorization", "Cookie"} <= {word.strip() for word in answer["Vary"].split(",")}


@pytest.mark.parametrize(
    "path", ["nothing/", "small/leaderboard/?phase=nothing", "small/pairs/?phase=nothing"]
)
def test_what_is_not_there_is_404(anonymous: APIClient, phase: Phase, path: str) -> None:
    answer = anonymous.get(f"{API}/competitions/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=1001", "offset=-1", "offset=1.5"])
def test_a_senseless_page_is_refused(anonymous: APIClient, phase: Phase, query: str) -> None:
    answer = anonymous.get(f"{API}/competitions/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [query.partition("=")[0]]


def test_pages_follow_each_other(anonymous: APIClient, phase: Phase) -> None:
    first = anonymous.get(f"{API}/competitions/small/pairs/?limit=1").json()
    second = anonymous.get(f"{API}/competitions/small/pairs/?limit=1&offset={first['next_offset']}").json()
    assert [first["results"][0]["id"], second["results"][0]["id"]] == ["p000", "p001"]
    assert (first["count"], second["next_offset"]) == (2, None)


def test_the_list_costs_as_many_queries_for_many_as_for_one(
    member: APIClient, phase: Phase, organizer: User, suite: MetricSuite
) -> None:
    one = _count_queries(member, "/competitions/")
    for n in range(4):
        made = create_competition(slug=f"c{n}", title="C", summary="", description="", organizer=organizer)
        plan = PhasePlan("main", "Main", phase.opens_at, phase.closes_at + timedelta(days=n))
        create_phase(competition=made, plan=plan, dataset_version=phase.dataset_version, suite=suite)
        publish(competition=made)
    assert member.get(f"{API}/competitions/").json()["count"] == 5
    assert _count_queries(member, "/competitions/") == one


def test_the_board_costs_as_many_queries_for_many_rows_as_for_one(
    anonymous: APIClient,
    scored: Run,
    submit: Callable[[str], Submission],
    evaluate: Callable[[Submission], Run],
) -> None:
    path = "/competitions/small/leaderboard/"
    one = _count_queries(anonymous, path)
    for name in ("second", "third"):
        made = submit(name)
        evaluate(made)
    rows = anonymous.get(f"{API}{path}").json()["rows"]
    assert len(pairs_of(scored.submission)) == 6
    assert len(rows) >= 1
    assert _count_queries(anonymous, path) == one


def _count_queries(client: APIClient, path: str) -> int:
    client.get(f"{API}{path}")  # the use of the token is noted once a minute
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"{API}{path}").status_code == 200
    return len(queries)
