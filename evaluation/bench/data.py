"""Generated pictures and pairs, so that measuring needs no data."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.images import write_png
from evaluation.pairs import PAIRS_FILE

_CONTENTS, _STYLES = 3, 2


def write_bench_dataset(folder: Path, size: int) -> None:
    """Write a dataset of 6 pairs with its `pairs.json`."""
    for k in range(_CONTENTS):
        write_png(draw_picture(k, size), folder / f"c{k}.png")
    for k in range(_STYLES):
        write_png(draw_picture(50 + k, size), folder / f"s{k}.png")
    rows = [
        {
            "id": f"p{c}{s}",
            "content": f"c{c}.png",
            "style": f"s{s}.png",
            "split": "public",
            "style_family": f"family {s}",
            "culture": f"culture {s}",
            "content_kind": "generated",
        }
        for c in range(_CONTENTS)
        for s in range(_STYLES)
    ]
    text = json.dumps({"schema": 1, "size": size, "pairs": rows})
    (folder / PAIRS_FILE).write_text(text, encoding="utf-8")


def draw_picture(seed: int, size: int) -> np.ndarray:
    """Draw seeded smooth noise of three scales with some grain: no flat areas, all colors."""
    generator = np.random.default_rng(seed)
    total = np.zeros((size, size, 3))
    for cells in (4, 16, 64):
        noise = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64)
    grain = generator.normal(0, 4, total.shape)
    return np.rint(np.clip(total / 3 + grain, 0, 255)).astype(np.uint8)
