"""The organizers' page: what to do next, announcements, scoring again; and the news page that everybody reads."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from competitions.models import Competition, Phase, Run, RunFlag, Submission
from competitions.rules import RunState

PAGE = "/organize/small/"


@pytest.fixture
def browser(client: Client, organizer: User) -> Client:
    """The organizer's browser."""
    client.force_login(organizer)
    return client


def test_a_competition_that_a_command_made_has_its_page_too(browser: Client, scored: Run) -> None:
    page = browser.get(PAGE).content.decode()
    assert "Nothing waits for you." in page
    assert "identity" in page
    assert "Set-up" not in page
    assert browser.get("/organize/small/setup/basics/").status_code == 404
    assert "Small waves" in browser.get("/organize/").content.decode()


def test_flags_and_faults_of_the_platform_come_first(browser: Client, scored: Run) -> None:
    RunFlag.objects.create(run=scored, code="COPIES_STYLE", strength=1, threshold=0.5, sentence="It copies.")
    page = browser.get(PAGE).content.decode()
    assert "waits for your verdict" in page
    assert f"/s/{scored.submission_id}/" in page


def test_failures_are_counted_by_code(browser: Client, submission: Submission) -> None:
    Run.objects.update(
        state=RunState.FAILED,
        failure_code="PAIR_TIMEOUT",
        fault="participant",
        finished_at=timezone.now(),
    )
    page = browser.get(PAGE).content.decode()
    assert "/help/errors/PAIR_TIMEOUT/" in page
    assert "Nothing waits for you." in page


def test_an_announcement_reaches_everybody_without_any_script(browser: Client, phase: Phase) -> None:
    sent = {"title": "A <i>new</i> date", "text": "**Soon**\n\n<script>alert(1)</script>"}
    assert browser.post(f"{PAGE}announce/", sent).status_code == 302
    page = Client().get("/c/small/news/").content.decode()
    assert "A &lt;i&gt;new&lt;/i&gt; date" in page
    assert "<strong>Soon</strong>" in page
    assert "<script>alert" not in page


def test_an_announcement_without_a_heading_keeps_its_text(browser: Client, phase: Phase) -> None:
    answer = browser.post(f"{PAGE}announce/", {"title": "", "text": "A long explanation."})
    assert answer.status_code == 400
    assert "A long explanation." in answer.content.decode()


def test_scoring_again_takes_a_known_suite_and_an_own_phase(
    browser: Client, scored: Run, other_phase: Phase
) -> None:
    phase = scored.submission.phase_id
    for sent in ({"phase": phase, "suite": "nonsense"}, {"phase": other_phase.pk, "suite": "sts-demo-2"}, {}):
        assert browser.post(f"{PAGE}rescore/", sent).status_code == 400
    assert (
        browser.post(f"{PAGE}rescore/", {"phase": phase, "suite": "sts-demo-2"}).status_code == 400
    )  # another size
    assert not Run.objects.filter(purpose="rescore").exists()


@pytest.fixture
def other_phase(phase: Phase) -> Phase:
    """A phase of somebody else's competition."""
    other = Competition.objects.create(slug="other", title="Other")
    return Phase.objects.create(
        competition=other,
        slug="main",
        title="Main",
        opens_at=phase.opens_at,
        closes_at=phase.closes_at,
        dataset_version=phase.dataset_version,
        suite=phase.suite,
    )


def test_nobody_else_gets_at_the_page(client: Client, phase: Phase, stranger: User) -> None:
    assert client.get(PAGE).status_code == 302
    client.force_login(stranger)
    for address in (PAGE, f"{PAGE}announce/", f"{PAGE}rescore/"):
        answer = client.get(address) if address == PAGE else client.post(address, {"title": "x"})
        assert answer.status_code == 404
    assert client.get(f"/s/{uuid4()}/").status_code == 404


def test_the_news_of_a_hidden_competition_are_hidden(client: Client, competition: Competition) -> None:
    competition.is_published = False
    competition.save()
    assert client.get("/c/small/news/").status_code == 404


def test_the_page_asks_the_database_a_bounded_number_of_times(
    browser: Client,
    submit: Callable[[str], Submission],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(3):
        submit(f"entry-{n}")
    with django_assert_max_num_queries(24):
        browser.get(PAGE)


def test_runs_are_repeated_and_entries_disqualified_from_the_organizers_page(
    browser: Client, scored: Run
) -> None:
    address = f"/s/{scored.submission_id}/"
    page = browser.get(PAGE).content.decode()
    assert f'action="{address}rerun/"' in page
    assert f'action="{address}disqualify/"' in page
    sent = {"from_organizer": "1", "reason": "It reads the style image only."}
    assert browser.post(f"{address}disqualify/", sent).headers["Location"] == PAGE
    assert f'action="{address}reinstate/"' in browser.get(PAGE).content.decode()
    assert browser.post(f"{address}reinstate/", sent).headers["Location"] == PAGE
    assert browser.post(f"{address}rerun/", sent).headers["Location"] == PAGE
    page = browser.get(PAGE).content.decode()
    assert f'action="{address}rerun/"' not in page
    assert f'action="{address}cancel/"' in page
    assert browser.post(f"{address}cancel/", sent).headers["Location"] == PAGE
    assert Run.objects.filter(submission=scored.submission_id, state=RunState.CANCELLED).exists()


def test_a_disqualification_from_the_organizers_page_needs_a_reason(browser: Client, scored: Run) -> None:
    answer = browser.post(f"/s/{scored.submission_id}/disqualify/", {"from_organizer": "1", "reason": " "})
    assert answer.status_code == 400
    assert "INVALID_INPUT" in answer.content.decode()
