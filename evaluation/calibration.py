"""Measure the anchors of a dataset: every metric on the trivial answers of every pair, under each jitter."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from evaluation.anchors import PairAnchors, anchors_from_json, anchors_to_json, check_anchors, content_anchor
from evaluation.features import Extractor, Features
from evaluation.files import write_atomic
from evaluation.headline import to_distance
from evaluation.jitters import apply_jitter
from evaluation.measures import MEASURES
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.pairs import Pair, dataset_digest
from evaluation.references import FORMAT, References
from evaluation.spec import MetricSuite

_MOST_OTHERS = 24


class Calibration:
    """The anchors of a dataset under the jitters of a suite."""

    def __init__(
        self, suite: MetricSuite, pairs: Sequence[Pair], references: References, extractor: Extractor
    ) -> None:
        """Remember what to measure; `extractor` derives the ingredients of the suite's parts."""
        self._suite = suite
        self._pairs = tuple(pairs)
        self._references = references
        self._extractor = extractor

    def anchors(self, jitter: str, cache_dir: Path | None = None) -> dict[str, PairAnchors]:
        """Return the anchors of all pairs, from the cache folder if they were measured before.

        "Other contents" of a pair are the content images of its own split, so opening one split or all
        gives the same anchors; of many, the same 24 are taken each time.

        Raises:
            InvalidPairs: an anchor is almost 0; see `check_anchors`.
        """
        key = self._key(jitter)
        file = cache_dir / f"anchors-{hashlib.sha256(key.encode()).hexdigest()}.json" if cache_dir else None
        anchors = _read(file, key) if file else None
        if anchors is None or anchors.keys() != {pair.id for pair in self._pairs}:
            anchors = self._measure(jitter)
            check_anchors(anchors)
            if file:
                write_atomic(file, json.dumps({"key": key, "anchors": anchors_to_json(anchors)}).encode())
        return anchors

    def _measure(self, jitter: str) -> dict[str, PairAnchors]:
        others = self._others_to_content(jitter)
        anchors: dict[str, PairAnchors] = {}
        for style_sha256 in dict.fromkeys(pair.style_sha256 for pair in self._pairs):
            group = [pair for pair in self._pairs if pair.style_sha256 == style_sha256]
            pixels = self._references.pixels(group[0].style, style_sha256)
            copy = self._extractor.extract([apply_jitter(jitter, pixels)])[0]
            for pair in group:
                content = self._references.content(pair.content, pair.content_sha256, jitter)
                away = others[pair.split, pair.content_sha256]
                anchors[pair.id] = PairAnchors(
                    content={
                        name: content_anchor(distance, [row[name] for row in away])
                        for name, distance in _distances(self._suite.content_parts, copy, content).items()
                    },
                    style=_distances(self._suite.style_parts, content, copy),
                )
        return {pair.id: anchors[pair.id] for pair in self._pairs}

    def _others_to_content(self, jitter: str) -> dict[tuple[str, str], list[dict[str, float]]]:
        paths = {(pair.split, pair.content_sha256): pair.content for pair in self._pairs}
        features = {
            (split, sha256): self._references.content(path, sha256, jitter)
            for (split, sha256), path in paths.items()
        }
        return {
            (split, sha256): [
                _distances(self._suite.content_parts, other, content)
                for other in _others(features, split, sha256)
            ]
            for (split, sha256), content in features.items()
        }

    def _key(self, jitter: str) -> str:
        parts = {
            "format": FORMAT,
            "dataset": dataset_digest(self._pairs),
            "networks": {name: network.digest for name, network in self._extractor.networks.items()},
            "size": self._suite.size,
            "jitter": jitter,
            "content_parts": self._suite.content_parts,
            "style_parts": self._suite.style_parts,
        }
        return json.dumps(parts, sort_keys=True)


def _others(features: dict[tuple[str, str], Features], split: str, sha256: str) -> list[Features]:
    others = {other: found for (of, other), found in features.items() if of == split and other != sha256}
    ranked = sorted(others, key=lambda other: hashlib.sha256(f"{sha256} {other}".encode()).digest())
    return [others[other] for other in ranked[:_MOST_OTHERS]]


def _distances(names: Sequence[str], output: Features, other: Features) -> dict[str, float]:
    return {name: to_distance(METRIC_SPECS[name], MEASURES[name].apply(output, other)) for name in names}


def _read(file: Path, key: str) -> dict[str, PairAnchors] | None:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return anchors_from_json(stored["anchors"]) if stored["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
