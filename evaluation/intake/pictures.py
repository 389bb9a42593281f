"""Look at one file by its content, never by its name, and make the square RGB picture of it that is scored."""

import hashlib
import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from evaluation.images import encode_png, resize_square
from evaluation.intake.bare import is_bare
from evaluation.intake.findings import Finding

MAX_PIXELS = 64_000_000
THUMBNAIL = 96
FORMATS = ("PNG", "JPEG", "WEBP")
_GPS = 0x8825
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, struct.error, zlib.error, Warning)
_LEADS = (
    (b"<svg", "SVG"),
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<script", "HTML"),
    (b"<?xml", "XML"),
    (b"%pdf", "PDF"),
    (b"pk\x03\x04", "ZIP"),
    (b"gif8", "GIF"),
    (b"ii*\0", "TIFF"),
    (b"mm\0*", "TIFF"),
    (b"8bps", "PSD"),
)


@dataclass(frozen=True)
class Picture:
    """What became of one file: the PNG that is scored (empty where it is left out), and what was found.

    `sha256` is the digest of that PNG, so files that show the same picture share it.
    """

    name: str
    png: bytes
    sha256: str
    thumbnail: bytes
    findings: tuple[Finding, ...]


def examine(name: str, data: bytes, size: int) -> Picture:
    """Decode one file and bring it to `size` pixels square; the same bytes always give the same picture.

    Metadata never passes: the PNG is written from bare pixels, or the file was one that holds nothing else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                return _examine(name, image, data, size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _refused(name, "TOO_MANY_PIXELS", f"> {Image.MAX_IMAGE_PIXELS}")
    except Image.UnidentifiedImageError:
        return _refused(name, "NOT_AN_IMAGE", _guess(data))
    except _DAMAGE as error:
        return _refused(name, "BROKEN_IMAGE", "CUT_OFF" if "truncated" in str(error) else "DAMAGED")


def _examine(name: str, image: Image.Image, data: bytes, size: int) -> Picture:
    width, height = image.size
    if width * height > MAX_PIXELS:
        return _refused(name, "TOO_MANY_PIXELS", f"{width} × {height}")
    if getattr(image, "n_frames", 1) > 1:
        return _refused(name, "ANIMATED", f"{getattr(image, 'n_frames', 1)}")
    found = []
    if image.mode != "RGB":
        found.append(Finding("NOT_RGB", name, image.mode))
    if _GPS in image.getexif() or b"GPSLatitude" in str(image.info.get("xmp", "")).encode():
        found.append(Finding("PLACE_REMOVED", name))
    image.load()
    flat = _on_white(image)
    small = _thumbnail(flat)
    if min(width, height) < size:
        short = Finding("TOO_SMALL", name, f"{width} × {height}")
        return Picture(name, b"", "", small, (short,))
    png = data if is_bare(data, size) else encode_png(resize_square(flat, size))
    return Picture(name, png, hashlib.sha256(png).hexdigest(), small, tuple(found))


def _on_white(image: Image.Image) -> Image.Image:
    """Turn the picture upright and into RGB; what is transparent becomes white."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("I", "I;16", "F"):
        values = np.asarray(upright, dtype=np.float64)
        top = 65535.0 if values.max(initial=0.0) > 255 else 255.0
        return Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if upright.has_transparency_data:
        solid = upright.convert("RGBA")
        paper = Image.new("RGBA", solid.size, "white")
        return Image.alpha_composite(paper, solid).convert("RGB")
    return upright.convert("RGB")


def _thumbnail(image: Image.Image) -> bytes:
    small = ImageOps.contain(image, (THUMBNAIL, THUMBNAIL))
    target = BytesIO()
    small.save(target, "WEBP", quality=78, method=4)
    return target.getvalue()


def _refused(name: str, code: str, detail: str) -> Picture:
    return Picture(name, b"", "", b"", (Finding(code, name, detail),))


def _guess(data: bytes) -> str:
    """Say what a file seems to be that is no picture of ours, as a code of `findings.DETAILS`."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for lead, kind in _LEADS:
        if head.startswith(lead):
            is_svg = kind == "XML" and b"<svg" in data[:4096].lower()
            return "SVG" if is_svg else kind
    if not data:
        return "EMPTY"
    return "TEXT" if b"\0" not in data[:1024] else "UNKNOWN"
