"""Measure the anchors of a dataset: every metric on the trivial answers of every pair."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from evaluation.anchors import PairAnchors, anchors_from_json, anchors_to_json, check_anchors, content_anchor
from evaluation.features import Features, StyleFeatures
from evaluation.files import write_atomic
from evaluation.headline import to_distance
from evaluation.measures import MEASURES
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.pairs import Pair, dataset_digest
from evaluation.references import FORMAT, References
from evaluation.spec import MetricSuite


def dataset_anchors(
    suite: MetricSuite, pairs: Sequence[Pair], references: References, cache_dir: Path | None = None
) -> dict[str, PairAnchors]:
    """Return the anchors of all pairs, from the cache folder if they were measured before.

    "Other contents" of a pair are the content images of its own split, so opening one split or all
    gives the same anchors.

    Raises:
        InvalidPairs: an anchor is almost 0; see `check_anchors`.
    """
    key = _key(suite, pairs)
    file = cache_dir / f"anchors-{hashlib.sha256(key.encode()).hexdigest()}.json" if cache_dir else None
    anchors = _read(file, key) if file else None
    if anchors is None or anchors.keys() != {pair.id for pair in pairs}:
        anchors = _measure(suite, pairs, references)
        check_anchors(anchors)
        if file:
            write_atomic(file, json.dumps({"key": key, "anchors": anchors_to_json(anchors)}).encode())
    return anchors


def _measure(suite: MetricSuite, pairs: Sequence[Pair], references: References) -> dict[str, PairAnchors]:
    others = _others_to_content(suite, pairs, references)
    anchors: dict[str, PairAnchors] = {}
    for style_sha256 in dict.fromkeys(pair.style_sha256 for pair in pairs):
        group = [pair for pair in pairs if pair.style_sha256 == style_sha256]
        copy = references.compute(group[0].style, style_sha256)
        for pair in group:
            content = references.content(pair.content, pair.content_sha256)
            to_content = _distances(suite.content_parts, copy, content, copy.style)
            away = others[pair.split, pair.content_sha256]
            anchors[pair.id] = PairAnchors(
                content={
                    name: content_anchor(distance, [row[name] for row in away])
                    for name, distance in to_content.items()
                },
                style=_distances(suite.style_parts, content, content, copy.style),
            )
    return {pair.id: anchors[pair.id] for pair in pairs}


def _others_to_content(
    suite: MetricSuite, pairs: Sequence[Pair], references: References
) -> dict[tuple[str, str], list[dict[str, float]]]:
    paths = {(pair.split, pair.content_sha256): pair.content for pair in pairs}
    table: dict[tuple[str, str], list[dict[str, float]]] = {}
    for (split, sha256), path in paths.items():
        content = references.content(path, sha256)
        table[split, sha256] = []
        for (other_split, other_sha256), other_path in paths.items():
            if other_split == split and other_sha256 != sha256:
                other = references.content(other_path, other_sha256)
                table[split, sha256].append(_distances(suite.content_parts, other, content, content.style))
    return table


def _distances(
    names: Iterable[str], output: Features, content: Features, style: StyleFeatures
) -> dict[str, float]:
    return {
        name: to_distance(METRIC_SPECS[name], MEASURES[name].apply(output, content, style)) for name in names
    }


def _key(suite: MetricSuite, pairs: Sequence[Pair]) -> str:
    parts = {
        "format": FORMAT,
        "dataset": dataset_digest(pairs),
        "backbone": suite.backbone_digest,
        "size": suite.size,
        "content_parts": suite.content_parts,
        "style_parts": suite.style_parts,
    }
    return json.dumps(parts, sort_keys=True)


def _read(file: Path, key: str) -> dict[str, PairAnchors] | None:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return anchors_from_json(stored["anchors"]) if stored["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
