"""Read, write and resize images strictly: 8-bit RGB PNG, exact sizes, no silent conversion."""

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from evaluation.errors import InvalidImage, InvalidTensor
from evaluation.files import write_atomic

MAX_SIDE = 4096
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 33
_END = b"\0\0\0\0IEND\xaeB`\x82"
_RGB = 2
_COLOR_TYPES = {0: "grayscale", 2: "RGB", 3: "palette", 4: "grayscale with alpha", 6: "RGBA"}
_FIX = "Save the picture as 8-bit RGB PNG, e.g. Image.fromarray(array).save(path) with a uint8 array."


def read_rgb(path: Path, size: int | tuple[int, int] | None = None) -> np.ndarray:
    """Read an 8-bit RGB PNG without converting or resizing it.

    Args:
        path: the file.
        size: the side of a square, or (height, width), that the picture must have exactly.

    Returns:
        uint8 array of shape (H, W, 3), values 0..255.

    Raises:
        InvalidImage: anything else than one whole 8-bit RGB PNG of that size, at most 4096 pixels a side.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidImage(f"{path.name} cannot be read: {error.strerror}.") from error
    return decode_rgb(data, path.name, size)


def decode_rgb(data: bytes, name: str, size: int | tuple[int, int] | None = None) -> np.ndarray:
    """Decode the bytes of an 8-bit RGB PNG as `read_rgb` does; `name` is for the error message."""
    height, width = _check_header(data, name)
    if not data.endswith(_END):
        raise InvalidImage(f"{name} is cut off, or something follows the picture.", fix=_FIX)
    expected = (size, size) if isinstance(size, int) else size
    if expected is not None and (height, width) != expected:
        raise InvalidImage(
            f"{name} is {width} x {height} pixels, expected {expected[1]} x {expected[0]}.",
            fix="Return the size of the content image; the scorer never resizes an output.",
        )
    return _decode(data, name)


def encode_png(array: np.ndarray) -> bytes:
    """Encode a uint8 array of shape (H, W, 3) as PNG; equal arrays give equal bytes, without metadata."""
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise InvalidTensor(f"Expected a uint8 array of shape (H, W, 3), found {array.dtype} {array.shape}.")
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, format="PNG")
    return buffer.getvalue()


def write_png(array: np.ndarray, path: Path) -> None:
    """Write a uint8 array of shape (H, W, 3) as PNG, whole or not at all."""
    write_atomic(path, encode_png(array))


def resize_square(image: Image.Image, size: int) -> np.ndarray:
    """Crop the central square and resize it once, with Pillow's antialiased bicubic filter.

    For dataset builds only; orientation tags are applied, then the picture becomes RGB.

    Returns:
        uint8 array of shape (size, size, 3).
    """
    upright = ImageOps.exif_transpose(image).convert("RGB")
    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    square = upright.crop((left, top, left + side, top + side))
    return np.array(square.resize((size, size), Image.Resampling.BICUBIC))


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Convert floats in [0, 1] to 0..255 by rounding to nearest; values outside are clipped.

    Rounding matters: flooring darkens by half a level and moves Gram distances by some percent.

    Raises:
        InvalidTensor: not floating point, or not finite.
    """
    if not np.issubdtype(values.dtype, np.floating) or not np.isfinite(values).all():
        raise InvalidTensor(f"Expected finite floats in [0, 1], found {values.dtype}.")
    return np.asarray(np.rint(np.clip(values, 0.0, 1.0) * 255.0), dtype=np.uint8)


def _check_header(data: bytes, name: str) -> tuple[int, int]:
    if len(data) < _HEADER_BYTES or not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR":
        raise InvalidImage(f"{name} is not a PNG file.", fix=_FIX)
    width, height, depth, color_type = struct.unpack(">IIBB", data[16:26])
    if depth != 8 or color_type != _RGB:
        found = f"{depth}-bit {_COLOR_TYPES.get(color_type, 'unknown')}"
        raise InvalidImage(f"{name} is a {found} PNG, expected 8-bit RGB.", fix=_FIX)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise InvalidImage(f"{name} is {width} x {height} pixels, expected 1 to {MAX_SIDE} a side.")
    return height, width


def _decode(data: bytes, name: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(data), formats=["PNG"]) as image:
                _check_content(image, name)
                return np.array(image)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Warning) as error:
        raise InvalidImage(f"{name} is damaged: {error}.", fix=_FIX) from error


def _check_content(image: Image.Image, name: str) -> None:
    if image.mode != "RGB" or getattr(image, "n_frames", 1) != 1 or "transparency" in image.info:
        raise InvalidImage(f"{name} is animated or has a transparent color, expected plain RGB.", fix=_FIX)
