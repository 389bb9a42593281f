"""Small WebP copies of stored images for pages; made when first asked for, kept by digest and width."""

import contextlib
import io
import os
import tempfile
from pathlib import Path

from django.conf import settings
from PIL import Image

from competitions.storage import open_file

WIDTHS = (96, 160, 256, 512, 768)
QUALITY = 78
RECIPE = 1  # raise it when the same image gives another copy


def read_thumbnail(sha256: str, width: int) -> bytes:
    """Return a stored image as WebP, at most `width` pixels wide and never larger than it is.

    Whoever calls this has asked a selector whether the viewer may see the image. The folder of copies belongs to
    one machine and may be emptied at any time; where it cannot be written, every copy is made anew.
    """
    path = settings.DATA_DIR / "thumbnails" / sha256[:2] / f"{sha256}-{width}-{RECIPE}.webp"
    try:
        return path.read_bytes()
    except OSError:  # not made yet, or it cannot be kept here
        data = _shrink(sha256, width)
    with contextlib.suppress(OSError):
        _keep(path, data)
    return data


def _shrink(sha256: str, width: int) -> bytes:
    with open_file(sha256) as file:
        image = Image.open(io.BytesIO(file.read()), formats=["PNG"]).convert("RGB")
    if image.width > width:
        height = max(1, round(image.height * width / image.width))
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    image.save(target, "WEBP", quality=QUALITY, method=4)
    return target.getvalue()


def _keep(path: Path, data: bytes) -> None:
    """Write the copy under another name first: two requests may make it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished)
        raise
