"""The frame protocol: what goes out is exact, and only an exact answer comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation.errors import GenerationError
from evaluation.generation import protocol
from evaluation.generation.runner import MESSAGE, MESSAGE_MAGIC, PAIR_HEADER

NONCE = bytes(range(16))
SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))
IMAGES = SIZES.flatmap(lambda size: arrays(np.uint8, (*size, 3)))


def answer(image: np.ndarray, seq: int = 1, nonce: bytes = NONCE) -> bytes:
    """Write the answer that a good runner gives."""
    return PAIR_HEADER.pack(b"PSTP", seq, *image.shape[:2], nonce) + image.tobytes()


@given(image=IMAGES, seq=st.integers(0, 2**32 - 1))
def test_a_request_carries_both_images_and_nothing_else(image: np.ndarray, seq: int) -> None:
    frame = protocol.encode_request(seq, NONCE, image, 255 - image)
    assert PAIR_HEADER.unpack(frame[: PAIR_HEADER.size]) == (b"PSTP", seq, *image.shape[:2], NONCE)
    assert frame[PAIR_HEADER.size :] == image.tobytes() + (255 - image).tobytes()


@given(image=IMAGES)
def test_an_answer_comes_back_as_it_was_and_can_be_written_to(image: np.ndarray) -> None:
    decoded = protocol.decode_answer(answer(image), 1, NONCE, *image.shape[:2])
    assert np.array_equal(decoded, image)
    decoded[0, 0, 0] ^= 1


@pytest.mark.parametrize(
    ("content", "style"),
    [
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 3), np.float32)),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)),
        (np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)),
    ],
)
def test_a_request_of_other_arrays_is_refused(content: np.ndarray, style: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected uint8|content is"):
        protocol.encode_request(1, NONCE, content, style)


IMAGE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


@pytest.mark.parametrize(
    "frame",
    [
        answer(IMAGE)[:-1],
        answer(IMAGE) + b"x",
        answer(IMAGE, seq=2),
        answer(IMAGE, nonce=bytes(16)),
        b"PNG!" + answer(IMAGE)[4:],
        answer(IMAGE.reshape(2, 8, 3)),
        b"",
    ],
    ids=["short", "long", "other number", "other nonce", "other magic", "other size", "empty"],
)
def test_any_other_answer_is_a_protocol_failure(frame: bytes) -> None:
    with pytest.raises(GenerationError) as caught:
        protocol.decode_answer(frame, 1, NONCE, 4, 4)
    assert caught.value.code == "PROTOCOL"


@given(text=st.text(max_size=2000))
def test_a_message_has_one_size_and_its_text_one_printable_line(text: str) -> None:
    frame = protocol.encode_message("LOAD_FAILED", text)
    assert len(frame) == MESSAGE.size
    message = protocol.decode_message(frame)
    assert message.code == "LOAD_FAILED"
    assert message.text.isprintable()


def test_a_message_keeps_a_plain_text() -> None:
    message = protocol.decode_message(protocol.encode_message("CRASHED", "ValueError: café"))
    assert message == protocol.Message("CRASHED", "ValueError: café")


@pytest.mark.parametrize("code", [b"INFRA", b"SCORED", b"", b"\xff\xfe", b"ready"])
def test_a_runner_cannot_send_a_code_of_its_own(code: bytes) -> None:
    with pytest.raises(GenerationError) as caught:
        protocol.decode_message(MESSAGE.pack(MESSAGE_MAGIC, code, b""))
    assert caught.value.code == "PROTOCOL"


@pytest.mark.parametrize("frame", [b"", b"PSTM", bytes(MESSAGE.size), MESSAGE_MAGIC * 200])
def test_what_is_no_message_is_a_protocol_failure(frame: bytes) -> None:
    with pytest.raises(GenerationError) as caught:
        protocol.decode_message(frame)
    assert caught.value.code == "PROTOCOL"


def test_every_nonce_is_new() -> None:
    assert len({protocol.new_nonce() for _ in range(100)}) == 100
    assert len(protocol.new_nonce()) == protocol.NONCE_BYTES
