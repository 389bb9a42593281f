"""The second factor: setting it up, signing in with it, recovery codes, and what a password alone no longer does."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client

from accounts.models import User

PASSWORD = "a long password 1"
APP = "/settings/two-factor/app/"


@pytest.fixture(autouse=True)
def unhurried() -> None:
    """Forget what earlier tests sent: forms are counted by address."""
    cache.clear()


@pytest.fixture
def browser(client: Client, researcher: User) -> Client:
    """A browser in which the researcher has just entered the password, and once more where that is asked."""
    client.post("/accounts/sign-in/", {"login": "rosalba", "password": PASSWORD})
    assert client.get(APP).headers["Location"].startswith("/accounts/confirm/")
    client.post("/accounts/confirm/", {"password": PASSWORD})
    return client


def code_for(secret: str) -> str:
    """Return what an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def set_up(browser: Client) -> str:
    """Set the second factor up and return its secret."""
    page = browser.get(APP).content.decode()
    found = re.search(r"<code>([A-Z2-7]+)</code>", page)
    assert found is not None
    answer = browser.post(APP, {"code": code_for(found[1])})
    assert answer.headers["Location"] == "/settings/two-factor/codes/"
    cache.clear()  # a code works once; the next sign-in would come half a minute later
    return found[1]


def test_setting_up_shows_a_square_that_the_content_policy_allows(browser: Client) -> None:
    page = browser.get(APP).content.decode()
    assert '<svg role="img"' in page
    assert "data:" not in page
    assert "style=" not in page


def test_a_wrong_code_sets_nothing_up_and_keeps_the_secret(browser: Client) -> None:
    secret = re.search(r"<code>([A-Z2-7]+)</code>", browser.get(APP).content.decode())
    page = browser.post(APP, {"code": "000000"}).content.decode()
    assert secret is not None
    assert secret[0] in page
    assert 'role="alert"' in page
    assert not Authenticator.objects.exists()


def test_a_password_alone_no_longer_signs_in(browser: Client) -> None:
    secret = set_up(browser)
    other = Client()
    answer = other.post("/accounts/sign-in/", {"login": "rosalba", "password": PASSWORD})
    assert answer.headers["Location"] == "/accounts/sign-in/code/"
    assert other.get("/submissions/").status_code == 302
    assert 'role="alert"' in other.post("/accounts/sign-in/code/", {"code": "000000"}).content.decode()
    other.post("/accounts/sign-in/code/", {"code": code_for(secret)})
    assert other.get("/submissions/").status_code == 200


def test_a_recovery_code_signs_in_once(browser: Client) -> None:
    set_up(browser)
    page = browser.get("/settings/two-factor/codes/").content.decode()
    code = re.search(r"<code>(\S+)", page)
    assert code is not None
    for expected in (200, 302):
        other = Client()
        other.post("/accounts/sign-in/", {"login": "rosalba", "password": PASSWORD})
        other.post("/accounts/sign-in/code/", {"code": code[1]})
        assert other.get("/submissions/").status_code == expected
    assert "9 codes are left." in browser.get("/settings/two-factor/").content.decode()


def test_new_recovery_codes_make_the_old_ones_useless(browser: Client) -> None:
    set_up(browser)
    old = browser.get("/settings/two-factor/codes/file/").content
    browser.post("/settings/two-factor/codes/new/")
    new = browser.get("/settings/two-factor/codes/file/").content
    assert set(old.split()).isdisjoint(new.split())
    assert len(new.split()) == 10


def test_switching_off_takes_the_password_when_it_is_long_ago(browser: Client, researcher: User) -> None:
    set_up(browser)
    session = browser.session
    for method in session["account_authentication_methods"]:
        method["at"] -= 3600
    session.save()
    assert browser.post(f"{APP}remove/").headers["Location"].startswith("/accounts/confirm/")
    assert Authenticator.objects.exists()
    browser.post("/accounts/confirm/", {"password": PASSWORD})
    browser.post(f"{APP}remove/")
    assert not Authenticator.objects.exists()


def test_no_token_for_a_password_alone(browser: Client) -> None:
    fields = {"username": "rosalba", "password": PASSWORD, "name": "laptop"}
    assert Client().post("/api/v1/tokens/", fields).status_code == 201
    set_up(browser)
    refused = Client().post("/api/v1/tokens/", fields)
    assert (refused.status_code, "second factor" in refused.content.decode()) == (401, True)


@pytest.mark.parametrize("page", ["", "app/", "codes/", "codes/new/", "app/remove/"])
def test_the_pages_stand_in_chinese(browser: Client, page: str) -> None:
    if page in ("codes/", "codes/new/", "app/remove/"):
        set_up(browser)
    browser.cookies["django_language"] = "zh-hans"
    answer = browser.get(f"/settings/two-factor/{page}")
    assert answer.status_code == 200
    assert 'lang="zh-Hans"' in answer.content.decode()
