"""Comparing two runs: paired, in the metric's direction, and only what can be compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import InvalidPairs, InvalidSuite
from evaluation.pairs import Pair, dataset_digest
from evaluation.report import PairScore, Report
from evaluation.spec import Direction
from evaluation.statistics.comparison import compare_runs


def pairs(n_styles: int, n_contents: int = 4) -> tuple[Pair, ...]:
    return tuple(
        Pair(
            f"p{s:02}{c}",
            Path("c"),
            Path("s"),
            f"c{c}",
            f"s{s:02}",
            "hidden",
            f"f{s % 3}",
            f"k{s % 2}",
            "kind",
        )
        for s in range(n_styles)
        for c in range(n_contents)
    )


def report(dataset: tuple[Pair, ...], values: np.ndarray) -> Report:
    scores = tuple(
        PairScore(pair.id, {"headline": float(value), "gram": float(1 - value)})
        for pair, value in zip(dataset, values, strict=True)
    )
    return Report(
        suite_id="sts-test-1",
        suite_digest="a" * 64,
        backbone="b",
        backbone_digest="c" * 64,
        dataset_digest=dataset_digest(dataset),
        pairs=scores,
        rows=(),
        labels=(),
    )


def two_runs(n_styles: int, lead: float, noise: float = 0.02) -> tuple[Report, Report, tuple[Pair, ...]]:
    dataset, rng = pairs(n_styles), np.random.default_rng(0)
    hard = rng.normal(0.5, 0.2, len(dataset))
    return (
        report(dataset, hard + lead + rng.normal(0, noise, len(dataset))),
        report(dataset, hard),
        dataset,
    )


def test_a_small_lead_over_hard_and_easy_pairs_is_seen() -> None:
    first, second, dataset = two_runs(12, 0.03)
    found = compare_runs(first, second, dataset, draws=500, seed=1)
    assert found.low is not None
    assert found.high is not None
    assert found.p is not None
    assert 0 < found.low < found.difference < found.high < 0.06
    assert found.difference == pytest.approx(found.first - found.second)
    assert found.p <= 0.01
    assert (found.n_pairs, found.n_styles, found.direction) == (48, 12, Direction.HIGHER)


def test_swapping_the_runs_swaps_the_signs() -> None:
    first, second, dataset = two_runs(12, 0.01)
    one, other = (
        compare_runs(*runs, dataset, draws=300, seed=1) for runs in ((first, second), (second, first))
    )
    assert one.low is not None
    assert other.high is not None
    assert one.difference == -other.difference
    assert one.low == pytest.approx(-other.high)
    assert one.p == other.p
    assert [w.pair_id for w in one.wins] == [w.pair_id for w in other.losses]


def test_a_run_against_itself_differs_nowhere() -> None:
    first, _, dataset = two_runs(12, 0.0)
    found = compare_runs(first, first, dataset, draws=50, seed=1)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert found.wins == found.losses == ()


def test_wins_and_losses_are_the_largest_ones_first() -> None:
    dataset = pairs(10)
    base = np.full(len(dataset), 0.5)
    other = base.copy()
    other[[3, 8, 20]] += [0.1, 0.3, 0.2]
    other[[5, 6]] -= [0.2, 0.1]
    found = compare_runs(report(dataset, other), report(dataset, base), dataset, top=2, draws=50, seed=1)
    assert [w.pair_id for w in found.wins] == [dataset[8].id, dataset[20].id]
    assert [w.pair_id for w in found.losses] == [dataset[5].id, dataset[6].id]
    assert found.wins[0].difference == pytest.approx(0.3)
    assert (found.wins[0].first, found.wins[0].second) == pytest.approx((0.8, 0.5))


def test_where_lower_is_better_a_smaller_value_wins() -> None:
    first, second, dataset = two_runs(12, 0.05)
    found = compare_runs(first, second, dataset, metric="gram", draws=100, seed=1)
    assert found.direction is Direction.LOWER
    assert found.difference < 0
    assert found.wins
    assert all(win.difference < 0 for win in found.wins)
    assert all(loss.difference > 0 for loss in found.losses)


def test_few_styles_have_no_test_and_very_few_no_interval() -> None:
    for n_styles, has_interval in ((9, True), (4, False)):
        found = compare_runs(*two_runs(n_styles, 0.1), draws=50, seed=1)
        assert found.p is None
        assert (found.low is not None) is has_interval
        assert (found.high is not None) is has_interval


def test_an_invalid_pair_counts_0_in_scores_and_is_left_out_of_raw_metrics() -> None:
    first, second, dataset = two_runs(12, 0.0)
    broken = replace(second, pairs=(PairScore(dataset[0].id, {}, "MISSING"), *second.pairs[1:]))
    found = compare_runs(first, broken, dataset, draws=50, seed=1)
    assert found.n_pairs == 48
    assert found.wins[0].pair_id == dataset[0].id
    assert found.wins[0].second == 0
    assert compare_runs(first, broken, dataset, metric="gram", draws=50, seed=1).n_pairs == 47


def test_what_cannot_be_compared_is_refused() -> None:
    first, second, dataset = two_runs(5, 0.0)
    with pytest.raises(InvalidSuite, match="sts-test-1 and sts-test-2"):
        compare_runs(first, replace(second, suite_id="sts-test-2", suite_digest="d" * 64), dataset, seed=1)
    with pytest.raises(InvalidPairs, match="dataset"):
        compare_runs(first, second, dataset[:-1], seed=1)
    with pytest.raises(InvalidPairs, match="dataset"):
        compare_runs(first, replace(second, dataset_digest="e" * 64), dataset, seed=1)
    with pytest.raises(InvalidSuite, match="beauty"):
        compare_runs(first, second, dataset, metric="beauty", seed=1)
    with pytest.raises(InvalidSuite, match="ssim of both"):
        compare_runs(first, second, dataset, metric="ssim", seed=1)
