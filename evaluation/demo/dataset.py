"""Write the demo dataset: pictures, pairs and credits, the same bytes for the same size and seed."""

import json
from pathlib import Path

import numpy as np

from evaluation.demo.credits import write_credits
from evaluation.demo.families import FAMILIES, StyleFamily, paint_style
from evaluation.demo.photos import PHOTOS, Photo, crop_photo
from evaluation.errors import EvaluationError
from evaluation.images import write_png
from evaluation.pairs import PAIRS_FILE, Pair, read_pairs

MIN_SIZE, MAX_SIZE = 64, 1024


class InvalidSize(EvaluationError):
    """The demo dataset is painted from 64 to 1024 pixels a side."""

    code = "INVALID_SIZE"


def write_demo_dataset(folder: Path, *, size: int = 256, seed: int = 0) -> tuple[Pair, ...]:
    """Write 12 public and 48 hidden pairs; `pairs.json` comes last, so a folder that has it is whole.

    Hidden pairs cross every hidden photograph with every hidden style. Public pairs take every second cell
    of theirs: each photograph meets three styles, each style two photographs.

    Raises:
        InvalidSize: size is not between 64 and 1024.
        MissingPhoto: a photograph is not installed.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InvalidSize(fix=f"Choose a size other than {size}.")
    for name in ("content", "style"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    contents = {f"content/c{number:02}.png": photo for number, photo in enumerate(PHOTOS, start=1)}
    styles = {f"style/s{number:02}.png": family for number, family in enumerate(FAMILIES, start=1)}
    for path, photo in contents.items():
        write_png(crop_photo(photo, size), folder / path)
    for path, family in styles.items():
        write_png(paint_style(family, seed, size), folder / path)
    write_credits(folder, contents, styles)
    rows = _pair_rows(contents, styles, seed)
    text = json.dumps({"schema": 1, "size": size, "pairs": rows}, indent=1) + "\n"
    (folder / PAIRS_FILE).write_text(text, encoding="utf-8")
    return read_pairs(folder)


def _pair_rows(contents: dict[str, Photo], styles: dict[str, StyleFamily], seed: int) -> list[dict[str, str]]:
    """List the pairs of both splits under shuffled ids, which tell nothing about content or style."""
    rows = [
        {
            "content": content,
            "style": style,
            "split": photo.split,
            "style_family": family.name,
            "culture": family.culture,
            "content_kind": photo.content_kind,
        }
        for column, (content, photo) in enumerate(contents.items())
        for row, (style, family) in enumerate(styles.items())
        if photo.split == family.split and (photo.split == "hidden" or (row + column) % 2 == 0)
    ]
    order = np.random.default_rng([seed, len(rows)]).permutation(len(rows))
    return [{"id": f"p{place:02}", **rows[number]} for place, number in enumerate(order, start=1)]
