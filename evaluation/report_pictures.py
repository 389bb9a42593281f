"""The worst and best pairs of a report with their pictures, made small for display alone."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from evaluation.images import read_rgb
from evaluation.pairs import Pair
from evaluation.report import PairScore, Report

SHOWN = 4  # pairs at either end
SIDE = 224  # pixels: with the quality below, 24 pictures of pure noise stay under 1.5 MB
QUALITY = 80


@dataclass(frozen=True)
class Example:
    """One pair with its three pictures as data URIs."""

    score: PairScore
    pair: Pair
    content: str
    output: str
    style: str


def worst_and_best(report: Report, shown: int = SHOWN) -> tuple[tuple[PairScore, ...], tuple[PairScore, ...]]:
    """Return the pairs of lowest and of highest headline, the extreme ones first; no pair stands in both."""
    ordered = sorted(
        (pair for pair in report.pairs if not pair.invalid),
        key=lambda pair: (pair.values["headline"], pair.pair_id),
    )
    half = min(shown, len(ordered) // 2)
    return tuple(ordered[:half]), tuple(ordered[::-1][: min(shown, len(ordered) - half)])


def picture_examples(
    scores: Iterable[PairScore], pairs: Sequence[Pair], outputs: Path
) -> tuple[Example, ...]:
    """Read the pictures of the given pairs.

    Raises:
        InvalidImage: a picture cannot be read any more.
    """
    by_id = {pair.id: pair for pair in pairs}
    return tuple(_example(score, by_id[score.pair_id], outputs) for score in scores)


def data_uri(path: Path) -> str:
    """Return a picture, at most 224 pixels a side, as JPEG data URI."""
    image = Image.fromarray(read_rgb(path))
    image.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _example(score: PairScore, pair: Pair, outputs: Path) -> Example:
    paths = (pair.content, outputs / f"{pair.id}.png", pair.style)
    content, output, style = (data_uri(path) for path in paths)
    return Example(score, pair, content, output, style)
