"""All images that an output could have come from: is the nearest style and the nearest content the right one?"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from evaluation.features import Features
from evaluation.metrics.retrieval import retrieval_at_1
from evaluation.pairs import Pair
from evaluation.references import References


class Candidates:
    """The style and content images of one split, as vectors that outputs are compared with."""

    def __init__(self, pairs: Sequence[Pair], references: References) -> None:
        """Read the features of every image of the pairs."""
        styles = {p.style_sha256: references.style(p.style, p.style_sha256) for p in pairs}
        contents = {p.content_sha256: references.content(p.content, p.content_sha256) for p in pairs}
        self._styles = _Gallery({sha256: _style_vectors(found) for sha256, found in styles.items()})
        self._contents = _Gallery({sha256: found.layers("layout") for sha256, found in contents.items()})

    def hits(self, output: Features, pair: Pair) -> dict[str, float]:
        """Tell for one output, as 1 or 0, whether style and content of its pair are the nearest of all.

        Style vectors are the feature means and deviations of all layers, content vectors the content map
        in 8 x 8 cells; a layer counts in proportion to the spread of the candidates. With a single
        candidate there is nothing to find, and no value.
        """
        hits = {
            "style_retrieval": self._styles.hit(_style_vectors(output), pair.style_sha256),
            "content_retrieval": self._contents.hit(output.layers("layout"), pair.content_sha256),
        }
        return {name: hit for name, hit in hits.items() if hit is not None}


class _Gallery:
    def __init__(self, vectors: Mapping[str, Sequence[Tensor]]) -> None:
        self._keys = tuple(vectors)
        self._layers = [torch.cat(layer) for layer in zip(*vectors.values(), strict=True)]  # (K, D) each

    def hit(self, vectors: Sequence[Tensor], target: str) -> float | None:
        if len(self._keys) < 2:
            return None
        total = torch.zeros(len(self._keys), dtype=torch.float64)
        for ours, candidates in zip(vectors, self._layers, strict=True):
            spread = (candidates - candidates.mean(dim=0)).double().square().sum()
            distances = (candidates - ours).double().square().sum(dim=1)  # (K,)
            total += (distances / spread.clamp_min(1e-12)).cpu()
        hits = retrieval_at_1(total[None], torch.tensor([self._keys.index(target)]))
        return float(hits[0])


def _style_vectors(features: Features) -> tuple[Tensor, ...]:
    return (*features.layers("mean"), *features.layers("std"))
