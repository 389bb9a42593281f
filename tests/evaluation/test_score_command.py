"""The command `score`: table, JSON, CSV and files, problems by name, suites of others, loss weights."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.images import write_png
from evaluation.pairs import read_pairs
from evaluation.problems import list_problems, problem_lines
from evaluation.report import Report
from evaluation.spec import load_suite
from evaluation.suite_choice import open_suite
from tests.evaluation.command_line import Answer, call, sign_small_suite

Score = Callable[..., Answer]


@pytest.fixture
def outputs(dataset: Path, tmp_path: Path) -> Path:
    """A folder of outputs: the content image of every pair."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    for pair in read_pairs(dataset):
        (folder / f"{pair.id}.png").write_bytes(pair.content.read_bytes())
    return folder


@pytest.fixture
def score(dataset: Path, outputs: Path, tmp_path: Path) -> Score:
    """Return a function that scores `outputs` under a small signed suite."""
    suite, key = sign_small_suite(tmp_path)

    def run(*options: object) -> Answer:
        return call("score", outputs, "--pairs", dataset, "--suite", suite, "--trust", key, *options)

    return run


def test_json_holds_the_whole_report(score: Score, tmp_path: Path) -> None:
    out, cache = tmp_path / "report.json", tmp_path / "cache"
    answer = score("--json", "--out", out, "--cache", cache)
    report = Report.from_json(answer.out)
    assert (answer.code, report.n_valid, len(report.pairs)) == (0, 6, 6)
    assert report.aggregates["content"] == 1.0
    assert report.aggregates["headline"] == 0.0
    assert Report.from_json(out.read_text()) == report
    assert list(cache.iterdir())


def test_csv_holds_one_line_per_pair_in_full_precision(score: Score, outputs: Path) -> None:
    (outputs / "generation.json").write_text(json.dumps({"pairs": [{"id": "p001", "seconds": 0.125}]}))
    rows = list(csv.DictReader(io.StringIO(score("--csv").out)))
    assert [row["pair_id"] for row in rows] == [f"p00{number}" for number in range(6)]
    assert [row["seconds"] for row in rows] == ["", "0.125", "", "", "", ""]
    assert float(rows[0]["ssim"]) == 1.0


def test_the_table_holds_value_interval_count_and_id_and_says_demo(score: Score) -> None:
    answer = score()
    network = load_suite("sts-demo-1").backbone_digest[:12]
    (gram,) = [line for line in answer.out.splitlines() if "Gram loss" in line]
    assert f"gram@oriented-pyramid-1:{network}" in gram
    assert " to " in gram
    assert " 6 " in gram
    assert "demo scores" in answer.out.splitlines()[-1]
    assert "\x1b" not in answer.out


def test_set_level_metrics_have_a_row_for_each_split(dataset: Path, outputs: Path, tmp_path: Path) -> None:
    suite, key = sign_small_suite(tmp_path, set_columns=("kid_backbone",))
    answer = call("score", outputs, "--pairs", dataset, "--suite", suite, "--trust", key)
    rows = [line for line in answer.out.splitlines() if "KID of the backbone" in line]
    assert [" hidden " in row for row in rows] == [True, False]
    assert " public " in rows[1]


def test_missing_unknown_and_refused_outputs_are_named_and_the_rest_is_scored(
    score: Score, outputs: Path
) -> None:
    (outputs / "p000.png").unlink()
    write_png(np.zeros((16, 16, 3), np.uint8), outputs / "p001.png")
    write_png(np.zeros((64, 64, 3), np.uint8), outputs / "stranger.png")
    answer = score()
    assert answer.code == 2
    assert answer.err.splitlines() == [
        "MISSING_OUTPUT: p000.png: There is no such file; expected an 8-bit RGB PNG of 64 x 64 pixels.",
        "INVALID_IMAGE: p001.png: p001.png is 16 x 16 pixels, expected 64 x 64.",
        "UNKNOWN_OUTPUT: stranger.png: Not scored: no pair of this dataset has this id.",
    ]
    assert "4 of 6 pairs valid" in answer.out
    assert "Not ranked: 2 of 6 pairs" in answer.out


def test_outputs_of_the_other_split_are_no_problem(score: Score) -> None:
    answer = score("--split", "public")
    assert (answer.code, answer.err) == (0, "")
    assert "2 of 2 pairs valid" in answer.out


def test_many_problems_of_one_kind_are_shortened() -> None:
    problems = list_problems(
        missing=[f"p{number}" for number in range(12)], extra=["X.PNG"], refused={}, size=64
    )
    lines = problem_lines(problems)
    assert len(lines) == 12
    assert lines[10] == "MISSING_OUTPUT: and 2 more."
    assert "expected is exactly <pair id>.png, in lower case" in lines[11]


def test_other_loss_weights_change_the_total_loss_and_the_digest_alone(score: Score) -> None:
    plain = Report.from_json(score("--json").out)
    weighted = Report.from_json(score("--json", "--loss-weights", "2,10,1").out)
    assert weighted.suite_digest != plain.suite_digest
    assert weighted.aggregates["headline"] == plain.aggregates["headline"]
    for pair in weighted.pairs:
        expected = 2 * pair.values["content_loss_sum"] + 10 * pair.values["gram"]
        assert pair.values["total_loss"] == pytest.approx(expected)
    assert "total_loss" not in plain.aggregates


@pytest.mark.parametrize("weights", ["1,2", "1,2,x", "1,2,-3", "1,nan,1", "1,inf,1", ""])
def test_impossible_loss_weights_are_refused(score: Score, weights: str) -> None:
    answer = score("--loss-weights", weights)
    assert answer.code == 2
    assert "--loss-weights" in answer.err


def test_files_that_could_not_be_written_are_refused_before_the_work(score: Score, tmp_path: Path) -> None:
    for option in ("--out", "--html"):
        answer = score(option, tmp_path / "none" / "file")
        assert answer.code == 2
        assert "There is no folder" in answer.err


def test_the_suite_of_a_stranger_needs_their_key(dataset: Path, outputs: Path, tmp_path: Path) -> None:
    suite, key = sign_small_suite(tmp_path)
    answer = call("score", outputs, "--pairs", dataset, "--suite", suite)
    assert answer.code == 2
    assert "INVALID_SUITE: sts-test-1.json: The suite was changed" in answer.err
    assert "--trust KEY.pem" in answer.err
    assert open_suite(str(suite), [key]).id == "sts-test-1"


def test_an_id_is_a_shipped_suite_even_beside_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sts-demo-1").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert open_suite("sts-demo-1") == load_suite("sts-demo-1")
