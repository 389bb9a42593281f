"""Retrieval inside the scorer: which images are candidates, and what copies of them hit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.images import read_rgb
from evaluation.pairs import read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite

COLUMNS = ("style_retrieval", "content_retrieval")


@pytest.fixture
def scorer(dataset: Path, suite: MetricSuite) -> Scorer:
    return Scorer(replace(suite, columns=COLUMNS), read_pairs(dataset, "hidden"))


def test_copies_hit_what_they_copy(scorer: Scorer) -> None:
    for pair in scorer.pairs:
        content = scorer.score_pair(pair.id, read_rgb(pair.content)).values
        style = scorer.score_pair(pair.id, read_rgb(pair.style)).values
        assert content["content_retrieval"] == style["style_retrieval"] == 1.0


def test_copies_of_other_images_miss(scorer: Scorer) -> None:
    for pair in scorer.pairs:
        other = next(p for p in scorer.pairs if p.style != pair.style and p.content != pair.content)
        assert scorer.score_pair(pair.id, read_rgb(other.style)).values["style_retrieval"] == 0.0
        assert scorer.score_pair(pair.id, read_rgb(other.content)).values["content_retrieval"] == 0.0


def test_a_flat_gray_earns_no_more_than_one_style(scorer: Scorer) -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    hits = {(p.style, scorer.score_pair(p.id, flat).values["style_retrieval"]) for p in scorer.pairs}
    assert sum(hit for _, hit in hits) <= 1


def test_a_single_candidate_gives_no_value(dataset: Path, suite: MetricSuite) -> None:
    pairs = [pair for pair in read_pairs(dataset, "hidden") if pair.id == "p002"]
    scorer = Scorer(replace(suite, columns=COLUMNS), pairs)
    assert not set(COLUMNS) & scorer.score_pair("p002", read_rgb(pairs[0].content)).values.keys()
