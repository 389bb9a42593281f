"""Small WebP copies of stored images for pages; made when first asked for, kept by digest and width."""

import contextlib
import io
import itertools
from pathlib import Path

from django.conf import settings
from PIL import Image

from competitions.storage import open_file
from evaluation.files import write_atomic

WIDTHS = (96, 160, 256, 512, 768)
QUALITY = 78
RECIPE = 1  # raise it when the same image gives another copy
LOOK_EVERY = 200  # copies that a process keeps between two looks at how large the folder has become
KEPT_SHARE = 0.8  # of the allowed size, so that the next look finds room

_kept = itertools.count(1)


def read_thumbnail(sha256: str, width: int) -> bytes:
    """Return a stored image as WebP, at most `width` pixels wide and never larger than it is.

    Whoever calls this has asked a selector whether the viewer may see the image. The folder of copies belongs to
    one machine, whose web processes keep it small themselves; where it cannot be written, every copy is made anew.
    """
    path = _folder() / sha256[:2] / f"{sha256}-{width}-{RECIPE}.webp"
    try:
        return path.read_bytes()
    except OSError:  # not made yet, or it cannot be kept here
        data = _shrink(sha256, width)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
        if next(_kept) % LOOK_EVERY == 0:
            trim_thumbnails()
    return data


def trim_thumbnails() -> None:
    """Where the copies take more than they may, remove those that were made first, and what killed writers left."""
    allowed = settings.THUMBNAIL_CACHE_MB * 2**20
    found = [(file.stat(), file) for file in _folder().glob("*/*")]
    left = sum(status.st_size for status, _file in found)
    if left <= allowed:
        return
    for status, file in sorted(found, key=lambda one: one[0].st_mtime):
        if left <= KEPT_SHARE * allowed:
            return
        file.unlink(missing_ok=True)  # another process may trim at the same time
        left -= status.st_size


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "thumbnails"


def _shrink(sha256: str, width: int) -> bytes:
    with open_file(sha256) as file:
        image = Image.open(io.BytesIO(file.read()), formats=["PNG"]).convert("RGB")
    if image.width > width:
        height = max(1, round(image.height * width / image.width))
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    image.save(target, "WEBP", quality=QUALITY, method=4)
    return target.getvalue()
