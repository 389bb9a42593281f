"""Set-level metrics of a report: which outputs count, per split, and what they need."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.images import read_rgb
from evaluation.output_sets import Collected
from evaluation.pairs import read_pairs
from evaluation.report import PairScore, Report
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite


@pytest.fixture
def scorer(dataset: Path, suite: MetricSuite) -> Scorer:
    return Scorer(replace(suite, set_columns=("kid_backbone",)), read_pairs(dataset))


def report(scorer: Scorer, chosen: list[str]) -> Report:
    collected: Collected = {}
    scores: list[PairScore] = []
    for pair in scorer.pairs:
        if pair.id in chosen:
            scores.append(scorer.score_pair(pair.id, read_rgb(pair.style), collected=collected))
    return scorer.build_report(scores, collected)


def sets_of(found: Report) -> dict[str, tuple[float, int]]:
    return {row.split: (row.value, row.n) for row in found.rows if row.metric == "kid_backbone"}


def test_each_split_is_a_set_of_its_own(scorer: Scorer) -> None:
    found = sets_of(report(scorer, [pair.id for pair in scorer.pairs]))
    assert {split: n for split, (_, n) in found.items()} == {"public": 2, "hidden": 4}


def test_missing_outputs_are_left_out_and_said_so(scorer: Scorer) -> None:
    hidden = [pair.id for pair in scorer.pairs if pair.split == "hidden"]
    found = report(scorer, hidden[:3])
    assert sets_of(found)["hidden"][1] == 3
    assert "public" not in sets_of(found)
    assert "kid_backbone" not in found.aggregates


def test_outputs_of_a_single_style_are_no_set(scorer: Scorer) -> None:
    hidden = [pair for pair in scorer.pairs if pair.split == "hidden"]
    assert not sets_of(report(scorer, [pair.id for pair in hidden if pair.style == hidden[0].style]))


def test_style_copies_lie_nearer_to_the_styles_than_noise_does(scorer: Scorer) -> None:
    pairs = [pair for pair in scorer.pairs if pair.split == "hidden"]
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    collected: Collected = {}
    scores = [scorer.score_pair(pair.id, noise, collected=collected) for pair in pairs]
    copies = sets_of(report(scorer, [pair.id for pair in pairs]))["hidden"][0]
    assert copies < sets_of(scorer.build_report(scores, collected))["hidden"][0]


def test_every_row_names_its_metric_its_network_and_n(scorer: Scorer) -> None:
    for row in report(scorer, [pair.id for pair in scorer.pairs]).rows:
        assert row.n > 0
        assert row.id.startswith(row.metric)
        if row.metric in ("gram", "kid_backbone"):
            assert row.id.endswith(f"@oriented-pyramid-1:{scorer.suite.backbone_digest[:12]}")
