"""Webhooks by the API: the secret once, scopes by owner, the log and replays."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_token
from competitions.models import Competition, Webhook, WebhookDelivery
from tests.api_fixtures import API, error_of

OF_TEAM = {
    "owner_kind": "team",
    "owner": "rosalba",
    "url": "http://93.184.215.14/hooks",
    "events": ["run.finished"],
}
OF_COMPETITION = OF_TEAM | {"owner_kind": "competition", "owner": "small"}


def with_scopes(user: User, *scopes: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(user=user, name='test', scopes=scopes)[1]}")
    return client


def test_a_webhook_shows_its_secret_once(member: APIClient) -> None:
    made = member.post(f"{API}/webhooks/", OF_TEAM, format="json")
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    address = f"{API}/webhooks/{made.json()['id']}/"
    shown = member.get(address).json()
    assert shown == {name: value for name, value in made.json().items() if name != "secret"}
    assert member.get(f"{API}/webhooks/").json()["results"] == [shown]
    changed = member.put(address, {"events": ["board.changed"], "is_active": False}, format="json")
    assert (changed.status_code, changed.json()["events"], changed.json()["is_active"]) == (
        200,
        ["board.changed"],
        False,
    )
    assert member.delete(address).status_code == 204
    assert member.get(address).status_code == 404


def test_a_repeated_request_makes_one(member: APIClient) -> None:
    answers = [
        member.post(f"{API}/webhooks/", OF_TEAM, format="json", headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert Webhook.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "scope", "others"),
    [(OF_TEAM, "submit", ("read", "organize")), (OF_COMPETITION, "organize", ("read", "submit"))],
)
def test_the_scope_is_that_of_the_owner(
    body: dict, scope: str, others: tuple[str, ...], researcher: User, competition: Competition
) -> None:
    competition.organizers.add(researcher)
    wrong, right = with_scopes(researcher, *others), with_scopes(researcher, scope)
    refused = wrong.post(f"{API}/webhooks/", body, format="json")
    assert (refused.status_code, error_of(refused)["code"]) == (403, "SCOPE_MISSING")
    made = right.post(f"{API}/webhooks/", body, format="json")
    assert made.status_code == 201
    address = f"{API}/webhooks/{made.json()['id']}/"
    assert right.get(address).status_code == 403
    assert wrong.get(address).status_code == 200
    assert wrong.put(address, {"events": [], "is_active": True}, format="json").status_code == 403
    assert wrong.delete(address).status_code == 403
    assert right.delete(address).status_code == 204


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"url": "http://127.0.0.1/"}, 422, "WEBHOOK_ADDRESS_REFUSED"),
        ({"url": "nonsense"}, 422, "WEBHOOK_ADDRESS_REFUSED"),
        ({"owner": "nobody"}, 404, "NOT_FOUND"),
        ({"events": []}, 400, "INVALID_INPUT"),
        ({"events": ["run.started"]}, 400, "INVALID_INPUT"),
        ({"more": 1}, 400, "INVALID_INPUT"),
    ],
)
def test_what_is_wrong_is_refused_with_a_fix(change: dict, status: int, code: str, member: APIClient) -> None:
    answer = member.post(f"{API}/webhooks/", OF_TEAM | change, format="json")
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert not Webhook.objects.exists()


def test_strangers_and_anonymous_callers_see_nothing(
    member: APIClient, anonymous: APIClient, caller: Callable[[User], APIClient], stranger: User
) -> None:
    hook = member.post(f"{API}/webhooks/", OF_TEAM, format="json").json()["id"]
    for address in (f"{API}/webhooks/{hook}/", f"{API}/webhooks/{hook}/deliveries/"):
        assert caller(stranger).get(address).status_code == 404
        assert anonymous.get(address).status_code == 401
    assert caller(stranger).get(f"{API}/webhooks/").json()["results"] == []


def test_the_log_shows_deliveries_and_sends_one_again(member: APIClient, settings: Settings) -> None:
    hook = member.post(f"{API}/webhooks/", OF_TEAM, format="json").json()["id"]
    sent = WebhookDelivery.objects.create(
        webhook_id=hook, event="run.finished", body="{}", state="failed", attempts=8, tried_at=timezone.now()
    )
    address = f"{API}/webhooks/{hook}/deliveries/"
    (shown,) = member.get(address).json()["results"]
    assert (shown["id"], shown["state"], shown["attempts"]) == (str(sent.pk), "failed", 8)
    again = member.post(f"{address}{sent.pk}/replay/", {}, format="json")
    assert (again.status_code, again.json()["state"]) == (201, "pending")
    assert [row["id"] for row in member.get(address).json()["results"]] == [again.json()["id"], str(sent.pk)]
