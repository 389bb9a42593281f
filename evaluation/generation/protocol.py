"""The trusted end of the frame protocol: one pair goes in, one picture of exactly that size comes out.

A request is a header (magic, seq, height, width, nonce) with the raw bytes of content and style; the
answer is the same header with the raw bytes of the stylized image. A message has one fixed size.
"""

import secrets
from dataclasses import dataclass

import numpy as np

from evaluation.errors import GenerationError
from evaluation.generation.runner import MESSAGE, MESSAGE_MAGIC, PAIR_HEADER, PAIR_MAGIC

NONCE_BYTES = 16
RUNNER_CODES = frozenset(
    ("HELLO", "READY", "LOAD_FAILED", "MISSING_FILE", "BAD_OUTPUT", "OUT_OF_MEMORY", "CRASHED")
)


@dataclass(frozen=True)
class Message:
    """A message of the runner; both fields come from an untrusted program."""

    code: str
    text: str


def new_nonce() -> bytes:
    """Draw the 16 bytes that an answer must repeat."""
    return secrets.token_bytes(NONCE_BYTES)


def encode_request(seq: int, nonce: bytes, content: np.ndarray, style: np.ndarray) -> bytes:
    """Write one pair as a frame.

    Args:
        seq: number of the pair within the session, 0..2**32-1.
        nonce: 16 random bytes.
        content: uint8 RGB, shape (H, W, 3), H and W below 65536.
        style: the same shape.

    Raises:
        ValueError: another dtype, another shape, or two different shapes.
    """
    for image in (content, style):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"expected uint8 of shape (H, W, 3), got {image.dtype} of {image.shape}")
    if content.shape != style.shape:
        raise ValueError(f"content is {content.shape}, style is {style.shape}")
    height, width = content.shape[:2]
    return PAIR_HEADER.pack(PAIR_MAGIC, seq, height, width, nonce) + content.tobytes() + style.tobytes()


def answer_size(height: int, width: int) -> int:
    """Return the number of bytes of an answer frame."""
    return PAIR_HEADER.size + height * width * 3


def check_header(header: bytes, seq: int, nonce: bytes, height: int, width: int) -> None:
    """Refuse an answer header that is not the request's own.

    Raises:
        GenerationError: PROTOCOL.
    """
    if header[: PAIR_HEADER.size] != PAIR_HEADER.pack(PAIR_MAGIC, seq, height, width, nonce):
        raise GenerationError("PROTOCOL", f"Pair {seq}: the answer does not carry the header of its request.")


def decode_answer(frame: bytes, seq: int, nonce: bytes, height: int, width: int) -> np.ndarray:
    """Read an answer frame as a writable uint8 RGB image of shape (H, W, 3).

    Raises:
        GenerationError: PROTOCOL: another length, magic, number, size or nonce.
    """
    if len(frame) != answer_size(height, width):
        expected = answer_size(height, width)
        raise GenerationError("PROTOCOL", f"Pair {seq}: expected {expected} bytes, got {len(frame)}.")
    check_header(frame, seq, nonce, height, width)
    pixels = np.frombuffer(frame, np.uint8, offset=PAIR_HEADER.size)
    return pixels.reshape(height, width, 3).copy()


def is_message(start: bytes) -> bool:
    """Say whether a frame starts like a message."""
    return start[: len(MESSAGE_MAGIC)] == MESSAGE_MAGIC


def encode_message(code: str, text: str = "") -> bytes:
    """Write a message; the text is cut to what fits."""
    return MESSAGE.pack(MESSAGE_MAGIC, code.encode(), text.encode(errors="replace")[:492])


def decode_message(frame: bytes) -> Message:
    """Read a message of the runner: a known code, and its text on one line without control characters.

    Raises:
        GenerationError: PROTOCOL: another length or magic, or a code that a runner may not send.
    """
    if len(frame) != MESSAGE.size or not is_message(frame):
        raise GenerationError("PROTOCOL", "The generator's process sent something that is no message.")
    _, raw_code, raw_text = MESSAGE.unpack(frame)
    code = raw_code.rstrip(b"\0").decode(errors="replace")
    if code not in RUNNER_CODES:
        raise GenerationError("PROTOCOL", "The generator's process sent a message with an unknown code.")
    text = raw_text.rstrip(b"\0").decode(errors="replace")
    return Message(code, "".join(c if c.isprintable() else " " for c in text))
