"""A person's own submissions: filters as links, what makes no sense, and choosing the final one."""

import re

import pytest
from django.test import Client

from accounts.models import User
from competitions.models import FinalChoice, Phase, Run, Submission
from tests.boards import enter_runs


@pytest.fixture
def entries(phase: Phase, researcher: User) -> list[Submission]:
    """Two scored entries of the researcher, and one that failed."""
    runs = enter_runs(phase, 3, n_baselines=0, names=["alpha", "beta", "gamma"])
    Submission.objects.update(team=researcher.teams.get(), submitted_by=researcher)
    Run.objects.filter(pk=runs[2].pk).update(
        state="failed", failure_code="OUT_OF_MEMORY", fault="participant"
    )
    return [run.submission for run in runs]


@pytest.fixture
def browser(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def names(browser: Client, query: str = "") -> list[str]:
    page = browser.get(f"/submissions/{query}").content.decode()
    return sorted(re.findall(r'scope="row"><a href="/s/[^"]+">(\w+)</a>', page))


def test_filters_are_links_that_leave_what_fits(browser: Client, entries: list[Submission]) -> None:
    assert names(browser) == ["alpha", "beta", "gamma"]
    assert names(browser, "?state=failed") == ["gamma"]
    assert names(browser, "?state=scored&team=rosalba") == ["alpha", "beta"]
    page = browser.get("/submissions/?state=failed").content.decode()
    assert '<a href="?state=scored">' in page
    assert '<a href="?state=failed" aria-current="true">' in page
    assert '<a href="?">' in page


@pytest.mark.parametrize("query", ["?state=nonsense", "?team=%00", "?competition=../../x", "?final=maybe"])
def test_nonsense_shows_everything_with_a_note(
    browser: Client, entries: list[Submission], query: str
) -> None:
    assert names(browser, query) == ["alpha", "beta", "gamma"]
    assert "that filter is left out" in browser.get(f"/submissions/{query}").content.decode()


def test_what_fits_nothing_offers_the_way_back(browser: Client, entries: list[Submission]) -> None:
    FinalChoice.objects.create(submission=entries[0], chosen_by=entries[0].submitted_by)
    page = browser.get("/submissions/?state=failed&final=yes").content.decode()
    assert "None of your submissions is like that" in page


def test_one_is_chosen_and_the_choice_taken_back(browser: Client, entries: list[Submission]) -> None:
    address = f"/s/{entries[0].pk}/"
    assert "Choose as final" in browser.get(address).content.decode()
    told = browser.post(f"{address}final/", follow=True).content.decode()
    assert "your team is ranked by this submission" in told
    assert "Take the choice back" in told
    assert names(browser, "?final=yes") == ["alpha"]
    refused = browser.post(f"/s/{entries[1].pk}/final/", follow=True).content.decode()
    assert "Take another choice back first." in refused
    browser.post(f"{address}final/", {"drop": ""})
    assert not FinalChoice.objects.exists()


def test_a_failed_one_cannot_be_chosen(browser: Client, entries: list[Submission]) -> None:
    address = f"/s/{entries[2].pk}/"
    assert "Choose as final" not in browser.get(address).content.decode()
    told = browser.post(f"{address}final/", follow=True).content.decode()
    assert "Only a submission that has scores can be chosen." in told


def test_strangers_get_neither_button_nor_choice(entries: list[Submission], stranger: User) -> None:
    browser = Client()
    browser.force_login(stranger)
    address = f"/s/{entries[0].pk}/"
    assert "Choose as final" not in browser.get(address).content.decode()
    assert browser.post(f"{address}final/").status_code == 403


def test_the_page_asks_the_database_no_more_for_more_rows(
    browser: Client, phase: Phase, researcher: User, django_assert_max_num_queries: object
) -> None:
    enter_runs(phase, 40, n_baselines=0)
    Submission.objects.update(team=researcher.teams.get(), submitted_by=researcher)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        browser.get("/submissions/")
