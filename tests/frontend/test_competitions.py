"""The home page, the list, and what a competition's page says."""

import dataclasses
import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from competitions.models import Competition, Phase, Run
from competitions.services.competitions import (
    PhasePlan,
    create_competition,
    create_phase,
    publish,
    store_suite,
)
from competitions.services.datasets import import_dataset
from evaluation.spec import MetricSuite
from tests.boards import draw_outputs, enter_runs, store_board
from tests.conftest import write_dataset


def add_competition(phase: Phase, organizer: User, suite: MetricSuite, slug: str, *, days: int = 1) -> None:
    made = create_competition(
        slug=slug, title=f"Title of {slug}", summary="", description="", organizer=organizer
    )
    now = timezone.now()
    plan = PhasePlan(
        slug="main",
        title="Main",
        opens_at=now + timedelta(days=days - 1),
        closes_at=now + timedelta(days=days),
    )
    create_phase(competition=made, plan=plan, dataset_version=phase.dataset_version, suite=suite)
    publish(competition=made)


def count_queries(client: Client, url: str, counter: DjangoAssertNumQueries) -> int:
    with counter(200) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_a_new_installation_says_how_to_get_a_competition(client: Client, db: None) -> None:
    for url in ("/", "/competitions/"):
        assert "manage.py seed_demo" in client.get(url).content.decode()


def test_a_card_shows_the_leaders_pictures_and_the_style_images(client: Client, scored: Run) -> None:
    page = client.get("/").content.decode()
    assert "Small waves" in page
    assert f"/images/runs/{scored.pk}/" in page
    assert "/style/" in page
    assert "1 ranked entry" in page


def test_a_card_shows_the_content_images_before_anything_is_scored(client: Client, phase: Phase) -> None:
    page = client.get("/").content.decode()
    assert "/images/pairs/" in page
    assert "/content/" in page
    assert "/images/runs/" not in page


def test_the_list_is_filtered_by_state_and_says_so_when_nothing_is_left(
    client: Client, phase: Phase, organizer: User, suite: MetricSuite
) -> None:
    add_competition(phase, organizer, suite, "past", days=-1)
    add_competition(phase, organizer, suite, "coming", days=9)
    everything = client.get("/competitions/").content.decode()
    assert [everything.index(t) for t in ("Small waves", "Title of coming", "Title of past")] == sorted(
        everything.index(t) for t in ("Small waves", "Title of coming", "Title of past")
    )
    past = client.get("/competitions/?state=closed").content.decode()
    assert "Title of past" in past
    assert "Small waves" not in past
    Competition.objects.exclude(slug="small").update(is_published=False)
    nothing = client.get("/competitions/?state=upcoming").content.decode()
    assert "No competition passes these filters." in nothing
    assert "Take off “not open yet”" in nothing
    assert client.get("/competitions/?state=<script>").content.decode().count("<script>") == 0


@pytest.fixture
def two(phase: Phase, organizer: User, suite: MetricSuite, tmp_path: Path) -> None:
    """Beside the usual competition a second one, on pairs of other cultures."""
    folder = write_dataset(tmp_path / "other", n_public=1)
    text = (folder / "pairs.json").read_text().replace("culture-0", "far").replace("culture-1", "further")
    (folder / "pairs.json").write_text(text)
    version = import_dataset(folder=folder, slug="other", title="Other")
    add_competition(phase, organizer, suite, "second")
    Phase.objects.filter(competition__slug="second").update(dataset_version=version)


def test_the_list_is_filtered_by_the_labels_of_public_pairs(client: Client, two: None) -> None:
    everything = client.get("/competitions/").content.decode()
    assert 'href="?culture=far"' in everything
    assert "further" not in everything  # hidden pairs alone have it
    far = client.get("/competitions/?culture=far").content.decode()
    assert "Title of second" in far
    assert "Small waves" not in far
    assert 'href="?culture=far&amp;style_family=family-0"' in far
    both = client.get("/competitions/?culture=far&style_family=family-1").content.decode()
    assert 'href="?culture=far">Take off “family-1”' in both


def test_the_list_is_filtered_by_task(client: Client, two: None, suite: MetricSuite) -> None:
    assert "?task=" not in client.get("/competitions/").content.decode()  # all have the same
    wide = dataclasses.replace(suite, name="sts-wide")
    Phase.objects.filter(competition__slug="second").update(suite=store_suite(suite=wide))
    everything = client.get("/competitions/").content.decode()
    assert f'href="?task={wide.id}"' in everything
    found = client.get(f"/competitions/?task={wide.id}&state=open").content.decode()
    assert "Title of second" in found
    assert "Small waves" not in found
    nothing = client.get(f"/competitions/?task={wide.id}&q=nothing").content.decode()
    assert f'href="?q=nothing">Take off “{wide.id}”' in nothing


def test_the_list_can_be_searched(client: Client, two: None) -> None:
    found = client.get("/competitions/?q=TITLE+of").content.decode()
    assert "Title of second" in found
    assert "Small waves" not in found
    assert 'value="TITLE of"' in found
    nothing = client.get("/competitions/?q=%3Cscript%3E").content.decode()
    assert "No competition passes these filters." in nothing
    assert "<script>" not in nothing


