"""Errors as pages: those of the domain, bad requests, and bugs."""

import pytest
from django.test import Client, RequestFactory
from django.utils.translation import override

from competitions.errors import (
    CompetitionError,
    NotAllowed,
    NotATeamMember,
    NotFound,
    PhaseClosed,
    QuotaExceeded,
    UploadTooLarge,
)
from frontend.explain import explain
from frontend.views import errors


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound(), 404),
        (NotAllowed(), 403),
        (NotATeamMember(), 403),
        (UploadTooLarge(), 413),
        (PhaseClosed(), 400),
        (CompetitionError(), 400),
    ],
)
def test_an_error_of_the_domain_is_a_page_with_code_and_sentence(
    error: CompetitionError, status: int
) -> None:
    answer = errors.competition_error_page(RequestFactory().get("/"), error)
    page = answer.content.decode()
    assert answer.status_code == status
    assert error.code in page
    assert error.message in page
    assert error.fix in page


def test_the_words_of_an_error_are_escaped() -> None:
    page = errors.competition_error_page(
        RequestFactory().get("/"), NotFound("<script>x</script>", fix="`<b>`")
    )
    assert b"<script>" not in page.content
    assert b"<code>&lt;b&gt;</code>" in page.content


def test_an_error_is_explained_once_in_english_and_with_its_detail_in_chinese() -> None:
    error = QuotaExceeded("The team has used its 5 runs of today.", fix="Wait.")
    assert explain(error).sentence == error.message
    assert explain(error).detail == ""
    with override("zh-hans"):
        assert explain(error).sentence == "队伍的次数已用完。"
        assert explain(error).detail == error.message
        assert explain(NotAllowed()).detail == ""


def test_a_bug_is_a_page_that_asks_the_database_nothing_and_tells_nothing() -> None:
    answer = errors.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


def test_a_bug_answers_with_that_page() -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/status/")  # no database in this test, so the page cannot be made
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_a_host_that_is_not_ours_is_a_bad_request(client: Client) -> None:
    answer = client.get("/help/errors/", headers={"host": "example.org"})
    assert answer.status_code == 400
    assert "This request cannot be carried out" in answer.content.decode()


def test_a_missing_page_in_chinese(client: Client, db: None) -> None:
    page = client.get("/nope/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "此页面不存在" in page
