"""Anchored scores and the headline: trivial answers score 0, the formula holds, NaN never passes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.anchors import PairAnchors
from evaluation.errors import InvalidTensor
from evaluation.headline import anchored_score, headline_score, headline_values, to_distance
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import MetricSuite

ANCHORS = PairAnchors(
    content={"perceptual": 4.0, "content_loss": 9.0, "ssim": 0.8}, style={"gram": 0.04, "mean_std": 1.0}
)
UNIT = st.floats(0, 1)


def test_a_perfect_value_scores_one_and_the_anchor_scores_zero() -> None:
    assert anchored_score(METRIC_SPECS["gram"], 0.0, 0.04) == 1.0
    assert anchored_score(METRIC_SPECS["gram"], 0.04, 0.04) == 0.0
    assert anchored_score(METRIC_SPECS["ssim"], 1.0, 0.8) == 1.0
    assert anchored_score(METRIC_SPECS["ssim"], 0.2, 0.8) == pytest.approx(0.0)


def test_squared_distances_are_rooted_and_others_are_not() -> None:
    assert anchored_score(METRIC_SPECS["gram"], 0.01, 0.04) == pytest.approx(0.5)
    assert anchored_score(METRIC_SPECS["content_loss"], 2.25, 9.0) == pytest.approx(0.5)
    assert anchored_score(METRIC_SPECS["perceptual"], 1.0, 4.0) == pytest.approx(0.75)
    assert anchored_score(METRIC_SPECS["ssim"], 0.8, 0.8) == pytest.approx(0.75)


def test_beyond_the_anchor_is_zero_not_negative() -> None:
    assert anchored_score(METRIC_SPECS["perceptual"], 99.0, 4.0) == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(InvalidTensor, match="gram"):
        anchored_score(METRIC_SPECS["gram"], value, 1.0)


def test_a_metric_without_a_best_value_cannot_be_anchored() -> None:
    assert to_distance(METRIC_SPECS["ssim"], 0.25) == 0.75
    with pytest.raises(InvalidTensor):
        to_distance(METRIC_SPECS["ssim"].__class__(**{**vars(METRIC_SPECS["ssim"]), "maximum": None}), 0.5)


def test_headline_values_are_means_and_their_geometric_mean(suite: MetricSuite) -> None:
    values = {"perceptual": 1.0, "content_loss": 2.25, "ssim": 0.8, "gram": 0.01, "mean_std": 0.09}
    result = headline_values(suite, values, ANCHORS)
    assert result["content"] == pytest.approx((0.75 + 0.5 + 0.75) / 3)
    assert result["style"] == pytest.approx((0.5 + 0.7) / 2)
    assert result["headline"] == pytest.approx(math.sqrt(result["content"] * result["style"]))


def test_the_style_weight_moves_the_headline_towards_style() -> None:
    assert headline_score(0.9, 0.4, 0.0) == 0.9
    assert headline_score(0.9, 0.4, 1.0) == 0.4
    assert headline_score(0.9, 0.4, 0.6) < headline_score(0.9, 0.4, 0.5)


@given(UNIT, UNIT, UNIT)
def test_the_headline_lies_between_its_parts(content: float, style: float, weight: float) -> None:
    headline = headline_score(content, style, weight)
    assert min(content, style) - 1e-9 <= headline <= max(content, style) + 1e-9


@given(UNIT)
def test_a_missing_side_cannot_be_bought_back(other: float) -> None:
    assert headline_score(0.0, other) == headline_score(other, 0.0) == 0.0


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1e-6, 1e6))
def test_a_smaller_distance_never_scores_less(first: float, second: float, anchor: float) -> None:
    near, far = sorted((first, second))
    for name in ("gram", "perceptual"):
        spec = METRIC_SPECS[name]
        assert 0.0 <= anchored_score(spec, far, anchor) <= anchored_score(spec, near, anchor) <= 1.0
