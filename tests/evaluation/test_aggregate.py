"""Hierarchical means, invalid pairs and coverage."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.aggregate import (
    aggregate_scores,
    coverage,
    hierarchical_mean,
    hierarchical_weights,
    value_row,
)
from evaluation.errors import InvalidPairs
from evaluation.pairs import Pair
from evaluation.report import PairScore

STYLES = ["a", "a", "a", "b", "c", "c"]
CULTURES = ["x", "x", "x", "x", "y", "y"]


def pair(name: str, style: str, culture: str) -> Pair:
    return Pair(name, Path("c"), Path("s"), "content", style, "hidden", "family", culture, "kind")


PAIRS = [
    pair(f"p{k}", style, culture) for k, (style, culture) in enumerate(zip(STYLES, CULTURES, strict=True))
]


def score(k: int, value: float) -> PairScore:
    return PairScore(f"p{k}", {"headline": value, "gram": value})


def test_contents_then_styles_then_cultures_are_averaged() -> None:
    values = [1.0, 2.0, 6.0, 5.0, 10.0, 20.0]
    assert hierarchical_mean(values, STYLES, CULTURES) == pytest.approx(((3 + 5) / 2 + 15) / 2)


def test_a_style_or_culture_with_more_pairs_weighs_no_more() -> None:
    weights = hierarchical_weights(np.ones(6, bool), STYLES, CULTURES)
    assert weights.tolist() == pytest.approx([1 / 12] * 3 + [1 / 4] * 3)
    assert weights.sum() == pytest.approx(1.0)


def test_missing_values_are_left_out_at_their_level() -> None:
    nan = math.nan
    assert hierarchical_mean([1.0, nan, 3.0, 4.0, 10.0, 20.0], STYLES, CULTURES) == ((2 + 4) / 2 + 15) / 2
    assert hierarchical_mean([1.0, 2.0, 3.0, nan, nan, nan], STYLES, CULTURES) == pytest.approx(2.0)
    assert math.isnan(hierarchical_mean([nan] * 6, STYLES, CULTURES))


@given(st.permutations(range(6)))
def test_the_order_of_pairs_does_not_matter(order: list[int]) -> None:
    values = [0.3, 0.1, 0.7, 0.9, 0.2, 0.4]
    shuffled = hierarchical_mean(*([row[k] for k in order] for row in (values, STYLES, CULTURES)))
    assert shuffled == pytest.approx(hierarchical_mean(values, STYLES, CULTURES), abs=1e-15)


def test_an_invalid_pair_counts_zero_in_the_headline_and_nothing_in_raw_metrics() -> None:
    scores = [score(k, 0.6) for k in range(5)] + [PairScore("p5", {}, invalid="wrong size")]
    means = aggregate_scores(scores, PAIRS)
    assert means["gram"] == pytest.approx(0.6)
    assert means["headline"] == pytest.approx((0.6 + 0.3) / 2)
    assert value_row(scores, PAIRS, "headline").tolist() == [0.6] * 5 + [0.0]
    assert math.isnan(value_row(scores, PAIRS, "gram")[5])


def test_a_missing_score_counts_like_an_invalid_one() -> None:
    scores = [score(k, 0.6) for k in range(5)]
    assert aggregate_scores(scores, PAIRS) == aggregate_scores(
        [*scores, PairScore("p5", {}, invalid="x")], PAIRS
    )


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.integers(0, 5))
def test_losing_a_pair_never_improves_the_headline(values: list[float], lost: int) -> None:
    scores = [score(k, value) for k, value in enumerate(values)]
    full = aggregate_scores(scores, PAIRS)["headline"]
    fewer = aggregate_scores([s for k, s in enumerate(scores) if k != lost], PAIRS)["headline"]
    assert fewer <= full + 1e-12


def test_unknown_and_doubled_pairs_are_refused() -> None:
    with pytest.raises(InvalidPairs, match="p9"):
        aggregate_scores([score(9, 0.5)], PAIRS)
    with pytest.raises(InvalidPairs, match="twice"):
        aggregate_scores([score(1, 0.5), score(1, 0.5)], PAIRS)


def test_coverage_decides_whether_a_run_may_be_ranked() -> None:
    scores = [score(k, 0.5) for k in range(5)] + [PairScore("p5", {}, invalid="x")]
    counted = coverage(scores, PAIRS, 0.2)
    assert (counted.n, counted.n_valid, counted.n_invalid, counted.is_enough) == (6, 5, 1, True)
    assert not coverage(scores, PAIRS, 0.1).is_enough
    assert not coverage([], PAIRS, 1.0).is_enough
