"""The board: order, ranks, baselines, what is not ranked, and what it costs."""

import json
from collections.abc import Callable
from pathlib import Path

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.services import create_user
from competitions.models import LeaderboardRow, Phase, Run, Submission
from competitions.services.submissions import Upload, create_submission, register_baseline

BOARD = "/c/small/leaderboard/"


def hand_in(phase: Phase, path: Path, username: str) -> Submission:
    user = create_user(username=username, password="a long password 9")
    with path.open("rb") as content:
        upload = Upload(content=content, size=path.stat().st_size)
        return create_submission(phase_pk=phase.pk, team=user.teams.get(), user=user, upload=upload)


def register(phase: Phase, path: Path) -> Submission:
    with path.open("rb") as content:
        return register_baseline(phase_pk=phase.pk, upload=Upload(content=content, size=path.stat().st_size))


def test_an_empty_board_invites(client: Client, phase: Phase) -> None:
    page = client.get(BOARD).content.decode()
    assert "Nothing is scored yet" in page
    assert "Be the first" in page
    assert "<table" not in page


def test_a_row_shows_rank_pictures_scores_and_its_run(client: Client, scored: Run) -> None:
    page = client.get(BOARD).content.decode()
    row = LeaderboardRow.objects.get()
    assert f"{100 * row.values['headline'][0]:.1f}" in page
    assert "±" in page
    assert f'href="/s/{scored.submission_id}/"' in page
    assert page.count(f"/images/runs/{scored.pk}/") == 2
    assert "output of identity for content waves in style family-0" in page
    assert "rosalba" in page


def test_the_foot_says_how_the_rank_is_made_and_links_to_the_data(client: Client, scored: Run) -> None:
    page = client.get(BOARD).content.decode()
    assert "2000 bootstrap draws over 2 styles and 2 contents (4 pairs, seed 20260101)" in page
    assert "Demo scores." in page
    assert "The best scored submission of each team counts." in page
    link = "/api/v1/competitions/small/leaderboard/"
    assert f'href="{link}"' in page
    assert json.loads(client.get(link).content)["rows"][0]["name"] == "identity"


def test_baselines_stand_in_order_labelled_and_unnumbered(
    client: Client, scored: Run, phase: Phase, make_archive: Callable[..., Path], evaluate: Callable[..., Run]
) -> None:
    evaluate(register(phase, make_archive("copy")))
    page = client.get(BOARD).content.decode()
    row = page[page.index('<tr role="row" class="baseline') :].split("</tr>")[0]
    assert "copy" in row
    assert "baseline</span>" in row
    assert 'class="number">1' not in row.split('class="who"')[0]


def test_rows_that_cannot_be_told_apart_share_rank_and_shade(
    client: Client, scored: Run, phase: Phase, make_archive: Callable[..., Path], evaluate: Callable[..., Run]
) -> None:
    evaluate(hand_in(phase, make_archive("twin"), "giulia"))
    page = client.get(BOARD).content.decode()
    assert page.count('<tr role="row" class="entry odd">') == 2
    assert page.count('class="rank"><span class="number">1</span>') == 2


def test_what_is_not_ranked_stands_below_with_the_reason(client: Client, scored: Run) -> None:
    LeaderboardRow.objects.update(
        rank=None, rank_low=None, rank_high=None, group=None, n_valid=1, unranked_reason="1 of 4 pairs"
    )
    page = client.get(BOARD).content.decode()
    below = page[page.index('class="unranked"') :]
    assert "1 of 4 pairs have a valid output" in below
    client.cookies["django_language"] = "zh-hans"
    assert "4 个图对中有 1 个得到有效结果" in client.get(BOARD).content.decode()


def test_the_board_costs_the_same_for_any_number_of_rows(
    client: Client,
    scored: Run,
    phase: Phase,
    make_archive: Callable[..., Path],
    evaluate: Callable[..., Run],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    counts = []
    for n in range(3):
        with django_assert_max_num_queries(12) as seen:
            assert client.get(BOARD).status_code == 200
        counts.append(len(seen))
        evaluate(hand_in(phase, make_archive(f"more-{n}"), f"user-{n}"))
    assert len(set(counts)) == 1


def test_names_that_strangers_chose_cannot_act(client: Client, scored: Run) -> None:
    Submission.objects.update(name='"><script>alert(1)</script>', note="<img src=x onerror=alert(2)>")
    for url in (BOARD, "/", "/c/small/", f"/s/{scored.submission_id}/"):
        page = client.get(url).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_an_unknown_phase_is_not_found(client: Client, scored: Run) -> None:
    assert client.get(BOARD + "?phase=main").status_code == 200
    answer = client.get(BOARD + "?phase=nope")
    assert answer.status_code == 404
    assert "NOT_FOUND" in answer.content.decode()
