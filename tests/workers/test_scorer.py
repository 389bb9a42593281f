"""The warm scorer as a worker sees it: a real process that may be lost, outgrown, or filled with other datasets."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from competitions.services.flags import RaisedFlag
from evaluation.images import read_rgb, write_png
from evaluation.pairs import read_pairs
from evaluation.report import PairScore
from evaluation.spec import load_suite
from tests.conftest import SIZE, write_dataset
from workers.metrics import REGISTRY
from workers.scorer import Question, ScorerProcess
from workers.scorer_child import ScorerFailed

SUITE = replace(load_suite("sts-demo-1"), name="sts-test", size=SIZE, set_columns=("kid_backbone",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 2 public and 8 hidden pairs."""
    return write_dataset(tmp_path_factory.mktemp("dataset"), hidden=(2, 4))


@pytest.fixture(scope="module")
def question(folder: Path) -> Question:
    """The suite on the dataset."""
    return Question(SUITE.to_json(), folder)


@pytest.fixture(scope="module")
def outputs(folder: Path) -> dict[str, Path]:
    """Content images as outputs."""
    return {pair.id: pair.content for pair in read_pairs(folder)}


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScorerProcess]:
    """A scorer that the tests share."""
    made = ScorerProcess(threads=1, cache_dir=tmp_path_factory.mktemp("features"))
    yield made
    made.stop()


def score(scorer: ScorerProcess, question: Question, run: str, outputs: dict[str, Path]) -> list[PairScore]:
    """Score outputs in a run."""
    return [
        scorer.score(question, run=run, pair_id=name, output=path, seconds=0.1)
        for name, path in outputs.items()
    ]


def metric(name: str, label: str, value: str) -> float:
    """Read what Prometheus would read."""
    return REGISTRY.get_sample_value(f"pastiche_scorer_{name}_total", {label: value}) or 0.0


def test_it_counts_what_was_warm_and_survives_the_loss_of_its_process(
    scorer: ScorerProcess, question: Question, outputs: dict[str, Path]
) -> None:
    scorer.open(question)
    scorer.open(question)
    assert (scorer.opened_cold, scorer.opened_warm, scorer.restarts) == (1, 1, 0)
    counted = ("restarts", "reason", "ended"), ("cache_requests", "result", "hit")
    earlier = [metric(*one) for one in counted]
    some = dict(list(outputs.items())[:1])
    before = score(scorer, question, "lost", some)
    assert scorer._child is not None
    scorer._child.kill()
    scorer._child.wait()
    assert score(scorer, question, "lost", some) == before
    assert (scorer.opened_cold, scorer.opened_warm, scorer.restarts) == (2, 1, 1)
    assert [metric(*one) for one in counted] == [earlier[0] + 1, earlier[1]]


def test_it_rests_only_when_it_has_grown_too_large(
    scorer: ScorerProcess, question: Question, outputs: dict[str, Path]
) -> None:
    scorer.open(question)
    child, restarts = scorer._child, scorer.restarts
    scorer.memory_mb = 10_000
    scorer.rest()
    assert scorer._child is child
    earlier = metric("restarts", "reason", "memory")
    scorer.memory_mb = 50
    scorer.rest()
    assert metric("restarts", "reason", "memory") == earlier + 1
    assert scorer._child is not child
    assert scorer.restarts == restarts + 1
    cold = scorer.opened_cold
    score(scorer, question, "rested", dict(list(outputs.items())[:1]))
    assert scorer.opened_cold == cold + 1


def test_a_scorer_that_was_never_asked_needs_no_rest(tmp_path: Path) -> None:
    scorer = ScorerProcess(threads=1, cache_dir=tmp_path, memory_mb=0)
    scorer.rest()
    assert (scorer._child, scorer.restarts) == (None, 0)


def test_a_dataset_that_made_room_for_others_is_opened_again_in_the_same_process(
    scorer: ScorerProcess, question: Question, outputs: dict[str, Path]
) -> None:
    scorer.open(question)
    restarts = scorer.restarts
    for version in range(2, 7):
        scorer.open(replace(question, suite_document=replace(SUITE, version=version).to_json()))
    cold = scorer.opened_cold
    scorer.open(question)
    score(scorer, question, "again", dict(list(outputs.items())[:1]))
    assert (scorer.opened_cold, scorer.restarts) == (cold + 1, restarts)


def test_parts_that_were_exported_and_imported_give_the_numbers_of_the_whole(
    scorer: ScorerProcess, question: Question, outputs: dict[str, Path], tmp_path: Path
) -> None:
    shifted = {}
    for name, path in outputs.items():
        shifted[name] = tmp_path / f"{name}.png"
        write_png(np.roll(read_rgb(path), 5, axis=1), shifted[name])
    scores = score(scorer, question, "whole", shifted)
    expected = scorer.score_sets(question, run="whole", outputs=shifted, scores=scores)
    assert {row.metric for row in expected} == {"kid_backbone"}
    names = list(shifted)
    for number, part in enumerate((names[6:], names[:6])):
        chosen, run, file = (
            {name: shifted[name] for name in part},
            f"part {number}",
            tmp_path / f"{number}.npz",
        )
        score(scorer, question, run, chosen)
        scorer.export_collected(question, run=run, path=file, outputs=chosen)
        scorer.import_collected(question, run="together", path=file)
    nowhere = dict.fromkeys(shifted, tmp_path / "gone.png")
    assert scorer.score_sets(question, run="together", outputs=nowhere, scores=scores[::-1]) == expected
    with pytest.raises(ScorerFailed, match="INVALID_IMAGE"):
        scorer.score_sets(question, run="nothing imported", outputs=nowhere, scores=scores)


def test_a_review_brings_back_the_signs_that_are_raised(
    scorer: ScorerProcess, question: Question, outputs: dict[str, Path]
) -> None:
    scores = [PairScore(name, {"style": 0.0}) for name in outputs]
    scores[0] = PairScore(scores[0].pair_id, {}, invalid="WRONG_SIZE")
    flags = scorer.review(question, outputs=outputs, scores=scores)
    assert [flag.code for flag in flags] == ["COPY_CONTENT", "IGNORES_STYLE"]
    assert flags[0] == RaisedFlag("COPY_CONTENT", 1.0, 0.5, flags[0].sentence)
    assert "On 9 of 9 pairs" in flags[0].sentence


def test_a_run_without_a_valid_pair_shows_no_sign(
    scorer: ScorerProcess, question: Question, outputs: dict[str, Path]
) -> None:
    assert scorer.review(question, outputs=outputs, scores=[], usual={}) == []