@pytest.mark.parametrize("query", ["state=nope", "task=sts-9", "culture=further", "style_family=<b>"])
def test_a_filter_without_sense_shows_the_whole_list_with_a_note(
    client: Client, two: None, query: str
) -> None:
    page = client.get(f"/competitions/?{query}").content.decode()
    assert "These are all competitions." in page
    assert "Title of second" in page
    assert "Small waves" in page
    assert "<b>" not in page


def test_the_first_three_stand_on_the_overview_with_their_pictures(client: Client, phase: Phase) -> None:
    runs = enter_runs(phase, 6)
    store_board(phase, runs)
    draw_outputs(phase, runs)
    page = client.get("/c/small/").content.decode()
    leaders = page[page.index('class="leaders"') :].split("</ol>")[0]
    assert [f"generator-000{n}" in leaders for n in range(6)] == [False, True, True, True, False, False]
    for run in runs[1:4]:
        assert leaders.count(f'src="/images/runs/{run.pk}/') == 2
    assert "1–2" in leaders


@pytest.mark.parametrize("n", [10, 1000])
def test_the_overview_costs_the_same_for_any_number_of_rows(
    client: Client, phase: Phase, n: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    store_board(phase, enter_runs(phase, n))
    assert count_queries(client, "/c/small/", django_assert_max_num_queries) <= 11


def test_home_shows_what_is_open_or_coming_only(
    client: Client, phase: Phase, organizer: User, suite: MetricSuite
) -> None:
    add_competition(phase, organizer, suite, "past", days=-1)
    page = client.get("/").content.decode()
    assert "Small waves" in page
    assert "Title of past" not in page


def test_an_unpublished_competition_is_its_organizers(
    client: Client, phase: Phase, organizer: User, stranger: User
) -> None:
    Competition.objects.update(is_published=False)
    for user, status in ((None, 404), (stranger, 404), (organizer, 200)):
        if user:
            client.force_login(user)
        assert client.get("/c/small/").status_code == status
        assert ("Small waves" in client.get("/competitions/").content.decode()) == (status == 200)
    assert "not published" in client.get("/c/small/").content.decode()


def test_the_list_costs_the_same_for_any_number_of_competitions(
    client: Client,
    phase: Phase,
    scored: Run,
    organizer: User,
    suite: MetricSuite,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for url in ("/", "/competitions/"):
        before = count_queries(client, url, django_assert_max_num_queries)
        for n in range(3):
            add_competition(phase, organizer, suite, f"more-{n}-{len(url)}")
        assert count_queries(client, url, django_assert_max_num_queries) == before
        assert before <= 10


def test_the_page_tells_task_pairs_metrics_dates_and_limits(client: Client, phase: Phase) -> None:
    page = client.get("/c/small/").content.decode()
    for text in (
        "Waves on waves.",
        "Trade-off score",
        "higher is better",
        "lower is better",
        "a perfect content score",
        f"{phase.closes_at:%Y-%m-%d %H:%M}",
        "4096 MB",
        "2 min",
        "Demo scores.",
        "2 pairs are public for practice; the scores come from 4 hidden ones.",
    ):
        assert text in page


def test_the_main_button_follows_the_state(client: Client, phase: Phase, researcher: User) -> None:
    assert "Sign in to submit" in client.get("/c/small/").content.decode()
    client.force_login(researcher)
    open_page = client.get("/c/small/").content.decode()
    assert 'class="button" href="/c/small/submit/"' in open_page
    assert "rosalba: 3 of 3 runs left today" in open_page
    Phase.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    closed = client.get("/c/small/").content.decode()
    assert "See the results" in closed
    assert "/c/small/submit/" not in closed


def test_a_competition_without_a_phase_has_no_dead_buttons(client: Client, competition: Competition) -> None:
    page = client.get("/c/small/").content.decode()
    assert "has not opened a phase yet" in page
    assert "/submit/" not in page
    assert client.get("/c/small/leaderboard/").status_code == 400


def test_the_organizers_words_are_set_but_cannot_act(client: Client, phase: Phase) -> None:
    Competition.objects.update(
        title="<script>alert(1)</script>",
        summary="<b>x</b>",
        description="# Rules\n\n<script>alert(2)</script>",
    )
    for url in ("/", "/competitions/", "/c/small/", "/c/small/leaderboard/"):
        page = client.get(url).content.decode()
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page
    assert "<h3>Rules</h3>" in client.get("/c/small/").content.decode()


def test_the_style_sheet_is_small_and_loads_nothing() -> None:
    folder = Path(__file__).parents[2] / "frontend" / "static" / "frontend"
    css, script = (folder / "app.css").read_bytes(), (folder / "live.js").read_bytes()
    assert len(gzip.compress(css)) <= 15 * 1024
    assert len(gzip.compress(script)) <= 12 * 1024
    assert b"url(" not in css
    assert b"@import" not in css


@pytest.mark.parametrize("state", ["open", "upcoming", "closed"])
def test_every_state_can_be_asked_for(client: Client, phase: Phase, state: str) -> None:
    assert client.get(f"/competitions/?state={state}").status_code == 200
