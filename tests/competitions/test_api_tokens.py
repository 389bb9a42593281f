"""Tokens: exchanged for a password, shown once, stored as a hash, refused when revoked."""

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.services import issue_token, revoke_token
from tests.api_fixtures import API

PASSWORD = "a long password 1"


def exchange(client: APIClient, **changes: str) -> tuple[int, dict]:
    """Ask for a token."""
    fields = {"username": "rosalba", "password": PASSWORD, "name": "laptop"} | changes
    answer = client.post(f"{API}/tokens/", fields, format="json")
    return answer.status_code, answer.json()


def test_a_password_gives_a_token_that_works(anonymous: APIClient, researcher: User) -> None:
    status, body = exchange(anonymous)
    assert status == 201
    assert body == {"token": body["token"], "name": "laptop", "user": "rosalba"}
    for scheme in ("Token", "token", "Bearer"):
        answer = anonymous.get(f"{API}/me/", headers={"Authorization": f"{scheme} {body['token']}"})
        assert answer.json() == {"username": "rosalba", "teams": [{"slug": "rosalba", "name": "rosalba"}]}


def test_a_token_is_stored_as_a_hash_and_never_shown_again(anonymous: APIClient, researcher: User) -> None:
    key = exchange(anonymous)[1]["token"]
    row = ApiToken.objects.values().get()
    assert key not in str(row)
    assert len(row["key_sha256"]) == 64
    answer = anonymous.get(f"{API}/me/", headers={"Authorization": f"Token {key}"})
    assert key not in answer.content.decode()
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize(
    "changes", [{"password": "wrong"}, {"username": "nobody"}, {"password": PASSWORD + " "}]
)
def test_wrong_credentials_are_refused_alike(
    anonymous: APIClient, researcher: User, changes: dict[str, str]
) -> None:
    status, body = exchange(anonymous, **changes)
    assert status == 401
    assert body["error"]["code"] == "NOT_SIGNED_IN"
    assert body["error"]["message"] == "User name or password is wrong."
    assert not ApiToken.objects.exists()


def test_a_deactivated_user_gets_no_token_and_loses_the_ones_there_are(
    anonymous: APIClient, researcher: User
) -> None:
    _, key = issue_token(user=researcher, name="old")
    User.objects.update(is_active=False)
    assert exchange(anonymous)[0] == 401
    assert anonymous.get(f"{API}/me/", headers={"Authorization": f"Token {key}"}).status_code == 401


def test_a_revoked_token_is_refused_even_where_everybody_may_read(
    anonymous: APIClient, researcher: User
) -> None:
    token, key = issue_token(user=researcher, name="old")
    headers = {"Authorization": f"Token {key}"}
    assert anonymous.get(f"{API}/competitions/", headers=headers).status_code == 200
    revoke_token(user=researcher, token_id=token.pk)
    answer = anonymous.get(f"{API}/competitions/", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["error"]["fix"]


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token pst_unknown", "Bearer \xe9"])
def test_a_malformed_or_unknown_token_is_refused(anonymous: APIClient, researcher: User, header: str) -> None:
    answer = anonymous.get(f"{API}/me/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "NOT_SIGNED_IN"


def test_other_schemes_count_as_no_token(anonymous: APIClient) -> None:
    headers = {"Authorization": "Basic cm9zYWxiYQ=="}
    assert anonymous.get(f"{API}/competitions/", headers=headers).status_code == 200
    assert anonymous.get(f"{API}/me/", headers=headers).status_code == 401


def test_guessing_is_slowed_down_whatever_the_client_says_of_its_address(
    anonymous: APIClient, researcher: User
) -> None:
    for _ in range(10):
        assert exchange(anonymous, password="guess")[0] == 401
    fields = {"username": "rosalba", "password": PASSWORD, "name": "laptop"}
    answer = anonymous.post(f"{API}/tokens/", fields, headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "TOO_MANY_REQUESTS"
    assert 0 < int(answer["Retry-After"]) <= 60
    assert anonymous.post(f"{API}/tokens/", fields, REMOTE_ADDR="203.0.113.9").status_code == 201


def test_behind_a_proxy_its_callers_are_told_apart(
    anonymous: APIClient, researcher: User, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    fields = {"username": "rosalba", "password": "guess", "name": "laptop"}
    for claimed in range(10):  # what a caller claims stands before what the proxy saw
        headers = {"X-Forwarded-For": f"10.0.0.{claimed}, 203.0.113.9"}
        assert anonymous.post(f"{API}/tokens/", fields, headers=headers).status_code == 401
    headers = {"X-Forwarded-For": "10.9.9.9, 203.0.113.9"}
    assert anonymous.post(f"{API}/tokens/", fields, headers=headers).status_code == 429
    headers = {"X-Forwarded-For": "203.0.113.10"}
    assert anonymous.post(f"{API}/tokens/", fields, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"is_staff": "true"}, "is_staff"), ({"name": ""}, "name"), ({"username": "a\x00b"}, "username")],
)
def test_wrong_fields_are_named(
    anonymous: APIClient, researcher: User, changes: dict[str, str], field: str
) -> None:
    status, body = exchange(anonymous, **changes)
    assert status == 400
    assert body["error"]["code"] == "INVALID_INPUT"
    assert list(body["error"]["fields"]) == [field]
    assert field in body["error"]["message"]


def test_a_page_session_may_read_but_writes_need_its_csrf_token(researcher: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(researcher)
    assert browser.get(f"{API}/me/").json()["username"] == "rosalba"
    answer = browser.post(f"{API}/submissions/", {"competition": "small"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "NOT_ALLOWED"
