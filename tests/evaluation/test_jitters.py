"""Jitters: what they cut and turn, and that the official score is their mean."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.headline import mean_values
from evaluation.images import read_rgb, to_uint8
from evaluation.jitters import IDENTITY, JITTERS, apply_jitter
from evaluation.pairs import read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)


def test_each_jitter_moves_pixels_and_makes_none() -> None:
    assert (apply_jitter(IDENTITY, PICTURE) == PICTURE).all()
    assert (apply_jitter("flip", PICTURE) == PICTURE[:, ::-1]).all()
    assert (apply_jitter("shift", PICTURE) == PICTURE[1:, 1:]).all()
    assert (apply_jitter("crop", PICTURE) == PICTURE[2:62, 3:93]).all()
    assert all(apply_jitter(name, PICTURE).flags.c_contiguous for name in JITTERS)


@pytest.fixture
def jittered(dataset: Path, suite: MetricSuite) -> Scorer:
    return Scorer(
        replace(suite, jitters=tuple(JITTERS), columns=("jitter_gain", "ssim")), read_pairs(dataset)
    )


def test_trivial_answers_keep_their_scores_under_jitter(jittered: Scorer) -> None:
    for pair in jittered.pairs:
        copy = jittered.score_pair(pair.id, read_rgb(pair.content)).values
        assert (copy["content"], copy["style"], copy["headline"], copy["jitter_gain"]) == (1, 0, 0, 0)
        style = jittered.score_pair(pair.id, read_rgb(pair.style)).values
        assert (style["content"], style["style"], style["headline"]) == (0, 1, 0)


def test_the_score_is_the_mean_over_the_jittered_pictures(
    jittered: Scorer, dataset: Path, suite: MetricSuite
) -> None:
    pair = jittered.pairs[3]
    stylized = to_uint8((read_rgb(pair.content) * 0.5 + read_rgb(pair.style) * 0.5) / 255.0)
    values = jittered.score_pair(pair.id, stylized).values
    plain = Scorer(suite, read_pairs(dataset)).score_pair(pair.id, stylized).values
    assert values["ssim"] == plain["ssim"] or "ssim" in suite.content_parts
    assert values["headline"] == pytest.approx((values["content"] * values["style"]) ** 0.5)
    assert values["headline"] != plain["headline"]
    assert abs(values["jitter_gain"]) < 0.1


def test_the_gain_is_what_the_jitters_take_away(jittered: Scorer) -> None:
    rows = [{"content": 0.9, "style": 0.4, "headline": 0.6}, {"content": 0.7, "style": 0.2, "headline": 0.37}]
    values = mean_values(jittered.suite, rows)
    assert values["content"] == pytest.approx(0.8)
    assert values["headline"] == pytest.approx((0.8 * 0.3) ** 0.5)
    assert values["jitter_gain"] == pytest.approx(0.23)
