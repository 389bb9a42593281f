"""The commands `score`, `suites`, `metrics` and `bench`, through the command line."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from evaluation.cli import cli
from evaluation.errors import InvalidImage, InvalidSuite
from evaluation.images import write_png
from evaluation.pairs import PAIRS_FILE
from evaluation.report import Report

SIDE = 256


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A dataset of three public pairs and one hidden pair at 256 pixels, and an empty output folder."""
    dataset, outputs = tmp_path / "dataset", tmp_path / "outputs"
    dataset.mkdir()
    outputs.mkdir()
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    rows = []
    for k in range(4):
        waves = [np.sin(x / (5 + 3 * k + c) + y / (9 - k - c)) for c in range(3)]
        content = (np.stack(waves, axis=-1) * 100 + 128).astype(np.uint8)
        write_png(content, dataset / f"c{k}.png")
        write_png(np.ascontiguousarray(255 - content[..., ::-1] // 2), dataset / f"s{k}.png")
        labels = {"style_family": "waves", "culture": f"culture-{k % 2}", "content_kind": "waves"}
        split = "hidden" if k == 3 else "public"
        rows.append({"id": f"p{k}", "content": f"c{k}.png", "style": f"s{k}.png", "split": split} | labels)
    (dataset / PAIRS_FILE).write_text(json.dumps({"schema": 1, "size": SIDE, "pairs": rows}))
    for k in range(3):
        (outputs / f"p{k}.png").write_bytes((dataset / f"c{k}.png").read_bytes())
    return dataset, outputs


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def test_json_holds_the_whole_report(folders: tuple[Path, Path], tmp_path: Path) -> None:
    dataset, outputs = folders
    out, cache = tmp_path / "report.json", tmp_path / "cache"
    result = run(
        "score", outputs, "--pairs", dataset, "--split", "public", "--json", "--out", out, "--cache", cache
    )
    report = Report.from_json(result.stdout)
    assert (result.exit_code, report.n_valid, len(report.pairs)) == (0, 3, 3)
    assert report.aggregates["content"] == 1.0
    assert report.aggregates["headline"] == 0.0
    assert Report.from_json(out.read_text()) == report
    assert list(cache.iterdir())


def test_csv_holds_one_line_per_pair_in_full_precision(folders: tuple[Path, Path]) -> None:
    dataset, outputs = folders
    (outputs / "generation.json").write_text(json.dumps({"pairs": [{"id": "p1", "seconds": 0.125}]}))
    result = run("score", outputs, "--pairs", dataset, "--split", "public", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["pair_id"] for row in rows] == ["p0", "p1", "p2"]
    assert [row["seconds"] for row in rows] == ["", "0.125", ""]
    assert float(rows[0]["ssim"]) == 1.0


def test_missing_extra_and_refused_outputs_are_named(folders: tuple[Path, Path]) -> None:
    dataset, outputs = folders
    (outputs / "p0.png").unlink()
    write_png(np.zeros((16, 16, 3), np.uint8), outputs / "p1.png")
    write_png(np.zeros((16, 16, 3), np.uint8), outputs / "stranger.png")
    result = run("score", outputs, "--pairs", dataset)
    assert result.exit_code == 0
    assert "missing: p0, p3" in result.stderr
    assert "not of this dataset: stranger.png" in result.stderr
    assert "refused: p1: p1.png is 16 x 16 pixels, expected 256 x 256." in result.stderr
    assert "Not ranked: 3 of 4 pairs" in result.stdout
    assert "headline" in result.stdout


def test_an_unknown_suite_or_folder_is_an_error(folders: tuple[Path, Path], tmp_path: Path) -> None:
    dataset, outputs = folders
    with pytest.raises(InvalidSuite, match="sts-demo-1"):
        run("score", outputs, "--pairs", dataset, "--suite", "sts-99")
    with pytest.raises(InvalidImage, match="cannot be listed"):
        run("score", tmp_path / "none", "--pairs", dataset)


def test_suites_are_listed() -> None:
    assert "sts-demo-1: Style transfer, demo scores; 256 pixels" in run("suites").stdout
    (suite,) = [each for each in json.loads(run("suites", "--json").stdout) if each["id"] == "sts-demo-1"]
    assert len(suite["digest"]) == 64


def test_metrics_are_listed_and_explained() -> None:
    assert "colour_histogram" in run("metrics").stdout
    gram = run("metrics", "gram").stdout
    assert "1/(4 N^2 M^2)" in gram
    assert "Misses: Arrangement" in gram
    assert "Misses:" in run("metrics", "seconds").stdout
    wrong = CliRunner().invoke(cli, ["metrics", "beauty"])
    assert wrong.exit_code == 2
    assert "Known: headline" in wrong.stderr


def test_bench_prints_its_figures() -> None:
    result = json.loads(run("bench", "--json", "--n", 3, "--size", 64, "--threads", 1).stdout)
    assert result.keys() == {
        *("n", "size", "threads", "per_metric_s", "transport_s", "suite_s", "floor_s"),
        *("ratio_to_floor", "naive_s", "speedup_vs_naive", "peak_mb"),
    }
    assert result["suite_s"] > result["floor_s"] > 0
    assert result["ratio_to_floor"] == pytest.approx(result["suite_s"] / result["floor_s"])
    assert result["transport_s"] > 0
    assert "ratio to floor" in run("bench", "--n", 2, "--size", 64, "--threads", 1).stdout
