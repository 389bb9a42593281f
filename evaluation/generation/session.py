"""The trusted end of a running generator: load it, hand it pairs, and end all of it on any error."""

import fcntl
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np

from evaluation.errors import GenerationError
from evaluation.generation.conversation import Conversation
from evaluation.generation.driver import Limits, Prediction, Session, Usage
from evaluation.generation.log import LogDrain
from evaluation.generation.pipe import EndOfPipe

logger = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
GRACE_SECONDS = 2.0


class Launched(Protocol):
    """A started runner as its driver sees it; `process` has pipes for stdin, stdout and stderr.

    `is_shielded`: nothing that the generator does can send a signal to `process`, so one that kills it is ours.
    """

    process: subprocess.Popen[bytes]
    is_shielded: bool

    def confine(self) -> None:
        """Set and verify, from outside, what must hold before any code of the participant runs.

        Raises:
            GenerationError: INFRA.
        """
        ...

    def freeze(self) -> None:
        """Stop all its processes between two pairs, where the driver can.

        Raises:
            GenerationError: INFRA, also of `thaw` and `is_out_of_memory`.
        """
        ...

    def thaw(self) -> None:
        """Let its processes run."""
        ...

    def is_out_of_memory(self) -> bool:
        """Say whether one of its processes was ended for using too much memory."""
        ...

    def peak_memory_mb(self) -> float | None:
        """Return the most memory used so far, in MiB."""
        ...

    def kill(self) -> None:
        """Kill every process, from any thread; does nothing after `end`."""
        ...

    def end(self) -> None:
        """Kill every process, wait for it, and remove what the driver made; twice does no harm."""
        ...


def start_session(
    launched: Launched,
    limits: Limits,
    log: Callable[[bytes], None],
    on_launch: Callable[[Session], None],
) -> "PipeSession":
    """Take over a launched runner, show its session to `on_launch`, and let it load the generator.

    Raises:
        GenerationError: as `PipeSession.load`.
    """
    session = PipeSession(launched, limits, log)
    try:
        on_launch(session)
    except BaseException:
        session.abort()
        raise
    session.load()
    return session


class PipeSession:
    """A generator behind two pipes; implements `evaluation.generation.driver.Session`."""

    def __init__(self, launched: Launched, limits: Limits, log: Callable[[bytes], None]) -> None:
        """Take over a launched runner; `load` must follow."""
        self._launched = launched
        self._limits = limits
        stdin, stdout, stderr = launched.process.stdin, launched.process.stdout, launched.process.stderr
        if stdin is None or stdout is None or stderr is None:
            raise ValueError("the runner needs pipes for stdin, stdout and stderr")
        self._streams = (stdin, stdout, stderr)
        for stream in (stdin, stdout):
            os.set_blocking(stream.fileno(), False)
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._conversation = Conversation(stdin.fileno(), stdout.fileno(), limits)
        self._drain = LogDrain(stderr, limits.log_kb * 1024, log)
        self._drain.start()
        self._load_seconds = 0.0
        self._is_killed = threading.Event()
        self._usage: Usage | None = None

    def load(self) -> None:
        """Confine the runner and let it load the generator.

        Raises:
            GenerationError: INFRA before the generator's code runs; then LOAD_FAILED, LOAD_TIMEOUT,
                MISSING_FILE, OUT_OF_MEMORY, CRASHED or PROTOCOL.
        """
        try:
            self._conversation.await_hello()
            self._launched.confine()
            self._drain.hand_over()
            self._load_seconds = self._conversation.load()
            self._refuse_too_much_memory()
            self._launched.freeze()
        except BaseException as error:
            raise self._failed(error) from error

    def predict(self, content: np.ndarray, style: np.ndarray) -> Prediction:
        """Stylize one pair.

        Args:
            content: uint8 RGB, shape (H, W, 3).
            style: the same shape.

        Raises:
            GenerationError: with the failure code; the generator's processes are gone by then.
        """
        if self._usage is not None:
            raise ValueError("the session is closed")
        self._conversation.seq += 1
        try:
            self._conversation.expect_nothing()
            self._launched.thaw()
            prediction = self._conversation.exchange(content, style)
            self._refuse_too_much_memory()
            self._launched.freeze()
        except BaseException as error:
            raise self._failed(error) from error
        return prediction

    def close(self) -> Usage:
        """End the generator and everything it started; a second call only returns the usage again.

        Raises:
            GenerationError: PROTOCOL, when the generator wrote more than one answer per pair.
        """
        if self._usage is not None:
            return self._usage
        try:
            self._launched.thaw()
            self._streams[0].close()
            self._conversation.expect_silence(GRACE_SECONDS)
        except BaseException as error:
            raise self._failed(error) from error
        usage = self.abort()
        if self._drain.error is not None:
            raise self._drain.error
        return usage

    def abort(self) -> Usage:
        """End it all at once and without a last check; does nothing where the session has ended already."""
        if self._usage is None:
            self._usage = Usage(self._load_seconds, self._launched.peak_memory_mb())
            self._launched.end()
            self._drain.finish()
            for stream in self._streams:
                stream.close()
        return self._usage

    def kill(self) -> None:
        """Kill the generator at once, from any thread, also while it loads.

        A call that waits for it fails as CRASHED; `abort` must follow.
        """
        self._is_killed.set()
        self._launched.kill()

    def _refuse_too_much_memory(self) -> None:
        """Also where only a child was killed and the generator went on without it."""
        if self._launched.is_out_of_memory():
            raise GenerationError("OUT_OF_MEMORY")

    def _failed(self, error: BaseException) -> BaseException:
        """End the generator and name the failure: what the driver saw outranks what the pipe showed."""
        code = self._exit_code() if isinstance(error, EndOfPipe) else None
        is_out_of_memory = False
        try:
            is_out_of_memory = self._launched.is_out_of_memory()
        except GenerationError as lost:  # whoever limits the memory is away: nothing can be blamed on it
            error = lost
        self.abort()
        where = f"Pair {self._conversation.seq}" if self._conversation.seq else "While loading"
        if isinstance(error, GenerationError | EndOfPipe) and self._is_killed.is_set():
            return GenerationError("CRASHED", f"{where}: the process was ended from outside.")
        if isinstance(error, GenerationError) and error.code == "INFRA":
            logger.error("%s %s", error, self._drain.preamble.decode(errors="replace"))
            return error
        if isinstance(error, GenerationError | EndOfPipe) and is_out_of_memory:
            limit = f"{self._limits.memory_mb} MiB"
            return GenerationError("OUT_OF_MEMORY", f"The generator used more than {limit} of memory.")
        if isinstance(error, EndOfPipe) and self._launched.is_shielded and code is not None and code < 0:
            return GenerationError("INFRA", f"{where}: the sandbox was ended from outside{_tell(code)}.")
        if isinstance(error, EndOfPipe):
            return GenerationError("CRASHED", f"{where}: the process ended{_tell(code)}.")
        return error

    def _exit_code(self) -> int | None:
        try:
            return self._launched.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return None


def _tell(code: int | None) -> str:
    if code is None:
        return ""
    number = -code if code < 0 else code - 128  # bubblewrap speaks like a shell: 128 + signal
    if number in {s.value for s in signal.Signals}:
        return f" by signal {signal.Signals(number).name}"
    return f" with exit status {code}"
