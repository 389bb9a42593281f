"""How long the pictures of a pair take on their way to a generator and back."""

import fcntl
import os
import threading

import numpy as np

from evaluation.bench.timing import median_seconds
from evaluation.generation.protocol import answer_size, decode_answer, encode_request, new_nonce
from evaluation.generation.runner import PAIR_HEADER

_PIPE_BYTES = 1 << 20


def time_transport(outputs: list[np.ndarray]) -> float:
    """Time one pair's frame to an echoing reader through pipes, and its answer back."""
    to_echo, to_us = os.pipe(), os.pipe()
    fcntl.fcntl(to_echo[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    fcntl.fcntl(to_us[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    with (
        os.fdopen(to_echo[0], "rb") as requests,
        os.fdopen(to_echo[1], "wb", buffering=0) as ask,
        os.fdopen(to_us[0], "rb") as answers,
        os.fdopen(to_us[1], "wb", buffering=0) as reply,
    ):
        size = outputs[0].shape[0]
        frame = PAIR_HEADER.size + 2 * outputs[0].nbytes

        def echo() -> None:
            for _ in outputs:
                _write_all(reply, requests.read(frame)[: answer_size(size, size)])

        thread = threading.Thread(target=echo)
        thread.start()

        def round_trip(k: int) -> np.ndarray:
            nonce = new_nonce()
            _write_all(ask, encode_request(k, nonce, outputs[k], outputs[k]))
            return decode_answer(answers.read(answer_size(size, size)), k, nonce, size, size)

        seconds = median_seconds(round_trip, len(outputs))
        thread.join()
    return seconds


def _write_all(stream: object, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(stream.fileno(), view) :]  # type: ignore[attr-defined]
