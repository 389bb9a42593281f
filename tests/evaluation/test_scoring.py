"""The scorer: trivial answers, order of damage, batches, refusals, reports, and degenerate datasets."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from evaluation.errors import InvalidImage, InvalidPairs, InvalidSuite, InvalidTensor
from evaluation.images import read_rgb, to_uint8
from evaluation.pairs import PAIRS_FILE, dataset_digest, read_pairs
from evaluation.report import PairScore, Report
from evaluation.scoring import Scorer, check_pairs
from evaluation.spec import MetricSuite


@pytest.fixture
def scorer(dataset: Path, suite: MetricSuite) -> Scorer:
    return Scorer(suite, read_pairs(dataset))


def content_of(scorer: Scorer, pair_id: str) -> np.ndarray:
    return read_rgb(next(pair.content for pair in scorer.pairs if pair.id == pair_id))


def style_of(scorer: Scorer, pair_id: str) -> np.ndarray:
    return read_rgb(next(pair.style for pair in scorer.pairs if pair.id == pair_id))


def test_the_content_image_itself_has_full_content_and_no_headline(scorer: Scorer) -> None:
    for pair in scorer.pairs:
        values = scorer.score_pair(pair.id, read_rgb(pair.content)).values
        assert (values["content"], values["style"], values["headline"]) == (1.0, 0.0, 0.0)
        assert (values["perceptual"], values["content_loss"], values["ssim"]) == (0.0, 0.0, 1.0)


def test_a_copy_of_the_style_image_has_full_style_and_no_headline(scorer: Scorer) -> None:
    for pair in scorer.pairs:
        values = scorer.score_pair(pair.id, read_rgb(pair.style)).values
        assert (values["content"], values["style"], values["headline"]) == (0.0, 1.0, 0.0)
        assert (values["gram"], values["mean_std"], values["colour_histogram"]) == (0.0, 0.0, 0.0)


def test_a_blend_earns_something(scorer: Scorer) -> None:
    content, style = content_of(scorer, "p002"), style_of(scorer, "p002")
    values = scorer.score_pair("p002", to_uint8((content / 255.0 + style / 255.0) / 2)).values
    assert 0 < values["content"] < 1
    assert 0 < values["style"] < 1
    assert values["headline"] == pytest.approx((values["content"] * values["style"]) ** 0.5)


def test_more_blur_and_more_noise_keep_less_content(scorer: Scorer) -> None:
    content = content_of(scorer, "p002")
    noise = np.random.default_rng(0).normal(0, 1, content.shape)
    blurred = [Image.fromarray(content).filter(ImageFilter.GaussianBlur(radius)) for radius in (0.5, 1.5, 4)]
    noisy = [np.clip(np.rint(content + k * noise), 0, 255).astype(np.uint8) for k in (5, 15, 40)]
    for damaged in ([np.asarray(image) for image in blurred], noisy):
        rows = [scorer.score_pair("p002", image).values for image in damaged]
        for name in ("content", "ssim"):
            assert [row[name] for row in rows] == sorted((row[name] for row in rows), reverse=True)
        for name in ("perceptual", "content_loss"):
            assert [row[name] for row in rows] == sorted(row[name] for row in rows)


def test_flooring_instead_of_rounding_moves_the_scores(scorer: Scorer) -> None:
    mixed = content_of(scorer, "p002") * 0.05 + style_of(scorer, "p002") * 0.95
    rounded = scorer.score_pair("p002", to_uint8(mixed / 255.0)).values
    floored = scorer.score_pair("p002", np.floor(mixed).astype(np.uint8)).values
    assert abs(rounded["gram"] / floored["gram"] - 1) > 1e-3


def test_a_batch_is_bit_equal_to_single_calls_in_any_order(
    scorer: Scorer, dataset: Path, suite: MetricSuite
) -> None:
    batch = [(pair.id, np.roll(read_rgb(pair.content), 3, axis=0), 0.5) for pair in scorer.pairs]
    together = scorer.score_pairs(batch)
    assert scorer.score_pairs(reversed(batch)) == together[::-1]
    fresh = Scorer(suite, read_pairs(dataset))
    assert [fresh.score_pair(*item) for item in batch] == together


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_scores_of_the_cpu(scorer: Scorer, dataset: Path, suite: MetricSuite) -> None:
    gpu = Scorer(suite, read_pairs(dataset), device="cuda")
    for pair in scorer.pairs:
        stylized = np.roll(read_rgb(pair.content), 3, axis=0)
        expected = scorer.score_pair(pair.id, stylized).values
        assert gpu.score_pair(pair.id, stylized).values == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_split_alone_scores_as_it_does_among_all(scorer: Scorer, dataset: Path, suite: MetricSuite) -> None:
    hidden = Scorer(suite, read_pairs(dataset, "hidden"))
    for pair in hidden.pairs:
        stylized = np.roll(read_rgb(pair.content), 5, axis=1)
        assert hidden.score_pair(pair.id, stylized) == scorer.score_pair(pair.id, stylized)


def test_cached_references_and_anchors_change_no_bit(
    dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    pairs, cache = read_pairs(dataset), tmp_path / "cache"
    plain, cold, warm = Scorer(suite, pairs), *(Scorer(suite, pairs, cache_dir=cache) for _ in range(2))
    for pair in pairs:
        stylized = np.roll(read_rgb(pair.content), 2, axis=0)
        scores = [each.score_pair(pair.id, stylized) for each in (plain, cold, warm)]
        assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"key": "x", "anchors": "{}"}'])
def test_a_damaged_anchor_file_is_made_again(
    dataset: Path, suite: MetricSuite, tmp_path: Path, text: str
) -> None:
    pairs, cache = read_pairs(dataset), tmp_path / "cache"
    before = Scorer(suite, pairs, cache_dir=cache)
    (file,) = cache.glob("anchors-*.json")
    good = file.read_bytes()
    file.write_text(text)
    after = Scorer(suite, pairs, cache_dir=cache)
    assert [after.anchors(pair.id) for pair in pairs] == [before.anchors(pair.id) for pair in pairs]
    assert file.read_bytes() == good


@pytest.mark.parametrize(
    "stylized",
    [
        np.zeros((64, 63, 3), np.uint8),
        np.zeros((128, 128, 3), np.uint8),
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 3), np.float32),
    ],
)
def test_an_output_is_never_resized_or_converted(scorer: Scorer, stylized: np.ndarray) -> None:
    with pytest.raises(InvalidImage, match=r"p000.*expected uint8 of shape \(64, 64, 3\)"):
        scorer.score_pair("p000", stylized)


def test_unknown_pairs_and_impossible_times_are_refused(scorer: Scorer) -> None:
    image = content_of(scorer, "p000")
    with pytest.raises(InvalidPairs, match="p999"):
        scorer.score_pair("p999", image)
    for seconds in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidTensor, match="seconds"):
            scorer.score_pair("p000", image, seconds)


def test_a_report_lists_every_pair_and_survives_json(scorer: Scorer, suite: MetricSuite) -> None:
    scores = [scorer.score_pair(pair.id, read_rgb(pair.content), 0.25) for pair in scorer.pairs[1:]]
    report = scorer.build_report(scores[::-1])
    assert [score.pair_id for score in report.pairs] == [pair.id for pair in scorer.pairs]
    assert (report.pairs[0].invalid, report.n_valid) == ("MISSING", 5)
    assert (report.suite_id, report.suite_digest) == ("sts-test-1", suite.digest)
    assert report.dataset_digest == dataset_digest(scorer.pairs)
    assert report.aggregates["seconds"] == 0.25
    assert 0 < report.aggregates["content"] < 1
    assert Report.from_json(report.to_json()) == report


def test_a_report_refuses_foreign_scores(scorer: Scorer) -> None:
    with pytest.raises(InvalidPairs):
        scorer.build_report([PairScore("p999", {})])


def test_a_pair_that_is_already_in_its_style_is_refused(dataset: Path, suite: MetricSuite) -> None:
    file = dataset / PAIRS_FILE
    table = json.loads(file.read_text())
    table["pairs"][3]["style"] = table["pairs"][3]["content"]
    file.write_text(json.dumps(table))
    with pytest.raises(InvalidPairs, match=r"almost 0 for .*p003"):
        check_pairs(suite, read_pairs(dataset))


def test_sound_pairs_pass_the_check_and_fill_the_cache(
    dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    check_pairs(suite, read_pairs(dataset), cache_dir=tmp_path / "cache")
    assert list((tmp_path / "cache").glob("anchors-*.json"))


def test_a_suite_of_another_backbone_or_jitter_is_refused(dataset: Path, suite: MetricSuite) -> None:
    pairs = read_pairs(dataset)
    for broken in (
        replace(suite, backbone_digest="0" * 64),
        replace(suite, backbone="vgg-99"),
        replace(suite, jitters=("identity", "wobble")),
        replace(suite, columns=("beauty",)),
    ):
        with pytest.raises(InvalidSuite):
            Scorer(broken, pairs)
    with pytest.raises(InvalidPairs, match="no pairs"):
        Scorer(suite, ())
