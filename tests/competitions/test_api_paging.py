"""Long lists come in pages; a cursor leads on without gaps or repetitions, whatever is added meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_token
from competitions.models import Competition, Submission
from competitions.services.competitions import create_competition, publish
from tests.api_fixtures import API, error_of


@pytest.fixture
def many(organizer: User) -> list[str]:
    """Seven competitions, two of each moment; the slugs, newest first."""
    now = timezone.now()
    for n in range(7):
        made = create_competition(slug=f"c{n}", title="C", summary="", description="", organizer=organizer)
        publish(competition=made)
        Competition.objects.filter(pk=made.pk).update(created_at=now + timedelta(seconds=n // 2))
    return [f"c{n}" for n in reversed(range(7))]


def walk(
    client: APIClient, path: str, limit: int, meanwhile: Callable[[], object] = lambda: None
) -> list[dict]:
    """Follow the cursors to the end."""
    rows, cursor = [], ""
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"{API}/{path}", query).json()
        assert len(page["results"]) <= limit
        rows += page["results"]
        cursor = page["next_cursor"]
        if cursor is None:
            return rows
        meanwhile()


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_cursors_lead_through_the_whole_list(anonymous: APIClient, many: list[str], limit: int) -> None:
    assert [row["slug"] for row in walk(anonymous, "competitions/", limit)] == many


def test_what_is_added_meanwhile_shifts_nothing(
    anonymous: APIClient, many: list[str], organizer: User
) -> None:
    names = iter(range(100, 200))

    def add() -> None:
        slug = f"new{next(names)}"
        made = create_competition(slug=slug, title="N", summary="", description="", organizer=organizer)
        publish(competition=made)
        Competition.objects.filter(pk=made.pk).update(created_at=timezone.now() + timedelta(days=1))

    assert [row["slug"] for row in walk(anonymous, "competitions/", 2, add)] == many


def test_a_page_says_how_many_there_are_and_older_programs_count_lines(
    anonymous: APIClient, many: list[str]
) -> None:
    first = anonymous.get(f"{API}/competitions/", {"limit": 3}).json()
    assert (first["count"], first["next_offset"]) == (7, 3)
    second = anonymous.get(f"{API}/competitions/", {"limit": 3, "offset": 3}).json()
    assert [row["slug"] for row in second["results"]] == many[3:6]
    last = anonymous.get(f"{API}/competitions/", {"limit": 3, "offset": 6}).json()
    assert (last["next_offset"], last["next_cursor"]) == (None, None)


@pytest.mark.parametrize("cursor", ["x", "abc:def:ghi", "'; drop table", "WyJjMSJd"])
def test_a_made_up_cursor_is_refused(anonymous: APIClient, many: list[str], cursor: str) -> None:
    answer = anonymous.get(f"{API}/competitions/", {"cursor": cursor})
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["cursor"])
    assert error_of(answer)["fix"]


def test_a_cursor_belongs_to_its_list(member: APIClient, many: list[str], phase: object) -> None:
    cursor = member.get(f"{API}/competitions/", {"limit": 1}).json()["next_cursor"]
    answer = member.get(f"{API}/competitions/small/pairs/", {"cursor": cursor})
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["cursor"])


def test_lists_by_name_and_by_time_have_cursors(
    member: APIClient, researcher: User, submit: Callable[[str], Submission]
) -> None:
    made = [str(submit(name).pk) for name in ("one", "two", "three")]
    assert [row["id"] for row in walk(member, "submissions/", 2)] == made[::-1]
    assert [row["id"] for row in walk(member, "competitions/small/pairs/", 1)] == ["p000", "p001"]
    for n in range(3):
        issue_token(user=researcher, name=f"token-{n}")
    listed = [row["name"] for row in walk(member, "tokens/", 1)]
    assert listed == ["token-2", "token-1", "token-0", "test"]


@pytest.mark.parametrize(
    "query", ["limt=1", "limit=", "limit=1&limit=2", "limit=１", "limit=+1", "offset=1e1", "page=2"]
)
def test_unknown_doubled_and_odd_parameters_are_refused_by_name(
    anonymous: APIClient, many: list[str], query: str
) -> None:
    answer = anonymous.get(f"{API}/competitions/?{query}")
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, [query.partition("=")[0]])
