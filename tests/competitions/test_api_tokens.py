"""Tokens: exchanged for a password, shown once, stored as a hash, refused when revoked."""

from datetime import datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.services import issue_token, revoke_token
from tests.api_fixtures import API

PASSWORD = "a long password 1"


def exchange(client: APIClient, **changes: object) -> tuple[int, dict]:
    """Ask for a token."""
    fields = {"username": "rosalba", "password": PASSWORD, "name": "laptop"} | changes
    answer = client.post(f"{API}/tokens/", fields, format="json")
    return answer.status_code, answer.json()


def test_a_password_gives_a_token_that_works(anonymous: APIClient, researcher: User) -> None:
    status, body = exchange(anonymous)
    assert status == 201
    row = ApiToken.objects.get()
    assert row.expires_at is not None
    assert body == {
        "token": body["token"],
        "id": row.pk,
        "name": "laptop",
        "user": "rosalba",
        "scopes": ["read", "submit", "organize"],
        "expires_at": row.expires_at.isoformat().replace("+00:00", "Z"),
    }
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
    for n in range(10):
        assert exchange(anonymous, username=f"nobody{n}", password="guess")[0] == 401
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
        tried = fields | {"username": f"nobody{claimed}"}
        assert anonymous.post(f"{API}/tokens/", tried, headers=headers).status_code == 401
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


def test_a_token_gets_the_scopes_and_the_days_that_are_asked_for(
    anonymous: APIClient, researcher: User
) -> None:
    _, body = exchange(anonymous, scopes=["submit", "read"], days=30)
    assert body["scopes"] == ["read", "submit"]
    left = datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "root"]}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": "30"}, "days"),
        ({"days": 4000}, "days"),
        ({"name": 7}, "name"),
    ],
)
def test_scopes_and_days_out_of_range_are_refused(
    anonymous: APIClient, researcher: User, changes: dict[str, object], field: str
) -> None:
    status, body = exchange(anonymous, **changes)
    assert (status, list(body["error"]["fields"])) == (400, [field])
    assert not ApiToken.objects.exists()


def with_scopes(user: User, *scopes: str) -> tuple[ApiToken, APIClient]:
    """Return a token and a caller who holds it."""
    token, key = issue_token(user=user, name="some", scopes=scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return token, client


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("read", "get", "me/"),
        ("read", "get", "competitions/"),
        ("submit", "post", "submissions/"),
        ("submit", "post", "uploads/"),
        ("submit", "post", "submissions/1/retry/"),
        ("organize", "post", "submissions/1/rerun/"),
        ("organize", "post", "runs/1/cancel/"),
        ("organize", "post", "competitions/small/phases/main/rescore/"),
    ],
)
def test_a_token_does_only_what_its_scopes_name(researcher: User, scope: str, method: str, path: str) -> None:
    others = {"read", "submit", "organize"} - {scope}
    answer = getattr(with_scopes(researcher, *others)[1], method)(f"{API}/{path}", {}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "SCOPE_MISSING")
    assert f'"{scope}"' in answer.json()["error"]["fix"]
    allowed = getattr(with_scopes(researcher, scope)[1], method)(f"{API}/{path}")
    assert allowed.status_code in (200, 400)


def test_the_owner_sees_the_tokens_and_no_key(researcher: User, stranger: User) -> None:
    with_scopes(stranger, "read")
    token, client = with_scopes(researcher, "read")
    body = client.get(f"{API}/tokens/").json()
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert body["results"] == [
        {
            "id": token.pk,
            "name": "some",
            "hint": token.hint,
            "scopes": ["read"],
            "created_at": token.created_at.isoformat().replace("+00:00", "Z"),
            "expires_at": None,
            "last_used_at": token.last_used_at.isoformat().replace("+00:00", "Z"),
        }
    ]
    assert token.key_sha256 not in str(body)


def test_a_token_takes_itself_back_and_others_with_the_scope(researcher: User, stranger: User) -> None:
    reading, reader = with_scopes(researcher, "read")
    laptop, writer = with_scopes(researcher, "submit")
    foreign, _ = with_scopes(stranger, "read")
    assert reader.delete(f"{API}/tokens/{laptop.pk}/").json()["error"]["code"] == "SCOPE_MISSING"
    assert writer.delete(f"{API}/tokens/{foreign.pk}/").status_code == 404
    assert reader.delete(f"{API}/tokens/{reading.pk}/").status_code == 204
    assert reader.get(f"{API}/me/").status_code == 401
    third, _ = with_scopes(researcher, "organize")
    assert writer.delete(f"{API}/tokens/{third.pk}/").status_code == 204
    assert writer.delete(f"{API}/tokens/{third.pk}/").status_code == 404
    assert list(ApiToken.objects.filter(revoked_at=None).order_by("pk")) == [laptop, foreign]


def test_a_token_that_has_expired_is_refused(researcher: User) -> None:
    token, client = with_scopes(researcher, "read")
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    answer = client.get(f"{API}/me/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "NOT_SIGNED_IN")


def test_an_account_whose_address_was_never_confirmed_gets_no_token(
    anonymous: APIClient, researcher: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    User.objects.filter(pk=researcher.pk).update(email="rosalba@example.org")
    address = EmailAddress.objects.create(user=researcher, email="rosalba@example.org", primary=True)
    status, body = exchange(anonymous)
    assert (status, body["error"]["code"]) == (403, "ADDRESS_UNCHECKED")
    assert "sends it again" in body["error"]["fix"]
    assert not ApiToken.objects.exists()
    address.verified = True
    address.save()
    assert exchange(anonymous)[0] == 201


def test_an_account_without_an_address_has_nothing_to_confirm(
    anonymous: APIClient, researcher: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    User.objects.filter(pk=researcher.pk).update(email="")
    assert exchange(anonymous)[0] == 201
