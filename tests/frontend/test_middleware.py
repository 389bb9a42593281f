"""Bodies are bounded before anything reads them, on every page and for everybody."""

import io
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from competitions.models import Phase

SUBMIT = "/c/small/submit/"
MB = 2**20


class Unreadable(io.RawIOBase):
    """A body that nobody may touch."""

    def read(self, size: int = -1) -> bytes:
        """Fail."""
        raise AssertionError("the body was read")


@pytest.fixture
def browser() -> Client:
    """A browser whose forms are checked as in real life."""
    return Client(enforce_csrf_checks=True)


def announce(browser: Client, path: str, size: int | None, language: str = "en") -> Any:
    """Send a form that says how long it is (None: in chunks, which say nothing) and may not be read."""
    browser.cookies["django_language"] = language
    browser.cookies["csrftoken"] = "a" * 32
    length = {"HTTP_TRANSFER_ENCODING": "chunked"} if size is None else {"CONTENT_LENGTH": str(size)}
    request: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "wsgi.input": Unreadable()}
    return browser.request(CONTENT_TYPE="multipart/form-data; boundary=x", **request, **length)


@pytest.mark.parametrize(
    "path", [SUBMIT, "/accounts/sign-in/", "/accounts/sign-up/", "/settings/theme/", "/admin/login/", "/"]
)
def test_a_stranger_sends_no_large_body(browser: Client, phase: Phase, path: str) -> None:
    answer = announce(browser, path, MB + 1)
    page = answer.content.decode()
    assert answer.status_code == 413
    for told in ("This request is too large", "UPLOAD_TOO_LARGE", "at most 1 MB", "those who have signed in"):
        assert told in page
    assert "Content-Security-Policy" in answer.headers


def test_a_large_body_is_refused_in_chinese(browser: Client, phase: Phase) -> None:
    page = announce(browser, SUBMIT, MB + 1, language="zh-hans").content.decode()
    assert "此请求过大" in page
    assert "只有登录后" in page


def test_who_has_signed_in_sends_archives_up_to_the_limit_and_only_to_the_submit_page(
    browser: Client, phase: Phase, researcher: User, settings: Settings
) -> None:
    settings.MAX_ARCHIVE_MB = 3
    browser.force_login(researcher)
    refused = announce(browser, SUBMIT, 4 * MB + 1)
    assert (refused.status_code, "at most 4 MB" in refused.content.decode()) == (413, True)
    assert announce(browser, "/settings/tokens/", MB + 1).status_code == 413
    with pytest.raises(AssertionError, match="the body was read"):
        announce(browser, SUBMIT, 4 * MB)


@pytest.mark.parametrize("path", [SUBMIT, "/accounts/sign-in/"])
def test_of_a_body_without_length_nothing_is_read(browser: Client, phase: Phase, path: str) -> None:
    assert announce(browser, path, None).status_code == 403  # no form, so no proof that it is ours
