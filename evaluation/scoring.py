"""Score stylized images: one pass of each network per image, all metrics of a suite, anchored per pair."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from evaluation.anchors import PairAnchors
from evaluation.calibration import Calibration
from evaluation.candidates import Candidates
from evaluation.errors import InvalidImage, InvalidPairs, InvalidTensor
from evaluation.features import Features, image_batch
from evaluation.headline import headline_values, mean_values, total_loss_value
from evaluation.jitters import IDENTITY, apply_jitter
from evaluation.measures import MEASURES
from evaluation.metrics.discriminator_ensemble import Ensemble, load_ensemble
from evaluation.metrics.registry import image_metrics
from evaluation.metrics.sets import SetScore
from evaluation.output_sets import Collected, collect_output, score_sets
from evaluation.pairs import Pair
from evaluation.recipe import Recipe
from evaluation.references import References
from evaluation.report import PairScore, Report
from evaluation.reporting import build_report
from evaluation.spec import DISCRIMINATORS, MetricSuite

BATCH = {"cpu": 1, "cuda": 16}
Output = tuple[str, np.ndarray, float | None]  # pair id, uint8 (size, size, 3), seconds


class Scorer:
    """The scorer of one suite on one set of pairs, with its references warm."""

    def __init__(
        self,
        suite: MetricSuite,
        pairs: Sequence[Pair],
        *,
        cache_dir: Path | None = None,
        weights_dir: Path | None = None,
        threads: int | None = None,
        device: str = "cpu",
        random_seed: int | None = None,
        discriminators: Path | None = None,
    ) -> None:
        """Load the networks and measure the anchors, or read them from `cache_dir`.

        `discriminators` is the folder of a private ensemble; with it, adversarial score and loss are shown too.

        `threads` sets the number of CPU threads of this whole process. With `random_seed` the networks have
        random weights: for measurements of speed and for tests, never for scores.

        Raises:
            InvalidSuite: unknown metrics, jitters or networks, or other digests than the networks have.
            WeightsMissing, WeightsCorrupt: a weight file is not there, or is another one.
            InvalidPairs: no pairs, or a pair whose content and style image are too much alike.
            InvalidImage: an image of the dataset is not an 8-bit RGB PNG of the suite's size.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        if not pairs:
            raise InvalidPairs("There are no pairs to score.", fix="Choose another split.")
        self.suite = suite
        self.pairs = tuple(pairs)
        self.metrics = image_metrics(suite)
        self.recipe = Recipe(suite, device, weights_dir=weights_dir, random_seed=random_seed)
        self._ensemble = load_ensemble(discriminators, device) if discriminators else None
        self._by_id = {pair.id: pair for pair in pairs}
        self._references = References(self.recipe.reference_extractors(), suite.size, cache_dir)
        calibration = Calibration(suite, pairs, self._references, self.recipe.parts)
        self._anchors = {jitter: calibration.anchors(jitter, cache_dir) for jitter in suite.jitters}
        self._candidates = _open_candidates(suite, self.pairs, self._references)

    @property
    def batch(self) -> int:
        """Return how many pictures go through the networks together."""
        return BATCH[self.recipe.device_type]

    def anchors(self, pair_id: str, jitter: str = IDENTITY) -> PairAnchors:
        """Return the anchors of a pair."""
        return self._anchors[jitter][self._pair(pair_id).id]

    def score_pair(
        self,
        pair_id: str,
        stylized: np.ndarray,
        seconds: float | None = None,
        *,
        collected: Collected | None = None,
    ) -> PairScore:
        """Score one stylized image.

        Args:
            pair_id: the pair that it answers.
            stylized: uint8 (size, size, 3); it is never resized.
            seconds: how long the generator took, if known.
            collected: where to put what set-level metrics will read of it.

        Returns:
            the raw metrics of the suite, and content, style and headline in [0, 1], higher is better.

        Raises:
            InvalidPairs: no such pair.
            InvalidImage: another dtype or shape.
        """
        return self.score_pairs([(pair_id, stylized, seconds)], collected)[0]

    def score_pairs(self, outputs: Iterable[Output], collected: Collected | None = None) -> list[PairScore]:
        """Score several stylized images as `score_pair` does; on a GPU they go through the networks together.

        On a CPU the result is that of `score_pair` bit for bit; on a GPU it agrees within 1e-4.
        """
        listed, size = list(outputs), self.batch
        for pair_id, stylized, _ in listed:
            _check_output(self._pair(pair_id), stylized, self.suite.size)
        batches = [listed[start : start + size] for start in range(0, len(listed), size)]
        return [score for batch in batches for score in self._score(batch, collected)]

    def build_report(self, scores: Sequence[PairScore], collected: Collected | None = None) -> Report:
        """Put scores in the order of the dataset and average them; a pair without a score is invalid.

        Raises:
            InvalidPairs: a score of an unknown pair, or two of one pair.
        """
        private = {DISCRIMINATORS: self._ensemble.digest} if self._ensemble else {}
        sets = self.score_sets(scores, collected or {})
        return build_report(self.suite, self.pairs, scores, sets=sets, private=private)

    def score_sets(self, scores: Sequence[PairScore], collected: Collected) -> dict[str, dict[str, SetScore]]:
        """Return split -> metric -> score of the set-level metrics, over the outputs that were collected."""
        return score_sets(self.suite, self.pairs, self._references, scores=scores, collected=collected)

    def _score(self, batch: Sequence[Output], collected: Collected | None) -> list[PairScore]:
        pairs = [self._pair(pair_id) for pair_id, _, _ in batch]
        rows: list[list[dict[str, float]]] = [[] for _ in batch]
        for jitter in self.suite.jitters:
            extractor = self.recipe.whole if jitter == IDENTITY else self.recipe.parts
            features = extractor.extract([apply_jitter(jitter, stylized) for _, stylized, _ in batch])
            for row, pair, output in zip(rows, pairs, features, strict=True):
                row.append(self._measure(pair, output, jitter))
                if jitter == IDENTITY and collected is not None:
                    collected[pair.id] = collect_output(self.suite, output)
        return [
            self._combine(pair, row, seconds)
            for pair, row, (_, _, seconds) in zip(pairs, rows, batch, strict=True)
        ]

    def _measure(self, pair: Pair, output: Features, jitter: str) -> dict[str, float]:
        """Measure one output under one jitter; the columns only on the picture as it is."""
        names = self.metrics if jitter == IDENTITY else self.recipe.part_names
        values = self._values(names, output, pair, jitter)
        values |= headline_values(self.suite, values, self._anchors[jitter][pair.id])
        if jitter == IDENTITY and pair.split in self._candidates:
            values |= self._candidates[pair.split].hits(output, pair)
        if jitter == IDENTITY and self._ensemble is not None:
            values |= _adversarial_values(self._ensemble, output)
        return values

    def _values(self, names: Sequence[str], output: Features, pair: Pair, jitter: str) -> dict[str, float]:
        content = self._references.content(pair.content, pair.content_sha256, jitter)
        style = self._references.style(pair.style, pair.style_sha256, jitter)
        return {
            name: MEASURES[name].apply(output, style if MEASURES[name].is_style else content)
            for name in names
        }

    def _combine(self, pair: Pair, rows: list[dict[str, float]], seconds: float | None) -> PairScore:
        values = mean_values(self.suite, rows)
        if "total_loss" in self.suite.columns:
            values["total_loss"] = total_loss_value(self.suite, values)
        if seconds is not None:
            values["seconds"] = _checked_seconds(seconds)
        return PairScore(pair.id, values, seconds=seconds)

    def _pair(self, pair_id: str) -> Pair:
        if pair_id not in self._by_id:
            raise InvalidPairs(f"There is no pair {pair_id!r} in this dataset.")
        return self._by_id[pair_id]


