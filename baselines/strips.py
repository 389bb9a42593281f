"""Small strips of pictures for the README: the same six public pairs for every baseline."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from evaluation.files import write_atomic
from evaluation.pairs import Pair

STRIPS = Path(__file__).parent / "strips"

_COUNT = 6
_SIDE = 96  # pixels
_GAP = 4
_QUALITY = 85


def write_strips(folder: Path, name: str, pairs: Sequence[Pair], pictures: Path) -> None:
    """Write NAME.jpg with the stylized images, and content.jpg and style.jpg with what they were made from.

    Args:
        folder: gets the strips.
        name: of the baseline.
        pairs: of the dataset; the first public pair of each style is shown.
        pictures: folder with `<pair id>.png`.
    """
    folder.mkdir(exist_ok=True)
    first = {pair.style: pair for pair in reversed(pairs) if pair.split == "public"}
    shown = [first[style] for style in sorted(first)][:_COUNT]
    _write(folder / "content.jpg", [pair.content for pair in shown])
    _write(folder / "style.jpg", [pair.style for pair in shown])
    _write(folder / f"{name}.jpg", [pictures / f"{pair.id}.png" for pair in shown])


def _write(path: Path, paths: Sequence[Path]) -> None:
    strip = Image.new("RGB", (len(paths) * (_SIDE + _GAP), _SIDE), "white")
    for place, picture in enumerate(paths):
        with Image.open(picture) as image:
            small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        strip.paste(small, (place * (_SIDE + _GAP), 0))
    buffer = io.BytesIO()
    strip.save(buffer, format="JPEG", quality=_QUALITY)
    write_atomic(path, buffer.getvalue())
