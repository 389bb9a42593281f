"""Set-level metrics over the outputs of one run, split by split, against the style images of the split."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.aggregate import aggregate_scores
from evaluation.features import Features
from evaluation.metrics.sets import SetScore
from evaluation.pairs import Pair
from evaluation.references import References
from evaluation.report import PairScore
from evaluation.set_measures import SET_MEASURES, OutputSet
from evaluation.spec import MetricSuite

Collected = dict[str, dict[str, np.ndarray]]  # pair id -> ingredient -> (D,), a few KB for each output
SMALLEST = 2  # fewer outputs or styles have no covariance, and nothing to compare


def collect_output(suite: MetricSuite, output: Features) -> dict[str, np.ndarray]:
    """Return what the set-level metrics of a suite read of one output."""
    names = {SET_MEASURES[name].ingredient for name in suite.set_columns}
    return {name: _vector(output, name) for name in sorted(names)}


def score_sets(
    suite: MetricSuite,
    pairs: Sequence[Pair],
    references: References,
    *,
    scores: Sequence[PairScore],
    collected: Collected,
) -> dict[str, dict[str, SetScore]]:
    """Return split -> metric -> score over the valid outputs; a split with fewer than two of either is left out."""
    found: dict[str, dict[str, SetScore]] = {}
    for split in sorted({pair.split for pair in pairs}) if suite.set_columns else ():
        members = [pair for pair in pairs if pair.split == split and pair.id in collected]
        styles = {pair.style_sha256: pair.style for pair in pairs if pair.split == split}
        if min(len(members), len({pair.style_sha256 for pair in members}), len(styles)) < SMALLEST:
            continue
        lpips = _mean_lpips(scores, members)
        found[split] = {}
        for name in suite.set_columns:
            measure = SET_MEASURES[name]
            images = OutputSet(
                outputs=np.stack([collected[pair.id][measure.ingredient] for pair in members]),
                references=np.stack(
                    [
                        _vector(references.style(path, sha256), measure.ingredient)
                        for sha256, path in styles.items()
                    ]
                ),
                styles=[pair.style_sha256 for pair in members],
                lpips=lpips,
            )
            found[split][name] = measure.apply(images)
    return found


def _vector(features: Features, ingredient: str) -> np.ndarray:
    return features.layers(ingredient)[0][0].cpu().double().numpy()


def _mean_lpips(scores: Sequence[PairScore], members: Sequence[Pair]) -> float | None:
    ids: Mapping[str, Pair] = {pair.id: pair for pair in members}
    return aggregate_scores([score for score in scores if score.pair_id in ids], members).get("lpips")
