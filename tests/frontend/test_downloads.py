"""The files of a board: full precision, released pairs only, nothing that a spreadsheet would run."""

import csv
import io
import json

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from competitions.models import Competition, LeaderboardRow, Phase, Run, Submission
from tests.boards import enter_runs, store_board

BOARD = "/c/small/leaderboard/"
FILES = ("scores.csv", "slices.csv", "pairs.csv", "pairs.json")


def fetch(client: Client, name: str) -> str:
    answer = client.get(BOARD + name)
    assert answer.status_code == 200
    return b"".join(answer).decode()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_scores_come_in_full_precision(client: Client, scored: Run) -> None:
    (line,) = table(fetch(client, "scores.csv"))
    values = LeaderboardRow.objects.get().values
    assert [float(line[name]) for name in ("headline", "headline_low", "headline_high")] == values["headline"]
    assert (line["name"], line["team"], line["rank"]) == ("identity", "rosalba", "1")
    assert line["run"] == str(scored.pk)


def test_every_released_pair_is_listed_and_no_hidden_one(client: Client, scored: Run, phase: Phase) -> None:
    released = set(phase.dataset_version.pairs.filter(split="public").values_list("name", flat=True))
    lines = table(fetch(client, "pairs.csv"))
    assert {line["pair"] for line in lines} == released
    found = json.loads(fetch(client, "pairs.json"))
    assert {line["pair"] for line in found["pairs"]} == released
    by_pair = {line["pair"]: float(line["headline"]) for line in lines}
    assert by_pair == {line["pair"]: line["values"]["headline"] for line in found["pairs"]}
    assert found["phase"] == "main"


def test_slices_come_with_their_sizes(client: Client, phase: Phase) -> None:
    store_board(phase, enter_runs(phase, 2))
    lines = table(fetch(client, "slices.csv"))
    assert {(line["slice"], line["n_pairs"]) for line in lines} == {("North", "40"), ("South", "12")}
    assert len(lines) == 4


def test_a_name_that_looks_like_a_formula_is_text(client: Client, scored: Run) -> None:
    Submission.objects.update(name='=HYPERLINK("x")')
    for name in ("scores.csv", "pairs.csv"):
        assert table(fetch(client, name))[0]["name"] == '\'=HYPERLINK("x")'
    assert json.loads(fetch(client, "pairs.json"))["pairs"][0]["name"] == '=HYPERLINK("x")'


def test_files_carry_the_name_of_what_they_hold(client: Client, scored: Run) -> None:
    answer = client.get(BOARD + "scores.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="small-main-scores.csv"'
    assert answer.headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("name", FILES)
def test_an_empty_board_gives_empty_files(client: Client, phase: Phase, name: str) -> None:
    text = fetch(client, name)
    assert json.loads(text)["pairs"] == [] if name.endswith("json") else table(text) == []


@pytest.mark.parametrize("name", FILES)
def test_files_of_a_competition_that_is_not_published_are_nobodys(
    client: Client, scored: Run, name: str
) -> None:
    Competition.objects.update(is_published=False)
    assert client.get(BOARD + name).status_code == 404


@pytest.mark.parametrize("name", ["nothing.csv", "scores.xml", "scores.csv/", "..%2f"])
def test_other_names_are_not_found(client: Client, scored: Run, name: str) -> None:
    assert client.get(BOARD + name).status_code == 404


@pytest.mark.parametrize("n", [10, 200])
def test_a_file_costs_the_same_queries_for_any_number_of_rows(
    client: Client, phase: Phase, n: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    store_board(phase, enter_runs(phase, n))
    with django_assert_max_num_queries(13):
        assert fetch(client, "pairs.csv").count("\n") == 2 * n + 1
