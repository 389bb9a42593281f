"""Dry runs and publishing over the API: in order, once, and by organizers' tokens only."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import Competition, Run
from competitions.services.drafts import start_draft
from competitions.services.moderation import cancel_run
from tests.api_fixtures import API
from tests.competitions.test_api_competition_files import with_scopes
from tests.competitions.test_competition_files import ready  # noqa: F401
from tests.competitions.test_drafts import TEXTS

PLACE = f"{API}/competitions/new"

pytestmark = pytest.mark.usefixtures("ready")


def test_a_competition_is_tried_then_published(
    ready: Competition,  # noqa: F811
    organizer: User,
    caller: Callable[[User], APIClient],
) -> None:
    client = caller(organizer)
    before = client.get(f"{PLACE}/dry-run/").json()
    assert (before["trials"], before["is_live"], before["is_scored"]) == ([], False, False)
    begun = client.post(f"{PLACE}/dry-run/", {}, format="json")
    assert (begun.status_code, len(begun.json()["trials"])) == (201, 2)
    assert begun.json()["is_current"]
    assert begun.json()["is_live"]
    again = client.post(f"{PLACE}/dry-run/", {}, format="json")
    assert (again.status_code, again.json()["error"]["message"]) == (409, "A dry run is under way.")
    refused = client.post(f"{PLACE}/publish/", {"reason": ""}, format="json")
    assert (refused.status_code, refused.json()["error"]["fields"]) == (400, {"reason": "missing"})
    for run in Run.objects.filter(submission__phase__competition=ready):
        cancel_run(run_id=run.pk, user=organizer)
    assert not client.get(f"{PLACE}/dry-run/").json()["is_scored"]
    reason = "The same pictures were tried last year."
    done = client.post(f"{PLACE}/publish/", {"reason": reason}, format="json")
    assert (done.status_code, done.json()["slug"]) == (200, "new")
    ready.refresh_from_db()
    assert ready.is_published
    twice = client.post(f"{PLACE}/publish/", {"reason": reason}, format="json")
    assert twice.status_code == 409


def test_missing_steps_are_named(organizer: User, caller: Callable[[User], APIClient]) -> None:
    start_draft(user=organizer, slug="begun", texts=TEXTS)
    for address in ("dry-run", "publish"):
        answer = caller(organizer).post(f"{API}/competitions/begun/{address}/", {}, format="json")
        assert answer.status_code == 409
        assert set(answer.json()["error"]["fields"]) == {"task", "data", "dates", "limits"}


def test_only_organizers_tokens_may(organizer: User, stranger: User) -> None:
    limited, other = with_scopes(organizer, "read", "submit"), with_scopes(stranger, "organize")
    for client, status in ((limited, 403), (other, 404), (APIClient(), 401)):
        for address in ("dry-run", "publish"):
            assert client.post(f"{PLACE}/{address}/", {}, format="json").status_code == status
