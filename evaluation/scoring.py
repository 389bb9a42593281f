"""Score stylized images: one backbone pass per image, all metrics of a suite, anchored per pair."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from evaluation.aggregate import aggregate_scores
from evaluation.anchors import PairAnchors
from evaluation.backbones.registry import Backbone, load_backbone
from evaluation.calibration import dataset_anchors
from evaluation.errors import InvalidImage, InvalidPairs, InvalidSuite, InvalidTensor
from evaluation.features import extract_features
from evaluation.headline import headline_values
from evaluation.measures import MEASURES
from evaluation.metrics.registry import image_metrics
from evaluation.pairs import Pair, dataset_digest
from evaluation.references import References
from evaluation.report import PairScore, Report
from evaluation.spec import MetricSuite

JITTERS = ("identity",)


class Scorer:
    """The scorer of one suite on one set of pairs, with its references warm."""

    def __init__(
        self,
        suite: MetricSuite,
        pairs: Sequence[Pair],
        *,
        cache_dir: Path | None = None,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        """Load the backbone and measure the anchors, or read them from `cache_dir`.

        `threads` sets the number of CPU threads of this whole process.

        Raises:
            InvalidSuite: unknown metrics, jitters or backbone, or another digest than the backbone has.
            InvalidPairs: no pairs, or a pair whose content and style image are too much alike.
            InvalidImage: an image of the dataset is not an 8-bit RGB PNG of the suite's size.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        if not pairs:
            raise InvalidPairs("There are no pairs to score.", fix="Choose another split.")
        self.suite = suite
        self.pairs = tuple(pairs)
        self.backbone = _load_checked(suite, device)
        self.metrics = image_metrics(suite)
        self._by_id = {pair.id: pair for pair in pairs}
        self._references = References(self.backbone, suite.size, cache_dir)
        self._anchors = dataset_anchors(suite, pairs, self._references, cache_dir)

    def anchors(self, pair_id: str) -> PairAnchors:
        """Return the anchors of a pair."""
        return self._anchors[self._pair(pair_id).id]

    def score_pair(self, pair_id: str, stylized: np.ndarray, seconds: float | None = None) -> PairScore:
        """Score one stylized image.

        Args:
            pair_id: the pair that it answers.
            stylized: uint8 (size, size, 3); it is never resized.
            seconds: how long the generator took, if known.

        Returns:
            the raw metrics of the suite, and content, style and headline in [0, 1], higher is better.

        Raises:
            InvalidPairs: no such pair.
            InvalidImage: another dtype or shape.
        """
        pair = self._pair(pair_id)
        side = self.suite.size
        if stylized.dtype != np.uint8 or stylized.shape != (side, side, 3):
            raise InvalidImage(
                f"The output of {pair_id} is {stylized.dtype} of shape {stylized.shape}, "
                f"expected uint8 of shape ({side}, {side}, 3)."
            )
        output = extract_features(stylized, self.backbone)
        content = self._references.content(pair.content, pair.content_sha256)
        style = self._references.style(pair.style, pair.style_sha256)
        values = {name: MEASURES[name].apply(output, content, style) for name in self.metrics}
        values |= headline_values(self.suite, values, self._anchors[pair.id])
        if seconds is not None:
            values["seconds"] = _checked_seconds(seconds)
        return PairScore(pair_id, values, seconds=seconds)

    def score_pairs(self, batch: Iterable[tuple[str, np.ndarray, float | None]]) -> list[PairScore]:
        """Score several stylized images; the result is that of `score_pair` on each, bit for bit."""
        return [self.score_pair(pair_id, stylized, seconds) for pair_id, stylized, seconds in batch]

    def build_report(self, scores: Sequence[PairScore]) -> Report:
        """Put scores in the order of the dataset and average them; a pair without a score is invalid.

        Raises:
            InvalidPairs: a score of an unknown pair, or two of one pair.
        """
        aggregates = aggregate_scores(scores, self.pairs)
        by_id = {score.pair_id: score for score in scores}
        rows = [by_id.get(pair.id) or PairScore(pair.id, {}, invalid="MISSING") for pair in self.pairs]
        return Report(
            suite_id=self.suite.id,
            suite_digest=self.suite.digest,
            backbone=self.backbone.name,
            backbone_digest=self.backbone.digest,
            dataset_digest=dataset_digest(self.pairs),
            pairs=tuple(rows),
            aggregates=aggregates,
        )

    def _pair(self, pair_id: str) -> Pair:
        if pair_id not in self._by_id:
            raise InvalidPairs(f"There is no pair {pair_id!r} in this dataset.")
        return self._by_id[pair_id]


def check_pairs(suite: MetricSuite, pairs: Sequence[Pair], *, cache_dir: Path | None = None) -> None:
    """Check when a dataset is built that every pair can be scored; this also fills the cache.

    Raises:
        InvalidPairs, InvalidImage, InvalidSuite: as the constructor of `Scorer`.
    """
    Scorer(suite, pairs, cache_dir=cache_dir)


def _load_checked(suite: MetricSuite, device: str) -> Backbone:
    if tuple(suite.jitters) != JITTERS:
        raise InvalidSuite(f"Suite {suite.id} asks for jitters {suite.jitters}; known are {JITTERS}.")
    backbone = load_backbone(suite.backbone, device)
    if backbone.digest != suite.backbone_digest:
        raise InvalidSuite(
            f"Suite {suite.id} was made with another {suite.backbone}: "
            f"{suite.backbone_digest[:12]}, here is {backbone.digest[:12]}.",
            fix="Scores of different backbones do not compare; use the suite's own version of the library.",
        )
    return backbone


def _checked_seconds(seconds: float) -> float:
    if not (math.isfinite(seconds) and seconds >= 0):
        raise InvalidTensor(f"seconds is {seconds}, expected a finite number that is not negative.")
    return float(seconds)
