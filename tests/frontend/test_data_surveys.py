"""An organizer hands many pictures in: the page tells how far a worker is, and what came of it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from competitions.models import DataSurvey, Draft
from competitions.services import surveys
from tests.competitions.many_pictures import many_files, many_pictures
from tests.frontend.test_pages import Page
from tests.frontend.test_setup import TEXTS

PAGE = "/organize/harbours/setup/data/"
PROGRESS = "/organize/harbours/survey/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(client: Client, organizer: User) -> Client:
    """The organizer's browser, at a competition whose suite is chosen."""
    client.force_login(organizer)
    client.post("/organize/new/", {"slug": "harbours", **TEXTS})
    client.post("/organize/harbours/setup/task/", {"suite": "sts-demo-2"})
    return client


def upload(browser: Client, data: bytes) -> HttpResponse:
    file = SimpleUploadedFile("data.zip", data, "application/zip")
    return browser.post("/organize/harbours/upload/", {"archive": file})  # type: ignore[return-value]


def read(browser: Client, address: str = PAGE) -> str:
    return browser.get(address, headers=HTMX if address == PROGRESS else {}).content.decode()


def test_the_page_tells_how_far_it_is_and_shows_the_report_at_the_end(browser: Client) -> None:
    assert upload(browser, many_pictures()).headers["Location"] == PAGE
    page = read(browser)
    assert f"0 of {len(many_files())} files" in page
    assert f'hx-get="{PROGRESS}"' in page
    assert 'type="file"' not in page
    found = Page(page)
    assert (len(found.headings), found.forbidden) == (1, [])
    DataSurvey.objects.update(state="running", files_done=7)
    fragment = browser.get(PROGRESS, headers=HTMX)
    assert f"7 of {len(many_files())} files" in fragment.content.decode()
    assert "HX-Refresh" not in fragment.headers
    DataSurvey.objects.update(state="waiting")
    surveys.look()
    last = browser.get(PROGRESS, headers=HTMX)
    assert last.headers["HX-Refresh"] == "true"
    assert "hx-get" not in last.content.decode()
    page = read(browser)
    assert "Every file was looked at" in page
    assert "TOO_SMALL" in str(Draft.objects.get().report)
    assert 'type="file"' in page
    assert f'hx-get="{PROGRESS}"' not in page


def test_a_refusal_stands_on_the_page_until_other_files_come(browser: Client) -> None:
    upload(browser, many_pictures().replace(b"IDAT", b"XDAT", 1))
    surveys.look()
    assert browser.get(PROGRESS, headers=HTMX).headers["HX-Refresh"] == "true"
    for _ in range(2):
        page = read(browser)
        assert "CORRUPT_DATA" in page
        assert 'type="file"' in page
    assert upload(browser, many_pictures()).status_code == 302
    assert "CORRUPT_DATA" not in read(browser)


def test_a_second_upload_meanwhile_is_refused_in_words(browser: Client) -> None:
    upload(browser, many_pictures())
    answer = upload(browser, many_pictures())
    assert answer.status_code == 400
    assert "being looked at already" in answer.content.decode()


def test_a_lost_worker_can_be_replaced_and_a_live_one_cannot(browser: Client) -> None:
    upload(browser, many_pictures())
    DataSurvey.objects.update(state="running")
    assert "Start again" not in read(browser)
    assert browser.post("/organize/harbours/survey/again/").status_code == 400
    DataSurvey.objects.update(seen_at=F("seen_at") - timedelta(minutes=5))
    for page in (read(browser), read(browser, PROGRESS)):
        assert "no sign for" in page
        assert "Start again" in page
    assert browser.post("/organize/harbours/survey/again/").headers["Location"] == PAGE
    assert DataSurvey.objects.get().state == "waiting"


def test_the_page_says_that_no_worker_runs(browser: Client) -> None:
    upload(browser, many_pictures())
    assert "does not seem to run" not in read(browser)
    DataSurvey.objects.update(seen_at=F("seen_at") - timedelta(minutes=1))
    assert "does not seem to run" in read(browser)


def test_it_can_be_stopped(browser: Client) -> None:
    upload(browser, many_pictures())
    assert browser.post("/organize/harbours/survey/stop/").headers["Location"] == PAGE
    assert not DataSurvey.objects.exists()
    assert 'type="file"' in read(browser)


def test_without_scripts_the_address_of_the_fragment_leads_to_the_page(browser: Client) -> None:
    assert browser.get(PROGRESS).headers["Location"] == PAGE


def test_strangers_learn_and_change_nothing(browser: Client, stranger: User) -> None:
    upload(browser, many_pictures())
    browser.force_login(stranger)
    assert browser.get(PROGRESS, headers=HTMX).status_code == 404
    for way in ("again", "stop"):
        assert browser.post(f"/organize/harbours/survey/{way}/").status_code == 404
    assert DataSurvey.objects.get().state == "waiting"
