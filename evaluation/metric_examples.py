"""The examples of docs/metrics.md: what each metric says about trivial outputs, with pictures."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from evaluation.aggregate import aggregate_scores
from evaluation.controls import CONTROLS
from evaluation.demo.dataset import write_demo_dataset
from evaluation.images import read_rgb
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.number_text import number_text
from evaluation.pairs import Pair, read_pairs
from evaluation.report import PairScore
from evaluation.scoring import Scorer
from evaluation.spec import load_suite

SUITE = "sts-demo-2"
SHOWN = ("p44", "p25")  # public pairs of the demo dataset, of which pictures are drawn
OUTPUTS = {
    "identity": "content image",
    "style_copy": "style image",
    "blend": "half of each",
    "blur": "blurred content",
    "style_shuffle": "shuffled style",
    "linear": "color transfer",
}
SIDE, QUALITY = 192, 82

Scores = dict[str, dict[str, PairScore]]  # output -> pair id -> score


def make_examples(folder: Path) -> str:
    """Score trivial outputs for the public demo pairs, draw two of them into `folder`, and write the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        write_demo_dataset(Path(place))
        pairs = read_pairs(Path(place), "public")
        scorer = Scorer(load_suite(SUITE), pairs)
        scores = {name: _score(scorer, name) for name in OUTPUTS}
        for pair_id in SHOWN:
            pair = next(pair for pair in pairs if pair.id == pair_id)
            draw_strip(pair, folder / f"{pair_id}.jpg")
    shown = "\n\n".join(_pair_text(pair_id, pairs, scores) for pair_id in SHOWN)
    return f"{shown}\n\n{_means_text(pairs, scores)}"


def draw_strip(pair: Pair, file: Path) -> None:
    """Draw the outputs of one pair side by side, in the order of `OUTPUTS`."""
    outputs = [_output(name, pair) for name in OUTPUTS]
    small = [Image.fromarray(output).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for output in outputs]
    strip = Image.new("RGB", (len(small) * (SIDE + 4) - 4, SIDE), "white")
    for place, picture in enumerate(small):
        strip.paste(picture, (place * (SIDE + 4), 0))
    strip.save(file, quality=QUALITY, optimize=True)


def _output(name: str, pair: Pair) -> np.ndarray:
    return CONTROLS[name](read_rgb(pair.content), read_rgb(pair.style), 0)


def _score(scorer: Scorer, name: str) -> dict[str, PairScore]:
    return {pair.id: scorer.score_pair(pair.id, _output(name, pair)) for pair in scorer.pairs}


def _pair_text(pair_id: str, pairs: Sequence[Pair], scores: Scores) -> str:
    pair = next(pair for pair in pairs if pair.id == pair_id)
    names = ", ".join(OUTPUTS.values())
    alt = f"{pair.content_kind} and {pair.style_family}: from left to right {names}"
    rows = [
        _row(metric, [scores[name][pair_id].values[metric] for name in OUTPUTS])
        for metric in ("headline", "content", "style")
    ]
    return f"![{alt}](metrics/{pair_id}.jpg)\n\n{_table(rows)}"


def _means_text(pairs: Sequence[Pair], scores: Scores) -> str:
    means = {name: aggregate_scores(list(scores[name].values()), pairs) for name in OUTPUTS}
    metrics = [metric for metric in METRIC_SPECS if all(metric in row for row in means.values())]
    rows = [_row(metric, [means[name][metric] for name in OUTPUTS]) for metric in metrics]
    return (
        f"Means over all {len(pairs)} public pairs of the demo dataset, under `{SUITE}`, without intervals: they "
        f"show directions, no ranking.\n\n{_table(rows)}"
    )


def _table(rows: Sequence[str]) -> str:
    head = f"| | {' | '.join(OUTPUTS.values())} |"
    return "\n".join([head, "|---|" + "---:|" * len(OUTPUTS), *rows])


def _row(metric: str, values: Sequence[float]) -> str:
    spec = METRIC_SPECS[metric]
    arrow = "↑" if spec.direction == "higher" else "↓"
    return f"| {spec.title} {arrow} | {' | '.join(number_text(metric, value) for value in values)} |"
