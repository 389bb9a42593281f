"""Build a report: per-pair scores in the order of the dataset, and every number with its interval and n."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.aggregate import check_ids, value_row
from evaluation.metrics.registry import METRIC_SPECS, metric_id
from evaluation.metrics.sets import SetScore
from evaluation.pairs import Pair, dataset_digest
from evaluation.report import PairLabel, PairScore, Report, ReportRow
from evaluation.spec import MetricSuite
from evaluation.statistics.bootstrap import bootstrap_means, percentile_interval
from evaluation.statistics.design import design_of

SEED = 20_260_101


def build_report(
    suite: MetricSuite,
    pairs: Sequence[Pair],
    scores: Sequence[PairScore],
    *,
    sets: Mapping[str, Mapping[str, SetScore]],
    private: Mapping[str, str],
) -> Report:
    """Put scores in the order of the dataset and average them; a pair without a score is invalid.

    `sets` are set-level scores by split and metric, `private` the digests of networks that no suite names.

    Raises:
        InvalidPairs: a score of an unknown pair, or two of one pair.
    """
    check_ids(scores, pairs)
    by_id = {score.pair_id: score for score in scores}
    return Report(
        suite_id=suite.id,
        suite_digest=suite.digest,
        backbone=suite.backbone,
        backbone_digest=suite.backbone_digest,
        dataset_digest=dataset_digest(pairs),
        pairs=tuple(by_id.get(pair.id) or PairScore(pair.id, {}, invalid="MISSING") for pair in pairs),
        rows=(*_mean_rows(suite, pairs, scores, private), *_set_rows(suite, sets)),
        labels=tuple(_label(pair) for pair in pairs),
        is_demo=suite.is_demo,
    )


def _label(pair: Pair) -> PairLabel:
    return PairLabel(
        pair_id=pair.id,
        split=pair.split,
        content=pair.content_sha256,
        style=pair.style_sha256,
        culture=pair.culture,
        style_family=pair.style_family,
        content_kind=pair.content_kind,
    )


def _mean_rows(
    suite: MetricSuite, pairs: Sequence[Pair], scores: Sequence[PairScore], private: Mapping[str, str]
) -> list[ReportRow]:
    measured = {name for score in scores for name in score.values}
    design = design_of(pairs)
    rows = []
    for name in METRIC_SPECS:
        values = value_row(scores, pairs, name) if name in measured else np.array([])
        n = int(np.isfinite(values).sum())
        if n:
            low, high = percentile_interval(bootstrap_means(values[None], design, seed=SEED)[0])
            mean = float(design.means(values[None])[0])
            rows.append(ReportRow(name, metric_id(suite, name, private), mean, float(low), float(high), n))
    return rows


def _set_rows(suite: MetricSuite, sets: Mapping[str, Mapping[str, SetScore]]) -> list[ReportRow]:
    return [
        ReportRow(name, metric_id(suite, name), found.value, found.low, found.high, found.n, split)
        for split, by_name in sets.items()
        for name, found in by_name.items()
    ]
