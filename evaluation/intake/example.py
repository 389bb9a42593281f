"""Pack a small example of the layout: pictures that the project paints, sorted into folders, with credits."""

import json
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from evaluation.images import encode_png

SIDE = 256
_README = """The layout that the data page of a competition takes.

  public/contents/KIND/FILE            pictures that everybody may see
  public/styles/CULTURE/FAMILY/FILE
  hidden/contents/KIND/FILE            pictures that only the evaluation sees
  hidden/styles/CULTURE/FAMILY/FILE
  credits.json                         file, title, author, source and license of each picture

Every content meets every style of the same split. Without the folders public/ and hidden/, every fifth picture
becomes public. To choose the pairs yourself, add pairs.json:

  {"schema": 1, "size": 256, "pairs": [
    {"id": "p1", "content": "hidden/contents/shapes/1.png", "style": "hidden/styles/none/waves/1.png",
     "split": "hidden", "style_family": "waves", "culture": "none", "content_kind": "shapes"}]}
"""


def example_zip() -> bytes:
    """Return the example as the bytes of a zip file, always the same ones."""
    files: dict[str, bytes] = {"README.txt": _README.encode()}
    rows = []
    for split, n in (("public", 1), ("hidden", 2)):
        for number in range(1, n + 1):
            content = f"{split}/contents/shapes/{number}.png"
            style = f"{split}/styles/none/waves/{number}.png"
            seed = number if split == "public" else number + 10
            files[content], files[style] = encode_png(_shapes(seed)), encode_png(_waves(seed))
            rows += [{"file": name} | _CREDIT for name in (content, style)]
    files["credits.json"] = json.dumps(rows, indent=1).encode()
    target = BytesIO()
    with ZipFile(target, "w", ZIP_STORED) as packed:
        for name, data in files.items():
            info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            packed.writestr(info, data)
    return target.getvalue()


_CREDIT = {"title": "Example", "author": "Pastiche", "source": "procedural", "license": "CC0-1.0"}


def _shapes(seed: int) -> np.ndarray:
    """Paint some discs before a sky."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    image = np.repeat((200 - y[..., None] // 3), 3, axis=2).astype(np.uint8)
    for _ in range(7):
        across, down, radius = rng.integers(20, SIDE - 20, 2).tolist() + [rng.integers(12, 48)]
        image[(x - across) ** 2 + (y - down) ** 2 < radius**2] = rng.integers(20, 235, 3)
    return image


def _waves(seed: int) -> np.ndarray:
    """Paint stripes that bend."""
    rng = np.random.default_rng(seed + 100)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    bent = np.sin(2 * np.pi * (rng.integers(5, 9) * y + 0.4 * np.sin(2 * np.pi * rng.integers(1, 4) * x)))
    dark, light = rng.integers(0, 110, 3), rng.integers(130, 256, 3)
    image: np.ndarray = np.where(bent[..., None] > 0, light, dark).astype(np.uint8)
    return image
