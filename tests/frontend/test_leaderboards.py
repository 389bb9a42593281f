"""The board: order, ranks, baselines, what is not ranked, and what it costs."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, User
from accounts.services import create_user
from competitions.models import LeaderboardRow, Phase, Run, Submission
from competitions.services.datasets import import_dataset
from competitions.services.submissions import Upload, create_submission, register_baseline
from frontend.boards import PER_PAGE
from tests.boards import draw_outputs, enter_runs, store_board
from tests.conftest import write_dataset

BOARD = "/c/small/leaderboard/"
BUDGET = 11  # queries of a board, whatever its length


def hand_in(phase: Phase, path: Path, username: str) -> Submission:
    user = create_user(username=username, password="a long password 9")
    with path.open("rb") as content:
        upload = Upload(content=content, size=path.stat().st_size)
        return create_submission(phase_pk=phase.pk, team=user.teams.get(), user=user, upload=upload)


def register(phase: Phase, path: Path) -> Submission:
    with path.open("rb") as content:
        return register_baseline(phase_pk=phase.pk, upload=Upload(content=content, size=path.stat().st_size))


def ranks_by_name(page: str) -> dict[str, str]:
    """Read names and ranks of a board from top to bottom."""
    rows = [part for part in page.split("<tr ") if 'class="who"' in part]
    return {
        re.findall(r"/s/[^>]+>([^<]+)</a>", row)[0]: "".join(
            re.findall(r'class="number">([^<]+)</span> <', row)[:1]
        )
        for row in rows
    }


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
    assert page.count(f'src="/images/runs/{scored.pk}/') == 2
    assert "output of identity for content waves in style family-0" in page
    assert "rosalba" in page


def test_the_foot_says_how_the_rank_is_made_and_links_to_the_data(client: Client, scored: Run) -> None:
    page = client.get(BOARD).content.decode()
    assert "2000 bootstrap draws over 2 styles and 2 contents (4 pairs, seed 20260101)" in page
    assert "Demo scores." in page
    assert "The best scored submission of each team counts." in page
    link = "/api/v1/competitions/small/leaderboard/?phase=main"
    assert f'href="{link}"' in page
    assert json.loads(client.get(link).content)["rows"][0]["name"] == "identity"


def test_baselines_stand_in_order_labelled_and_unnumbered(
    client: Client, scored: Run, phase: Phase, make_archive: Callable[..., Path], evaluate: Callable[..., Run]
) -> None:
    evaluate(register(phase, make_archive("copy")))
    page = client.get(BOARD).content.decode()
    row = next(part for part in page.split("<tr ") if 'class="baseline' in part)
    assert "copy" in row
    assert "baseline</span>" in row
    assert 'class="number">1' not in row.split('class="who"')[0]


def test_rows_that_cannot_be_told_apart_share_rank_and_shade(
    client: Client, scored: Run, phase: Phase, make_archive: Callable[..., Path], evaluate: Callable[..., Run]
) -> None:
    evaluate(hand_in(phase, make_archive("twin"), "giulia"))
    page = client.get(BOARD).content.decode()
    assert page.count('class="entry odd has-more"') == 2
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
        with django_assert_max_num_queries(BUDGET) as seen:
            assert client.get(BOARD).status_code == 200
        counts.append(len(seen))
        evaluate(hand_in(phase, make_archive(f"more-{n}"), f"user-{n}"))
    assert len(set(counts)) == 1


@pytest.mark.parametrize("n", [10, 1000])
def test_long_boards_cost_what_short_ones_do(
    client: Client, phase: Phase, n: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    runs = enter_runs(phase, n)
    store_board(phase, runs)
    draw_outputs(phase, runs[:10])
    with django_assert_max_num_queries(BUDGET) as seen:
        page = client.get(BOARD)
    assert len(seen) == BUDGET
    with django_assert_max_num_queries(BUDGET - 7):  # what is kept is not read again
        assert client.get(BOARD).content.count(b'class="rank"') == page.content.count(b'class="rank"')
    assert page.content.count(b'class="rank"><span class="number">') == min(n, PER_PAGE) - 1
    assert len(gzip.compress(page.content)) < 60 * 1024


def test_a_long_board_is_read_page_by_page(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 130))
    assert 'href="?page=3"' in client.get(BOARD).content.decode()
    third = client.get(BOARD + "?page=3").content.decode()
    assert "generator-0129" in third
    assert "generator-0099" not in third.split('id="board"')[1]
    beyond = client.get(BOARD + "?page=99").content.decode()
    assert "generator-0129" in beyond


def test_a_slice_reorders_the_rows_and_keeps_their_rank(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 5))
    official = ranks_by_name(client.get(BOARD).content.decode())
    sliced = ranks_by_name(client.get(BOARD + "?slice=culture:South").content.decode())
    assert list(sliced) == list(reversed(official))
    assert sliced == official
    page = client.get(BOARD + "?slice=culture:South").content.decode()
    assert "Official rank" in page
    assert "place 1–4 here" in page


def test_another_weighting_reorders_the_rows_and_keeps_their_rank(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 5))
    official = ranks_by_name(client.get(BOARD).content.decode())
    assert list(ranks_by_name(client.get(BOARD + "?weight=100").content.decode())) == list(reversed(official))
    mixed = ranks_by_name(client.get(BOARD + "?weight=10").content.decode())
    assert list(mixed) == list(official)
    assert mixed == official


def test_a_thin_slice_shows_its_size_and_never_a_number(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 3))
    page = client.get(BOARD).content.decode()
    assert "East <small>n = 9: too few to rank</small>" in page
    assert "slice=culture%3AEast" not in page
    asked = client.get(BOARD + "?slice=culture:East").content.decode()
    assert "East: n = 9: too few to rank" in asked
    assert ranks_by_name(asked) == ranks_by_name(page)


def test_slices_that_are_equally_thin_share_one_line(client: Client, phase: Phase) -> None:
    sizes: dict[str, list[object]] = {
        "A": [40, 8, False],
        "B": [9, 3, True],
        "C": [9, 3, True],
        "D": [12, 1, True],
    }
    store_board(phase, enter_runs(phase, 2), slices=sizes)
    page = client.get(BOARD).content.decode()
    assert "B, C <small>n = 9: too few to rank</small>" in page
    assert "D <small>1 style: too few to rank</small>" in page


def test_a_row_tells_its_weakest_slices_first(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 2))
    page = client.get(BOARD).content.decode()
    assert "Weakest slice: South, 20.0 (n = 12)" in page
    listed = page[page.index('<ul class="slices"') :].split("</ul>")[0]
    assert listed.index("South") < listed.index("North")


@pytest.mark.parametrize(
    "query",
    [
        "slice=culture:Atlantis",
        "slice=<script>",
        "weight=101",
        "weight=-1",
        "weight=nan",
        "weight=٣",
        "page=0",
        "page=x",
        f"page={'9' * 40}",
        "baselines=maybe",
        "strip=0",
        "strip=2",
        "strip=first",
        "slice=culture:North&weight=50",
    ],
)
def test_an_address_without_sense_shows_the_plain_board_with_a_note(
    client: Client, phase: Phase, query: str
) -> None:
    store_board(phase, enter_runs(phase, 3))
    answer = client.get(f"{BOARD}?{query}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "This is the whole board." in page
    assert "<script>" not in page
    assert ranks_by_name(page) == ranks_by_name(client.get(BOARD).content.decode())


def test_baselines_can_be_hidden(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 4, n_baselines=2))
    page = client.get(BOARD + "?baselines=hidden").content.decode()
    assert list(ranks_by_name(page)) == ["generator-0002", "generator-0003"]
    assert 'class="point baseline' not in page


def test_every_point_of_the_plot_is_a_link_to_a_row(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 3))
    page = client.get(BOARD).content.decode()
    targets = re.findall(r'<a class="point [^"]*" href="#([^"]+)" aria-label="generator-\d+: content', page)
    assert len(set(targets)) == 3
    assert all(f'id="{target}"' in page for target in targets)


def test_all_rows_can_show_other_pairs(client: Client, phase: Phase, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "more", n_public=6)
    Phase.objects.update(dataset_version=import_dataset(folder=folder, slug="more", title="More"))
    phase.refresh_from_db()
    runs = enter_runs(phase, 3)
    store_board(phase, runs)
    draw_outputs(phase, runs)
    first = client.get(BOARD).content.decode()
    assert 'href="?strip=2#board"' in first
    second = client.get(BOARD + "?strip=2").content.decode()
    assert 'href="?#board"' in second
    shown = [set(re.findall(r"/c/small/pair/(p\d+)/", page)) for page in (first, second)]
    assert [len(pairs) for pairs in shown] == [3, 3]  # there are three families of styles
    assert not shown[0] & shown[1]
    for run in runs:
        assert second.count(f'src="/images/runs/{run.pk}/') == 3


def test_entries_of_ones_teams_are_marked_whoever_handed_them_in(
    client: Client, phase: Phase, stranger: User
) -> None:
    runs = enter_runs(phase, 5)
    store_board(phase, runs)
    Submission.objects.filter(pk=runs[1].submission_id).update(submitted_by=stranger)  # for a team since left
    for run in runs[2:4]:
        team = run.submission.team
        assert team
        Membership.objects.create(team=team, user=stranger)
    assert "yours" not in client.get(BOARD).content.decode()
    client.force_login(stranger)
    page = client.get(BOARD).content.decode()
    rows = [part for part in page.split("<tr ") if 'class="chip own"' in part]
    assert [re.search(r"generator-\d+", row)[0] for row in rows] == ["generator-0002", "generator-0003"]  # type: ignore[index]
    assert len(re.findall(r'class="point entry[a-z ]* own"', page)) == 4  # in the wide and in the narrow plot


def test_pictures_lead_to_their_pair(client: Client, phase: Phase) -> None:
    runs = enter_runs(phase, 2)
    store_board(phase, runs)
    draw_outputs(phase, runs)
    page = client.get(BOARD).content.decode()
    assert 'href="/c/small/pair/p000/?phase=main"' in page
    assert f'src="/images/runs/{runs[0].pk}/' in page


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
