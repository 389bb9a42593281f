"""Drain a generator's stderr for as long as it runs, and keep no more of it than the limit."""

import os
import select
import threading
from collections.abc import Callable
from typing import IO

CHUNK = 65536
PREAMBLE_BYTES = 4096
POLL_MS = 100


class LogDrain(threading.Thread):
    """A thread that hands the first `limit` bytes to a callback and drops the rest.

    It never stops reading, so that a generator cannot block on its log nor fill our memory with it.
    What comes before `hand_over` is not the generator's (a driver's complaint that names paths of this
    machine): it stays in `preamble`. The callback runs in this thread; what it raises is kept in `error`.
    """

    def __init__(self, stream: IO[bytes], limit: int, callback: Callable[[bytes], None]) -> None:
        """Prepare to drain `stream`, which stays open for as long as this thread; `start` begins."""
        super().__init__(name="generator-log", daemon=True)
        self.error: Exception | None = None
        self.preamble = b""
        self._is_generators = threading.Event()
        self._stream = stream
        self._left = limit
        self._notice = f"\n[the log is cut here: the limit is {limit // 1024} KiB]\n".encode()
        self._callback = callback
        self._finished = threading.Event()

    def run(self) -> None:
        """Read until every holder of the pipe is gone, or until `finish` gave up on that."""
        poller = select.poll()
        poller.register(self._stream, select.POLLIN)
        while True:
            if not poller.poll(POLL_MS):
                if self._finished.is_set():
                    return
                continue
            chunk = os.read(self._stream.fileno(), CHUNK)
            if not chunk:
                return
            self._keep(chunk)

    def hand_over(self) -> None:
        """From here on the generator's own code runs and its log goes to the callback."""
        self._is_generators.set()

    def finish(self) -> None:
        """Wait until what is in the pipe has been read; call it when the generator is gone."""
        self._finished.set()
        self.join()

    def _keep(self, chunk: bytes) -> None:
        if not self._is_generators.is_set():
            self.preamble = (self.preamble + chunk)[:PREAMBLE_BYTES]
            return
        if self._left <= 0 or self.error is not None:
            return
        kept = chunk[: self._left]
        self._left -= len(kept)
        try:
            self._callback(kept)
            if self._left <= 0:
                self._callback(self._notice)
        except Exception as error:  # the caller's: raised in its own thread, by `PipeSession.close`
            self.error = error
