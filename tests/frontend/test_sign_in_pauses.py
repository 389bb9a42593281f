"""Guessing passwords: after some tries an account waits, for whoever tried, and the page says how long."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.services import create_user
from accounts.throttling import UNKNOWN, client_address

PASSWORD = "a long password 1"
TRIES = 5


@pytest.fixture(autouse=True)
def unhurried() -> None:
    """Forget what earlier tests sent: forms are counted by address."""
    cache.clear()


@pytest.fixture
def painter(db: None) -> User:
    """A user with an address that has been checked."""
    return create_user(username="sofonisba", password=PASSWORD, email="sofonisba@example.org")


def sign_in(name: str, password: str, address: str = "192.0.2.1", **headers: str) -> object:
    return Client(REMOTE_ADDR=address, **headers).post(
        "/accounts/sign-in/", {"login": name, "password": password}
    )


def guess(name: str, times: int = TRIES) -> object:
    return [sign_in(name, f"guess {n}") for n in range(times)][-1]


def test_the_last_try_and_the_right_password_after_it_are_told_to_wait(painter: User) -> None:
    assert guess("sofonisba", TRIES - 1).status_code == 200
    for password in ("one more guess", PASSWORD):
        answer = sign_in("sofonisba", password)
        page = answer.content.decode()
        assert answer.status_code == 429
        assert "Try again in 15 minutes." in page
        assert 'href="/accounts/password/"' in page
        assert 890 <= int(answer.headers["Retry-After"]) <= 900
        assert "Content-Security-Policy" in answer.headers


def test_the_page_stands_in_chinese(painter: User) -> None:
    guess("sofonisba")
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.cookies["django_language"] = "zh-hans"
    page = client.post("/accounts/sign-in/", {"login": "sofonisba", "password": PASSWORD}).content.decode()
    assert 'lang="zh-Hans"' in page
    assert "15" in page


def test_the_pause_ends_and_tries_during_it_do_not_lengthen_it(painter: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        guess("sofonisba")
        clock.shift(timedelta(minutes=10))
        assert "in 5 minutes" in sign_in("sofonisba", "again").content.decode()
        clock.shift(timedelta(minutes=5, seconds=1))
        assert sign_in("sofonisba", PASSWORD).status_code == 302


def test_name_and_address_of_one_person_are_counted_together(painter: User) -> None:
    guess("Sofonisba", 2)
    guess("sofonisba@example.org", 2)
    assert guess("SOFONISBA", 1).status_code == 429


def test_others_and_other_addresses_do_not_wait(painter: User, researcher: User) -> None:
    guess("sofonisba")
    assert sign_in("rosalba", PASSWORD).status_code == 302
    assert sign_in("sofonisba", PASSWORD, address="192.0.2.2").status_code == 302


def test_a_right_password_begins_a_new_count(painter: User) -> None:
    guess("sofonisba", TRIES - 1)
    sign_in("sofonisba", PASSWORD)
    assert guess("sofonisba", TRIES - 1).status_code == 200


def test_a_new_password_by_mail_ends_the_pause(painter: User) -> None:
    guess("sofonisba")
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.post("/accounts/password/", {"email": painter.email})
    link = next(word for word in str(mail.outbox[0].body).split() if word.startswith("http"))
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "a new password 9", "password2": "a new password 9"})
    assert client.get("/submissions/").status_code == 200
    assert sign_in("sofonisba", "a new password 9").status_code == 302


def test_programs_wait_too_and_are_told_in_their_shape(painter: User) -> None:
    guess("sofonisba")
    fields = {"username": "sofonisba", "password": PASSWORD, "name": "laptop"}
    answer = Client(REMOTE_ADDR="192.0.2.1").post("/api/v1/tokens/", fields)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "TOO_MANY_SIGN_INS"
    assert set(answer.json()["error"]) == {"code", "message", "fix", "fields"}


def test_behind_a_proxy_callers_are_told_apart_by_what_it_says(painter: User, settings: Settings) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    for n in range(TRIES):
        last = sign_in("sofonisba", f"guess {n}", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 203.0.113.7")
    assert last.status_code == 429  # what a caller writes in front of the proxy's entry does not count
    assert sign_in("sofonisba", PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.8").status_code == 302


def test_a_caller_without_an_address_is_counted_too(rf: object) -> None:
    assert client_address(rf.get("/", REMOTE_ADDR="")) == UNKNOWN  # type: ignore[attr-defined]


def test_while_the_cache_is_away_people_sign_in_and_guessing_is_still_counted(
    painter: User, settings: Settings
) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "config.cache.PatientRedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    }
    assert sign_in("sofonisba", PASSWORD).status_code == 302
    assert guess("sofonisba").status_code == 429
