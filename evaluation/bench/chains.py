"""The chains that are compared: our suite in three forms, the floors of its networks, and the naive way."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from evaluation.backbones.registry import Backbone
from evaluation.bench.naive import NaiveChain
from evaluation.bench.timing import median_in_turns, median_seconds
from evaluation.errors import WeightsMissing
from evaluation.features import image_batch
from evaluation.images import read_rgb
from evaluation.ingredients import FROM_NETWORK, FROM_PIXELS
from evaluation.jitters import IDENTITY
from evaluation.measures import MEASURES
from evaluation.output_sets import Collected
from evaluation.pairs import Pair, read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import INCEPTION, MetricSuite


class Chains:
    """One suite on one generated dataset, with its published weights or, where they are absent, random ones."""

    def __init__(self, suite: MetricSuite, folder: Path, device: str, weights_dir: Path | None) -> None:
        """Open the suite ranked without jitter, ranked with its jitters, and with all columns."""
        self._pairs = read_pairs(folder)
        self._images = {path: read_rgb(path) for pair in self._pairs for path in (pair.content, pair.style)}
        self._device = device
        ranked = replace(suite, columns=(), set_columns=("kid",))
        plain = replace(ranked, jitters=(IDENTITY,))
        self.has_real_weights = True
        try:
            self._ranked = Scorer(plain, self._pairs, device=device, weights_dir=weights_dir)
        except WeightsMissing:
            self.has_real_weights = False
            self._ranked = self._open(plain, device, weights_dir)
        self._jittered = self._open(ranked, device, weights_dir)
        self._columns = self._open(replace(suite, jitters=(IDENTITY,)), device, weights_dir)
        self._naive = NaiveChain(device, weights_dir)

    def time(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """Return the median seconds per image of every chain, measured in turns after one warm-up."""
        batches = [image_batch([output]) for output in outputs]
        inception = [self._ranked.recipe.networks[INCEPTION]]
        others = [n for name, n in self._ranked.recipe.networks.items() if name != INCEPTION]
        calls: dict[str, Callable[[int], object]] = {
            "floor": lambda k: [network.extract(batches[k]) for network in inception + others],
            "suite": lambda k: self._score(self._ranked, k, outputs[k]),
            "naive": lambda k: self._score_naively(k, outputs[k]),
            "jittered_floor": lambda k: _jittered_floor(inception, others, batches[k]),
            "jittered": lambda k: self._score(self._jittered, k, outputs[k]),
            "columns": lambda k: self._score(self._columns, k, outputs[k]),
        }
        for call in calls.values():
            call(0)
        return median_in_turns(calls, len(outputs))

    def time_growth(self, outputs: list[np.ndarray]) -> float:
        """Return the seconds to score all outputs with the ranked suite, one after the other."""

        def score_all(_: int) -> None:
            for k, output in enumerate(outputs):
                self._score(self._ranked, k, output)

        return median_seconds(score_all, 1)

    def time_parts(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """Time what metrics share (in brackets; without the passes of the networks), then each metric by itself."""
        recipe = self._columns.recipe
        seconds = {}
        for name in recipe.whole.ingredients:
            if name in FROM_PIXELS:
                derive = FROM_PIXELS[name]
                seconds[f"({name})"] = median_seconds(lambda k: derive(outputs[k]), len(outputs))  # noqa: B023
        batch = image_batch(outputs[:1])
        for network, backbone in recipe.networks.items():
            taps = backbone.extract(batch)
            with torch.inference_mode():
                for name in recipe.whole.ingredients:
                    if name in FROM_NETWORK and FROM_NETWORK[name].network == network:
                        compute = FROM_NETWORK[name].compute
                        seconds[f"({name})"] = median_seconds(lambda _: compute(taps, backbone), len(outputs))  # noqa: B023
        features = recipe.whole.extract(outputs)
        for name in self._columns.metrics:
            apply = MEASURES[name].apply
            seconds[name] = median_seconds(lambda k: apply(features[k], features[0]), len(outputs))  # noqa: B023
        return seconds

    def _open(self, suite: MetricSuite, device: str, weights_dir: Path | None) -> Scorer:
        seed = None if self.has_real_weights else 0
        return Scorer(suite, self._pairs, device=device, weights_dir=weights_dir, random_seed=seed)

    def _pair(self, k: int) -> Pair:
        return self._pairs[k % len(self._pairs)]

    def _score(self, scorer: Scorer, k: int, output: np.ndarray) -> None:
        collected: Collected = {}
        scorer.score_pair(self._pair(k).id, output, collected=collected)

    def _score_naively(self, k: int, output: np.ndarray) -> None:
        pair = self._pair(k)
        self._naive.score(output, self._images[pair.content], self._images[pair.style])


def _jittered_floor(inception: list[Backbone], others: list[Backbone], batch: torch.Tensor) -> None:
    sides = (slice(None), slice(None), slice(1, None), slice(batch.shape[2] // 32, -(batch.shape[2] // 32)))
    for network in inception:
        network.extract(batch)
    for side in sides:
        part = batch[:, :, side, side].contiguous()
        for network in others:
            network.extract(part)
