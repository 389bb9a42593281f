"""A zip with more files than a request looks at; most of them are too small to be used."""

import zipfile
from io import BytesIO

from evaluation.images import encode_png
from evaluation.intake.example import example_zip
from tests.conftest import smooth_image

N_SMALL = 40


def many_files() -> dict[str, bytes]:
    """Return the example's files by name, and many small pictures."""
    with zipfile.ZipFile(BytesIO(example_zip())) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    small = encode_png(smooth_image(1, 32))
    return files | {f"hidden/contents/shapes/small-{n}.png": small for n in range(N_SMALL)}


def many_pictures() -> bytes:
    """Return them as a zip."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for name, data in many_files().items():
            packed.writestr(zipfile.ZipInfo(name), data)  # of no moment: the same bytes each time
    return target.getvalue()
