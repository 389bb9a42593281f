"""Two submissions against each other: what is said, which pairs are listed, who may ask."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from competitions.errors import NotComparable, NotFound
from competitions.models import Competition, ImagePair, MetricSuite, Phase, Run, Submission
from competitions.selectors.comparisons import compare_submissions
from tests.boards import draw_outputs, enter_runs, store_board
from tests.conftest import write_dataset

COMPARE = "/compare/"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of 3 released and 24 hidden pairs: enough styles for an interval and a test."""
    return write_dataset(tmp_path / "dataset", n_public=3, hidden=(2, 12))


def scores(place: int, pair: ImagePair) -> dict[str, float]:
    """Let the second run be better by 0.1 on most pairs, and worse on the first released one."""
    ahead = -0.2 if pair.name == "p000" else 0.1 + 0.02 * (pair.pk % 3)
    value = 0.5 + ahead * place
    return {"headline": value, "content": value, "style": 0.5}


@pytest.fixture
def runs(phase: Phase) -> list[Run]:
    """A baseline and two entries, each better than the one before, with pictures and a board."""
    made = enter_runs(phase, 3, scores=scores)
    store_board(phase, made)
    draw_outputs(phase, made)
    return made


def address(first: Run, second: Run, more: str = "") -> str:
    return f"{COMPARE}?a={first.submission_id}&b={second.submission_id}{more}"


def test_the_difference_is_said_with_its_interval(client: Client, runs: list[Run]) -> None:
    page = client.get(address(runs[2], runs[1])).content.decode()
    sentence = re.search(r'<p class="lead">(.*?)</p>', page, re.S)
    assert sentence
    assert "generator-0002 is ahead of generator-0001 by 12." in sentence[1]
    assert "95 % interval +1" in sentence[1]
    assert "over 24 hidden pairs of 12 styles" in page
    assert "&lt; 0.001" in page


def test_swapping_the_two_turns_the_sign(client: Client, runs: list[Run]) -> None:
    page = client.get(address(runs[1], runs[2])).content.decode()
    assert "generator-0001 is behind generator-0002 by 12." in page
    forward, backward = (
        compare_submissions(a.submission_id, b.submission_id, User(is_staff=True)).metrics[0]
        for a, b in ((runs[2], runs[1]), (runs[1], runs[2]))
    )
    assert forward.difference == pytest.approx(-backward.difference)
    assert forward.low is not None
    assert forward.low == pytest.approx(-(backward.high or 0))


def test_what_does_not_differ_cannot_be_told_apart(client: Client, runs: list[Run]) -> None:
    Run.objects.filter(pk=runs[2].pk).update(pair_scores=runs[1].pair_scores)
    page = client.get(address(runs[1], runs[2])).content.decode()
    assert "These pairs cannot tell generator-0001 and generator-0002 apart" in page
    assert page.count("On no released pair.") == 2


def test_wins_and_losses_are_listed_with_both_pictures(client: Client, runs: list[Run]) -> None:
    page = client.get(address(runs[2], runs[1])).content.decode()
    wins, losses = (page[page.index(f'id="{part}"') :].split("</section>")[0] for part in ("wins", "losses"))
    assert re.findall(r"/pair/(p\d+)/", losses) == ["p000"]
    assert set(re.findall(r"/pair/(p\d+)/", wins)) == {"p001", "p002"}
    for run in runs[1:]:
        assert f'src="/images/runs/{run.pk}/' in wins
    assert "−20.0" in losses


def test_hidden_pairs_are_never_listed(client: Client, runs: list[Run], phase: Phase) -> None:
    page = client.get(address(runs[2], runs[1], "&metric=content")).content.decode()
    for hidden in phase.dataset_version.pairs.filter(split="hidden"):
        assert hidden.name not in page
        assert f"/{hidden.pk}/256/" not in page


def test_the_pairs_can_be_listed_by_another_metric(client: Client, runs: list[Run]) -> None:
    page = client.get(address(runs[2], runs[1], "&metric=style")).content.decode()
    assert page.count("On no released pair.") == 2
    assert '&amp;metric=style" aria-current="page"' in page


def test_one_alone_offers_the_rest_of_its_board(client: Client, runs: list[Run]) -> None:
    page = client.get(f"{COMPARE}?a={runs[1].submission_id}").content.decode()
    offered = re.findall(r'href="\?a=[^&]+&amp;b=([0-9a-f-]+)', page)
    assert offered == [str(run.submission_id) for run in (runs[0], runs[2])]
    same = client.get(address(runs[1], runs[1])).content.decode()
    assert re.findall(r'href="\?a=[^&]+&amp;b=([0-9a-f-]+)', same) == offered


def test_without_a_choice_the_way_to_one_is_told(client: Client, db: None) -> None:
    page = client.get(COMPARE).content.decode()
    assert "Choose a generator on a leaderboard" in page


@pytest.mark.parametrize("query", ["a=x", "a=<script>&b=1", "a=&b=zz"])
def test_an_address_without_sense_gets_a_note(client: Client, db: None, query: str) -> None:
    answer = client.get(f"{COMPARE}?{query}")
    assert answer.status_code == 200
    assert "means nothing here" in answer.content.decode()
    assert "<script>" not in answer.content.decode()


def test_an_unknown_metric_is_noted_and_left_out(client: Client, runs: list[Run]) -> None:
    page = client.get(address(runs[2], runs[1], "&metric=beauty")).content.decode()
    assert "“beauty” means nothing here." in page
    assert "generator-0002 is ahead" in page


def test_runs_under_two_suites_are_not_compared(client: Client, runs: list[Run]) -> None:
    other = MetricSuite.objects.create(name="other", digest="2" * 64, document="{}")
    Run.objects.filter(pk=runs[2].pk).update(suite=other)
    page = client.get(address(runs[1], runs[2]))
    assert page.status_code == 200
    assert "NOT_COMPARABLE" in page.content.decode()
    with pytest.raises(NotComparable):
        compare_submissions(runs[1].submission_id, runs[2].submission_id, User(is_staff=True))


def test_what_one_may_not_see_cannot_be_compared(
    client: Client, runs: list[Run], submission: Submission
) -> None:
    for key in (submission.pk, uuid4()):
        assert client.get(f"{COMPARE}?a={runs[1].submission_id}&b={key}").status_code == 404
        assert client.get(f"{COMPARE}?a={key}").status_code == 404
    Competition.objects.update(is_published=False)
    assert client.get(address(runs[1], runs[2])).status_code == 404
    with pytest.raises(NotFound):
        compare_submissions(runs[1].submission_id, submission.pk, User(is_staff=True))


def test_a_comparison_costs_a_known_number_of_queries(
    client: Client, runs: list[Run], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(4):
        assert client.get(address(runs[2], runs[1])).status_code == 200
