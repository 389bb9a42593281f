"""Check weight files without loading a tensor: the header of .safetensors, the table of contents of .pth."""

import math
import struct
from typing import IO

from evaluation.errors import InvalidArchive
from evaluation.strict_json import parse_strict_json
from evaluation.zips.directory import read_names

MAX_HEADER_BYTES = 8_000_000
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


def check_safetensors(file: IO[bytes], size: int) -> None:
    """Check the header of a .safetensors file of `size` bytes: names, types, shapes, offsets without gaps.

    Raises:
        ValueError: with half a sentence that says what is wrong.

    Source: the format section of the safetensors README (8-byte length, JSON header, one byte buffer).
    """
    prefix = file.read(8)
    if len(prefix) < 8:
        raise ValueError("it is shorter than a safetensors header")
    (length,) = struct.unpack("<Q", prefix)
    if length > min(MAX_HEADER_BYTES, size - 8):
        raise ValueError(f"its header claims {length} bytes")
    header = parse_strict_json(file.read(length), max_depth=4)
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("its __metadata__ holds something other than strings")
    _check_buffer([_span(name, tensor) for name, tensor in header.items()], size - 8 - length)


def check_state_dict(file: IO[bytes], size: int) -> None:
    """Check that a .pth file is what `torch.save(state_dict)` writes, not TorchScript, .pt2 or a bare pickle.

    Raises:
        ValueError: with half a sentence that says what is wrong.
    """
    try:
        found = read_names(file, size, MAX_HEADER_BYTES)
    except InvalidArchive as error:
        raise ValueError("it is not in the zip form that torch.save writes since torch 1.6") from error
    names = {name.partition("/")[2] for name in found}
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        raise ValueError("it is a TorchScript program, not a state dict")
    if (
        "data.pkl" not in names
        or "archive_format" in names
        or any(name.startswith("models/") for name in names)
    ):
        raise ValueError("it is no state dict of torch.save")


def _span(name: str, tensor: object) -> tuple[int, int, str]:
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name[:60]!r} is not described by dtype, shape and data_offsets")
    shape, offsets = tensor["shape"], tensor["data_offsets"]
    if tensor["dtype"] not in list(_BITS):
        raise ValueError(f"tensor {name[:60]!r} has an unknown dtype")
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise ValueError(f"tensor {name[:60]!r} has a broken shape or broken data_offsets")
    begin, end = offsets
    if (end - begin) * 8 != math.prod(shape) * _BITS[tensor["dtype"]]:
        raise ValueError(f"tensor {name[:60]!r} does not have the bytes that its shape needs")
    return begin, end, name


def _are_counts(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 64
        and all(type(item) is int and 0 <= item < 2**48 for item in value)
    )


def _check_buffer(spans: list[tuple[int, int, str]], size: int) -> None:
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            raise ValueError(f"tensor {name[:60]!r} overlaps another one or leaves a gap")
        position = end
    if position != size:
        raise ValueError(f"its tensors take {position} bytes, but {size} bytes follow the header")
