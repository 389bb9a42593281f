"""The distances that earn a score of 0: what the trivial answers of a pair would get."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from evaluation.errors import InvalidPairs

SMALLEST_SHARE = 1e-4
SMALLEST = 1e-9


@dataclass(frozen=True)
class PairAnchors:
    """The anchors of one pair: metric name -> distance, for the content and for the style metrics."""

    content: Mapping[str, float]
    style: Mapping[str, float]


def content_anchor(style_to_content: float, others_to_content: Sequence[float]) -> float:
    """Return ``b_k = min(d_k(s,c), median over other contents c' of d_k(c',c))``.

    The minimum makes a copy of the style image score 0 even where it happens to lie nearer to the
    content image than other photographs do.
    """
    return min(style_to_content, median(others_to_content)) if others_to_content else style_to_content


def check_anchors(anchors: Mapping[str, PairAnchors]) -> None:
    """Refuse pairs whose content image is (almost) already in the style, or equal to another content image.

    Raises:
        InvalidPairs: an anchor is below 1e-9 or below 1e-4 of the median over all pairs; names the pairs.
    """
    for side in ("content", "style"):
        table: dict[str, dict[str, float]] = {
            pair_id: dict(getattr(entry, side)) for pair_id, entry in anchors.items()
        }
        for metric in next(iter(table.values()), {}):
            least = max(SMALLEST, SMALLEST_SHARE * median(row[metric] for row in table.values()))
            weak = [pair_id for pair_id, row in table.items() if not row[metric] >= least]
            if weak:
                raise InvalidPairs(
                    f"The {side} anchor {metric} is almost 0 for {', '.join(weak[:5])}.",
                    fix="Leave these pairs out: content and style are too much alike to measure a transfer.",
                )


def weak_pairs(anchors: Mapping[str, PairAnchors], share: float = 0.05) -> tuple[str, ...]:
    """Name the pairs below the `share` quantile of any style anchor: candidates to leave out of a dataset."""
    count = int(share * len(anchors))
    weak: set[str] = set()
    for metric in next(iter(anchors.values())).style if anchors else ():
        weak.update(sorted(anchors, key=lambda pair_id: anchors[pair_id].style[metric])[:count])
    return tuple(sorted(weak))


def anchors_to_json(anchors: Mapping[str, PairAnchors]) -> str:
    """Write anchors as JSON, numbers in full precision."""
    return json.dumps({pair_id: asdict(entry) for pair_id, entry in anchors.items()})


def anchors_from_json(text: str) -> dict[str, PairAnchors]:
    """Read what `anchors_to_json` wrote; raises ValueError or TypeError on anything else."""
    return {pair_id: PairAnchors(**entry) for pair_id, entry in json.loads(text).items()}
