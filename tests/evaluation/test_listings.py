"""The lists of suites and metrics, and what is said about one metric."""

import json

import pytest

from evaluation.listings import formula_of, metric_ids
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.metrics.traps import TRAPS
from evaluation.spec import load_suite, suite_ids
from tests.evaluation.command_line import call


def test_suites_are_listed() -> None:
    out = call("suites").out
    for suite_id in suite_ids():
        suite = load_suite(suite_id)
        assert f"{suite_id}: {suite.title}; {suite.size} pixels, backbone {suite.backbone}" in out
        assert suite.digest[:12] in out


def test_suites_are_listed_with_all_fields_as_json() -> None:
    listed = json.loads(call("suites", "--json").out)
    assert [(suite["id"], suite["digest"]) for suite in listed] == [
        (suite_id, load_suite(suite_id).digest) for suite_id in suite_ids()
    ]


def test_metrics_are_listed() -> None:
    out = call("metrics").out
    assert all(name in out for name in METRIC_SPECS)


@pytest.mark.parametrize("name", METRIC_SPECS)
def test_every_metric_is_explained(name: str) -> None:
    out = call("explain", name).out
    spec = METRIC_SPECS[name]
    assert out.startswith(f"{spec.title} ({name}), {spec.direction} is better, range ")
    assert spec.source in out
    assert f"Misses: {spec.misses}" in out
    assert out.count("Trap: ") == len(TRAPS.get(name, ()))
    assert ("Under sts-" in out) != ("In no suite of the library." in out)
    assert call("metrics", name).out == out


def test_an_explanation_holds_formula_and_id() -> None:
    out = call("explain", "gram").out
    digest = load_suite("sts-demo-1").backbone_digest
    assert "1/(4 N^2 M^2)" in out
    assert f"Under sts-demo-1: gram@oriented-pyramid-1:{digest[:12]}" in out


def test_ids_are_given_for_the_suites_that_hold_a_metric_alone() -> None:
    assert "sts-demo-1" not in metric_ids("lpips")
    assert metric_ids("lpips")["sts-1"].startswith("lpips@lpips-alex-0.1:")
    assert metric_ids("headline").keys() == set(suite_ids())


def test_every_computed_metric_has_a_documented_formula() -> None:
    without = {name for name in METRIC_SPECS if formula_of(name) is None}
    assert without == {"seconds", "jitter_gain"}


def test_traps_are_those_of_known_metrics() -> None:
    assert TRAPS.keys() <= METRIC_SPECS.keys()


def test_an_unknown_metric_is_refused_with_the_known_ones() -> None:
    for command in ("explain", "metrics"):
        answer = call(command, "beauty")
        assert answer.code == 2
        assert "There is no metric 'beauty'. Known: headline" in answer.err
