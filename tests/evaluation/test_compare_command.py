"""The command `compare`: difference, interval and p of two reports, and what it refuses to compare."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.report import Report
from tests.evaluation.command_line import Answer, call, make_report


def compare(folder: Path, first: Report, second: Report, *options: object) -> Answer:
    paths = (folder / "a.json", folder / "b.json")
    for path, report in zip(paths, (first, second), strict=True):
        path.write_text(report.to_json())
    return call("compare", *paths, *options)


def test_a_clear_difference_is_told_with_interval_p_and_pairs(tmp_path: Path) -> None:
    first, second = make_report(seed=1, shift=0.25), make_report(seed=2)
    answer = compare(tmp_path, first, second)
    assert (answer.code, answer.err) == (0, "")
    assert "48 pairs of 12 styles under sts-test-1" in answer.out
    assert "A is better" in answer.out
    assert "A furthest ahead" in answer.out
    fields = json.loads(compare(tmp_path, first, second, "--json").out)
    assert fields["low"] > 0
    assert fields["p"] < 0.01
    assert fields["difference"] == pytest.approx(fields["first"] - fields["second"])
    assert fields["dataset_digest"] == first.dataset_digest
    best = max(
        zip(first.pairs, second.pairs, strict=True),
        key=lambda two: two[0].values["headline"] - two[1].values["headline"],
    )
    assert fields["wins"][0]["pair_id"] == best[0].pair_id


def test_exchanging_the_reports_changes_the_sign_alone(tmp_path: Path) -> None:
    first, second = make_report(seed=1), make_report(seed=2)
    one = json.loads(compare(tmp_path, first, second, "--json").out)
    other = json.loads(compare(tmp_path, second, first, "--json").out)
    assert other["difference"] == pytest.approx(-one["difference"])
    assert (other["low"], other["high"]) == (pytest.approx(-one["high"]), pytest.approx(-one["low"]))
    assert other["p"] == one["p"]


def test_of_a_loss_the_lower_one_is_better(tmp_path: Path) -> None:
    first = make_report(seed=1)
    pairs = tuple(
        replace(pair, values={**pair.values, "gram": pair.values["gram"] + 1.0}) for pair in first.pairs
    )
    out = compare(tmp_path, first, replace(first, pairs=pairs), "--metric", "gram").out
    assert "lower is better" in out
    assert "A is better" in out


def test_a_report_against_itself_is_a_tie(tmp_path: Path) -> None:
    report = make_report()
    out = compare(tmp_path, report, report).out
    assert "could turn" in out
    assert "furthest ahead" not in out


def test_a_sure_difference_of_less_than_one_is_called_a_tie(tmp_path: Path) -> None:
    first = make_report()
    pairs = tuple(
        replace(pair, values={**pair.values, "headline": pair.values["headline"] - 0.004})
        for pair in first.pairs
    )
    out = compare(tmp_path, first, replace(first, pairs=pairs)).out
    assert "a tie in practice" in out


def test_few_styles_give_a_difference_without_interval_and_p(tmp_path: Path) -> None:
    out = compare(tmp_path, make_report(styles=3), make_report(seed=1, styles=3)).out
    assert "no interval with so few styles; no p with fewer than 10 styles" in out
    assert "Too few styles" in out


def test_invalid_pairs_count_zero(tmp_path: Path) -> None:
    first = make_report()
    fields = json.loads(compare(tmp_path, first, make_report(invalid=("p000",)), "--json").out)
    assert fields["wins"][0] == {
        "pair_id": "p000",
        "first": first.pairs[0].values["headline"],
        "second": 0.0,
        "difference": first.pairs[0].values["headline"],
    }


def test_reports_that_do_not_compare_are_refused_by_name(tmp_path: Path) -> None:
    report = make_report()
    for other, words in (
        (replace(report, suite_digest="0" * 64), "under sts-test-1 (digest 000000000000)"),
        (make_report(styles=11), "(44 pairs). Score both on the same dataset folder and split."),
    ):
        answer = compare(tmp_path, report, other)
        assert answer.code == 2
        assert answer.err.startswith("INVALID_REPORT: ")
        assert words in answer.err
        assert "a.json" in answer.err
        assert "b.json" in answer.err


def test_a_report_whose_labels_were_changed_is_refused(tmp_path: Path) -> None:
    report = make_report()
    labels = (replace(report.labels[0], culture="elsewhere"), *report.labels[1:])
    answer = compare(tmp_path, replace(report, labels=labels), report)
    assert answer.code == 2
    assert "INVALID_PAIRS" in answer.err


def test_other_files_and_unknown_metrics_are_refused(tmp_path: Path) -> None:
    report = make_report()
    answer = compare(tmp_path, report, report, "--metric", "beauty")
    assert (answer.code, "beauty" in answer.err) == (2, True)
    answer = compare(tmp_path, report, report, "--metric", "lpips")
    assert (answer.code, "lpips" in answer.err) == (2, True)
    (tmp_path / "c.json").write_text("{}")
    for name in ("c.json", "none.json"):
        answer = call("compare", tmp_path / "a.json", tmp_path / name)
        assert answer.code == 2
        assert answer.err.startswith("INVALID_REPORT: ")
        assert name in answer.err
