"""Errors of the API: one shape for all, and no detail of our own failures."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, UnreadablePostError
from pytest_django import Settings
from rest_framework import exceptions
from rest_framework.test import APIClient

from competitions import errors
from competitions.api.errors import STATUS, handle_exception
from competitions.errors import CompetitionError
from competitions.models import Run
from tests.api_fixtures import API


def families(cls: type[CompetitionError] = CompetitionError) -> list[type[CompetitionError]]:
    """List a class and all below it."""
    return [cls, *(found for child in cls.__subclasses__() for found in families(child))]


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/me/", "/api/v1/nothing/", "/api/v1/me"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_unknown_addresses_answer_in_json(anonymous: APIClient, path: str, method: str) -> None:
    answer = anonymous.generic(method.upper(), path)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "fix", "fields"}
    assert error["code"] == "NOT_FOUND"
    assert ("slash" in error["fix"]) == (not path.endswith("/"))


def test_every_error_of_the_domain_has_a_status() -> None:
    codes = {cls.code for cls in families()}
    assert codes == set(STATUS)
    assert errors.NotFound.code in codes


@pytest.mark.parametrize("cls", families(), ids=lambda cls: cls.code)
def test_an_error_of_the_domain_keeps_its_words(cls: type[CompetitionError]) -> None:
    answer = handle_exception(cls("What happened.", fix="What to do.", fields={"archive": "Why."}), {})
    assert answer.status_code == STATUS[cls.code]
    assert answer.data == {
        "error": {
            "code": cls.code,
            "message": "What happened.",
            "fix": "What to do.",
            "fields": {"archive": "Why."},
        }
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "NOT_FOUND"),
        (exceptions.NotAuthenticated(), 401, "NOT_SIGNED_IN"),
        (exceptions.PermissionDenied(), 403, "NOT_ALLOWED"),
        (exceptions.ParseError(), 400, "UNREADABLE_REQUEST"),
        (exceptions.NotAcceptable(), 406, "NOT_ACCEPTABLE"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (exceptions.MethodNotAllowed("PUT"), 405, "METHOD_NOT_ALLOWED"),
        (exceptions.Throttled(wait=2.5), 429, "TOO_MANY_REQUESTS"),
        (RequestDataTooBig("x"), 413, "UPLOAD_TOO_LARGE"),
        (SuspiciousOperation("x"), 400, "UNREADABLE_REQUEST"),
        (UnreadablePostError("x"), 400, "UNREADABLE_REQUEST"),
    ],
)
def test_errors_of_the_frameworks_get_the_same_shape(error: Exception, status: int, code: str) -> None:
    answer = handle_exception(error, {})
    assert (answer.status_code, answer.data["error"]["code"]) == (status, code)
    assert answer.data["error"]["message"]


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ValidationError({"note": ["Too long.", "Too dull."], "non_field_errors": ["All wrong."]}),
        DjangoValidationError({"note": ["Too long.", "Too dull."], "__all__": ["All wrong."]}),
    ],
)
def test_wrong_fields_are_told_in_one_shape(error: Exception) -> None:
    told = handle_exception(error, {}).data["error"]
    assert told["fields"] == {"note": "Too long. Too dull."}
    assert told["message"] == "note: Too long. Too dull. All wrong."


def test_nested_and_bare_details_are_flattened() -> None:
    assert handle_exception(exceptions.ValidationError("No."), {}).data["error"]["message"] == "No."
    nested = exceptions.ValidationError({"a": {"b": ["Deep."]}})
    assert handle_exception(nested, {}).data["error"]["fields"] == {"a": "Deep."}


def test_our_own_failure_is_logged_and_tells_nothing(
    anonymous: APIClient, scored: Run, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    stored = settings.DATA_DIR / "artifacts"
    assert scored.pair_scores is not None
    digest = scored.pair_scores.sha256
    (stored / digest[:2] / digest[2:4] / digest).unlink()
    anonymous.raise_request_exception = False
    with caplog.at_level(logging.ERROR):
        answer = anonymous.get(f"{API}/runs/{scored.pk}/scores/")
    assert answer.status_code == 500
    assert answer.json()["error"] == {
        "code": "INTERNAL_ERROR", "message": "The platform failed.", "fix": "Try again later.", "fields": {}
    }  # fmt: skip
    assert "FileNotFoundError" in caplog.text
    assert f"{API}/runs/{scored.pk}/scores/" in caplog.text


def test_our_own_failure_rises_in_tests_of_others(
    anonymous: APIClient, scored: Run, settings: Settings, make_archive: Callable[..., Path]
) -> None:
    assert scored.pair_scores is not None
    digest = scored.pair_scores.sha256
    (settings.DATA_DIR / "artifacts" / digest[:2] / digest[2:4] / digest).unlink()
    with pytest.raises(FileNotFoundError):
        anonymous.get(f"{API}/runs/{scored.pk}/scores/")


def test_a_malformed_form_is_told_as_such(member: APIClient) -> None:
    answer = member.generic("POST", f"{API}/submissions/", b"x", content_type="multipart/form-data")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UNREADABLE_REQUEST")
    answer = member.generic("POST", f"{API}/tokens/", b"{", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UNREADABLE_REQUEST")
    answer = member.generic("POST", f"{API}/tokens/", b"[1]", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")
