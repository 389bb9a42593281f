"""Released pairs as a grid and one by one: what is shown, what stays hidden, what an address may ask."""

import gzip
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from competitions.models import Competition, ImagePair, LeaderboardRow, Phase, Run
from competitions.selectors.competitions import PairView
from competitions.selectors.galleries import ReleasedPair
from frontend.galleries import MAX_COLUMNS, PER_PAGE, Sheet, grid_of
from tests.boards import draw_outputs, enter_runs, store_board

GALLERY = "/c/small/gallery/"
PAIR = "/c/small/pair/p000/"
BUDGETS = {GALLERY: 8, PAIR: 9}  # queries, whatever is on the board


def board(phase: Phase, n: int = 3) -> list[Run]:
    runs = enter_runs(phase, n)
    store_board(phase, runs)
    draw_outputs(phase, runs)
    return runs


def without_tokens(page: bytes) -> bytes:
    """Take out what differs between any two answers."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]*"', b"", page)


def released(number: int, content: int, style: int) -> ReleasedPair:
    return ReleasedPair(
        PairView(number, f"p{number}", f"style-{style:02d}", "north", "waves"), content, style
    )


def cross(n_contents: int, n_styles: int) -> list[ReleasedPair]:
    return [released(c * n_styles + s, c, s) for c in range(n_contents) for s in range(n_styles)]


def test_the_gallery_shows_the_leaders_pictures_of_released_pairs(client: Client, phase: Phase) -> None:
    runs = board(phase)
    page = client.get(GALLERY).content.decode()
    assert f'src="/images/runs/{runs[1].pk}/' in page  # the first is a baseline
    assert "output of generator-0001 for content waves in style family-0" in page
    assert 'href="/c/small/pair/p000/?phase=main&amp;a=' in page
    assert "2 pairs are released." in page


def test_the_pictures_of_any_generator_can_be_asked_for(client: Client, phase: Phase) -> None:
    runs = board(phase)
    page = client.get(f"{GALLERY}?by={runs[2].submission_id}").content.decode()
    assert f'src="/images/runs/{runs[2].pk}/' in page
    assert f"/images/runs/{runs[1].pk}/" not in page


def test_pairs_can_be_chosen_by_their_labels(client: Client, phase: Phase) -> None:
    board(phase)
    page = client.get(GALLERY + "?style_family=family-1").content.decode()
    assert "/c/small/pair/p001/" in page
    assert "/c/small/pair/p000/" not in page
    nothing = client.get(GALLERY + "?style_family=family-1&culture=culture-0").content.decode()
    assert "No released pair has all of these labels." in nothing


def test_hidden_pairs_are_neither_in_the_gallery_nor_have_pages(
    client: Client, scored: Run, phase: Phase
) -> None:
    page = client.get(GALLERY).content.decode()
    missing = without_tokens(client.get("/c/small/pair/nothing/").content)
    for hidden in phase.dataset_version.pairs.filter(split="hidden"):
        assert hidden.name not in page
        assert f"/images/pairs/{hidden.pk}/" not in page
        answer = client.get(f"/c/small/pair/{hidden.name}/")
        assert answer.status_code == 404
        assert without_tokens(answer.content).replace(hidden.name.encode(), b"nothing") == missing


def test_before_anything_is_scored_the_pairs_stand_alone(client: Client, phase: Phase) -> None:
    page = client.get(GALLERY).content.decode()
    assert "/content/" in page
    assert "/images/runs/" not in page
    pair = client.get(PAIR).content.decode()
    assert "No generator has made a picture of this pair yet." in pair
    assert "style image and content image" in pair


@pytest.mark.parametrize(
    "query", ["style_family=nothing", "by=x", "culture=<script>", "page=0", "page=-1", "page=1e3"]
)
def test_an_address_without_sense_shows_all_pairs_with_a_note(
    client: Client, phase: Phase, query: str
) -> None:
    board(phase)
    answer = client.get(f"{GALLERY}?{query}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "These are all released pairs." in page
    assert "<script>" not in page
    assert "/c/small/pair/p000/" in page
    assert "/c/small/pair/p001/" in page


def test_a_phase_without_released_pairs_says_so(client: Client, phase: Phase) -> None:
    ImagePair.objects.filter(split="public").update(split="hidden")
    assert "This phase has no released pairs." in client.get(GALLERY).content.decode()


def test_contents_are_rows_and_styles_columns() -> None:
    grid = grid_of(cross(3, 4), Sheet())
    assert not grid.is_list
    assert len(grid.columns) == 4
    assert [len(cells) for _, cells in grid.rows] == [4, 4, 4]
    assert [cell.pk for cell in grid.rows[1][1] if cell] == [4, 5, 6, 7]


def test_a_missing_pair_is_a_hole_in_the_grid() -> None:
    pairs = cross(2, 2)[:3]
    assert grid_of(pairs, Sheet()).rows[1][1][1] is None


def test_a_grid_that_would_be_mostly_holes_is_a_list() -> None:
    assert grid_of([released(n, n, n) for n in range(9)], Sheet()).is_list
    assert grid_of(cross(2, MAX_COLUMNS + 1), Sheet()).is_list


def test_a_large_grid_is_cut_into_pages() -> None:
    pairs = cross(50, 24)
    first, last = grid_of(pairs, Sheet()), grid_of(pairs, Sheet(page=99))
    assert len(first.rows) * 24 <= 240
    assert len(first.pages) * len(first.rows) == 50
    assert len(last.rows) == len(first.rows)
    assert not {head.name for head, _ in first.rows} & {head.name for head, _ in last.rows}


def test_a_pair_shows_every_generators_output_with_its_scores(client: Client, phase: Phase) -> None:
    runs = board(phase)
    page = client.get(PAIR).content.decode()
    outputs = page[page.index('id="outputs"') :]
    for run in runs:
        assert f'src="/images/runs/{run.pk}/' in outputs
        assert f'href="/s/{run.submission_id}/"' in outputs
    assert "52.0 (content 90.0, style 30.0)" in outputs
    assert 'rel="next"' in page
    assert 'rel="prev"' not in page


def test_two_pictures_are_laid_over_each_other_by_address(client: Client, phase: Phase) -> None:
    runs = board(phase)
    page = client.get(f"{PAIR}?a={runs[2].submission_id}&b={runs[0].submission_id}").content.decode()
    sides = re.findall(r'data-side="([ab])">.*?<img src="/images/runs/([^/]+)/', page, re.S)
    assert sides == [("a", str(runs[2].pk)), ("b", str(runs[0].pk))]
    assert "generator-0002 and generator-0000" in page
    assert f'href="/c/small/pair/p001/?a={runs[2].submission_id}&amp;b={runs[0].submission_id}"' in page


def test_the_page_of_a_pair_has_four_pictures_and_a_script_of_its_own(client: Client, phase: Phase) -> None:
    board(phase)
    page = client.get(PAIR).content.decode()
    assert page.count("<figure data-side") == 4
    assert 'src="/static/frontend/viewer.js" type="module"' in page
    assert 'class="viewer"' in page
    assert 'class="viewer is-beside"' in client.get(PAIR + "?mode=beside").content.decode()


def test_what_only_a_script_can_move_is_shown_where_scripts_run() -> None:
    css = (Path(__file__).parents[2] / "frontend" / "static" / "frontend" / "app.css").read_text()
    plain, scripted = css.split("@media (scripting: enabled) {", 1)
    assert ".viewer .tools, .viewer .split { display: none; }" in plain
    assert ".viewer .tools { display: flex;" in scripted


@pytest.mark.parametrize(
    "query", ["a=x", "b=<script>", "page=2", "page=x", "a=7a0c2b1e-0000-4000-8000-000000000000"]
)
def test_an_address_without_sense_shows_the_pair_as_usual_with_a_note(
    client: Client, phase: Phase, query: str
) -> None:
    runs = board(phase)
    answer = client.get(f"{PAIR}?{query}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "This is the pair as it is shown first." in page
    assert "<script>" not in page
    assert f"/images/runs/{runs[0].pk}/" in page


def test_pairs_of_an_unpublished_competition_are_nobodys(client: Client, phase: Phase) -> None:
    board(phase)
    Competition.objects.update(is_published=False)
    for url in (GALLERY, PAIR):
        assert client.get(url).status_code == 404


@pytest.mark.parametrize("n", [10, 1000])
def test_gallery_and_pair_cost_the_same_for_any_number_of_generators(
    client: Client, phase: Phase, n: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    board(phase, n)
    for url, budget in BUDGETS.items():
        with django_assert_max_num_queries(budget) as seen:
            page = client.get(url)
        assert len(seen) == budget
        assert page.status_code == 200
    assert page.content.count(b"Compare with") == min(n, PER_PAGE)


def test_scripts_and_styles_of_all_pages_stay_small() -> None:
    folder = Path(__file__).parents[2] / "frontend" / "static" / "frontend"
    scripts = [gzip.compress(path.read_bytes()) for path in folder.glob("*.js")]
    assert sum(map(len, scripts)) <= 12 * 1024
    assert b"style=" not in (folder / "viewer.js").read_bytes()


def test_a_rescored_run_shows_the_pictures_that_it_scored(client: Client, scored: Run) -> None:
    again = Run.objects.get(pk=scored.pk)
    again.pk, again.purpose, again.source_id = uuid4(), Run.Purpose.RESCORE, scored.pk
    again.save(force_insert=True)
    LeaderboardRow.objects.update(run=again)
    page = client.get(GALLERY).content.decode()
    sources = re.findall(rf'src="(/images/runs/{again.pk}/\d+/160/)"', page)
    assert len(sources) == 2
    assert all(client.get(source).status_code == 200 for source in sources)
