"""The words exchanged with one runner: hello, go, ready, then pair after pair, each with its deadline."""

import contextlib
import time

import numpy as np

from evaluation.errors import GenerationError
from evaluation.generation import protocol
from evaluation.generation.driver import Limits, Prediction
from evaluation.generation.pipe import EndOfPipe, read_exactly, read_waiting, write_all
from evaluation.generation.runner import MESSAGE, PAIR_HEADER

HELLO_SECONDS = 60.0


class Conversation:
    """Speaks the protocol on two pipes; `EndOfPipe` rises where the runner has gone.

    `seq` counts the pairs that were asked; the run's limit counts only the time spent on them.
    """

    def __init__(self, to_runner: int, from_runner: int, limits: Limits) -> None:
        """Take two non-blocking descriptors."""
        self.seq = 0
        self._input = to_runner
        self._output = from_runner
        self._limits = limits
        self._run_seconds = 0.0

    def await_hello(self) -> None:
        """Wait until the runner stands; nothing of the participant's has run by then.

        Raises:
            GenerationError: INFRA.
        """
        start = b""
        with contextlib.suppress(TimeoutError, EndOfPipe):
            start = read_exactly(self._output, MESSAGE.size, time.monotonic() + HELLO_SECONDS)
        if start != protocol.encode_message("HELLO"):
            raise GenerationError("INFRA", "The runner did not start.")

    def load(self) -> float:
        """Tell the runner to load the generator and return the seconds until it is ready.

        Raises:
            GenerationError: LOAD_TIMEOUT, PROTOCOL, or what the runner says.
        """
        started = time.monotonic()
        deadline = started + self._limits.load_seconds
        try:
            write_all(self._input, protocol.encode_message("GO"), deadline)
            answer = protocol.decode_message(read_exactly(self._output, MESSAGE.size, deadline))
        except TimeoutError as error:
            limit = f"{self._limits.load_seconds:g} s"
            raise GenerationError("LOAD_TIMEOUT", f"The generator was not ready within {limit}.") from error
        if answer.code == "HELLO":
            raise GenerationError("PROTOCOL", "The generator's process spoke out of turn.")
        if answer.code != "READY":
            # No image has gone in yet, so the text cannot carry one out.
            raise GenerationError(answer.code, f"The generator did not load: {answer.text}")
        return time.monotonic() - started

    def exchange(self, content: np.ndarray, style: np.ndarray) -> Prediction:
        """Send one pair and read its answer; the clock runs from the last byte in to the last byte out.

        Raises:
            GenerationError: PAIR_TIMEOUT, RUN_TIMEOUT, PROTOCOL, or what the runner says.
        """
        nonce, (height, width) = protocol.new_nonce(), content.shape[:2]
        request = protocol.encode_request(self.seq, nonce, content, style)
        left = self._limits.run_seconds - self._run_seconds
        seconds = min(self._limits.pair_seconds, left)
        begun = time.monotonic()
        try:
            write_all(self._input, request[:-1], begun + seconds)
            self.expect_nothing()  # nobody can know the whole pair before its last byte
            write_all(self._input, request[-1:], begun + seconds)
            started = time.monotonic()
            answer = self._read_answer(nonce, (height, width), started + seconds)
        except TimeoutError as error:
            raise self._timed_out(is_run=left < self._limits.pair_seconds) from error
        ended = time.monotonic()
        self._run_seconds += ended - begun
        return Prediction(protocol.decode_answer(answer, self.seq, nonce, height, width), ended - started)

    def expect_nothing(self) -> None:
        """Refuse what the runner has written unasked.

        Raises:
            GenerationError: PROTOCOL.
        """
        if read_waiting(self._output):
            raise GenerationError("PROTOCOL", f"Pair {self.seq}: the generator wrote before it was asked.")

    def expect_silence(self, seconds: float) -> None:
        """Wait for the runner to end, and refuse a last word.

        Raises:
            GenerationError: PROTOCOL.
        """
        try:
            read_exactly(self._output, 1, time.monotonic() + seconds)
        except (EndOfPipe, TimeoutError):
            return
        raise GenerationError("PROTOCOL", "The generator wrote more than one answer per pair.")

    def _read_answer(self, nonce: bytes, size: tuple[int, int], deadline: float) -> bytes:
        header = read_exactly(self._output, PAIR_HEADER.size, deadline)
        if protocol.is_message(header):
            rest = read_exactly(self._output, MESSAGE.size - len(header), deadline)
            code = protocol.decode_message(header + rest).code
            if code in ("HELLO", "READY"):
                raise GenerationError("PROTOCOL", f"Pair {self.seq}: the answer is no picture.")
            raise GenerationError(code, f"Pair {self.seq}: the log says more.")
        protocol.check_header(header, self.seq, nonce, *size)
        rest = read_exactly(self._output, protocol.answer_size(*size) - len(header), deadline)
        return header + rest

    def _timed_out(self, *, is_run: bool) -> GenerationError:
        if is_run:
            limit = f"{self._limits.run_seconds:g} s"
            return GenerationError("RUN_TIMEOUT", f"Pair {self.seq}: the run's {limit} were used up.")
        limit = f"{self._limits.pair_seconds:g} s"
        return GenerationError("PAIR_TIMEOUT", f"Pair {self.seq}: no answer within {limit}.")