def _open_candidates(
    suite: MetricSuite, pairs: Sequence[Pair], references: References
) -> dict[str, Candidates]:
    if not {"style_retrieval", "content_retrieval"} & set(suite.columns):
        return {}
    return {
        split: Candidates([pair for pair in pairs if pair.split == split], references)
        for split in sorted({pair.split for pair in pairs})
    }


def _adversarial_values(ensemble: Ensemble, output: Features) -> dict[str, float]:
    batch = image_batch([output.pixels])
    return {
        "adversarial": ensemble.score(batch).item(),
        "adversarial_loss": ensemble.loss(batch).item(),
    }


def check_pairs(suite: MetricSuite, pairs: Sequence[Pair], *, cache_dir: Path | None = None) -> None:
    """Check when a dataset is built that every pair can be scored; this also fills the cache.

    Raises:
        InvalidPairs, InvalidImage, InvalidSuite: as the constructor of `Scorer`.
    """
    Scorer(suite, pairs, cache_dir=cache_dir)


def _check_output(pair: Pair, stylized: np.ndarray, side: int) -> None:
    if stylized.dtype != np.uint8 or stylized.shape != (side, side, 3):
        raise InvalidImage(
            f"The output of {pair.id} is {stylized.dtype} of shape {stylized.shape}, "
            f"expected uint8 of shape ({side}, {side}, 3)."
        )


def _checked_seconds(seconds: float) -> float:
    if not (math.isfinite(seconds) and seconds >= 0):
        raise InvalidTensor(f"seconds is {seconds}, expected a finite number that is not negative.")
    return float(seconds)
