"""Credits of the demo dataset: author, source and license of every picture, as JSON and as a page."""

import json
from pathlib import Path

from evaluation.demo.families import StyleFamily
from evaluation.demo.photos import Photo

_PAGE = """# Credits of the demo dataset

Contents are crops of photographs that scikit-image distributes. Styles are procedural: a program of this
project painted them, each after a named tradition. They are studies of geometry, material and palette, no
artworks of that tradition and no replacement for them; judge a generator on real works before you speak of a
culture.

The photographs are known to everybody, and whoever knows the seed can paint the hidden styles again, so this
dataset shows how the platform works and decides nothing.

| file | split | what | author | source | license |
|---|---|---|---|---|---|
"""


def write_credits(folder: Path, contents: dict[str, Photo], styles: dict[str, StyleFamily]) -> None:
    """Write `credits.json` and `CREDITS.md`; the dictionaries map file names to what they show."""
    rows = [_photo_row(path, photo) for path, photo in contents.items()]
    rows += [_style_row(path, family) for path, family in styles.items()]
    (folder / "credits.json").write_text(
        json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    lines = [f"| {' | '.join(row.values())} |\n" for row in rows]
    (folder / "CREDITS.md").write_text(_PAGE + "".join(lines), encoding="utf-8")


def _photo_row(path: str, photo: Photo) -> dict[str, str]:
    left, top, side = photo.crop
    return {
        "file": path,
        "split": photo.split,
        "title": photo.title,
        "author": photo.author,
        "source": f"scikit-image, skimage/data/{photo.file}, {side} pixels square from ({left}, {top})",
        "license": photo.license,
    }


def _style_row(path: str, family: StyleFamily) -> dict[str, str]:
    return {
        "file": path,
        "split": family.split,
        "title": f"Procedural picture after {family.after} ({family.culture})",
        "author": "Pastiche, evaluation.demo",
        "source": "procedural",
        "license": "CC0-1.0",
    }
