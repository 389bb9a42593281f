"""A thread that keeps a run's lease alive and brings its progress and log to the database."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import Error, connection, transaction

from competitions.errors import StaleFence
from competitions.services import results, runs
from competitions.services.runs import Claim
from evaluation.errors import GenerationError
from evaluation.generation.driver import Session
from workers.drain import draining

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


class Draining(Exception):
    """This worker is to stop; the run goes back to the queue."""


class Keeper(threading.Thread):
    """Beats once a second, whatever the generator does; `is_lost` is set when the run is no longer ours."""

    def __init__(self, held: Claim) -> None:
        """Prepare to keep one claimed run alive."""
        super().__init__(name=f"keeper-{held.run_id}", daemon=True)
        self.is_lost = threading.Event()
        self.pairs_done = 0
        self.withholds_log = False
        self._held = held
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._pending: list[tuple[str, bool]] = []
        self._session: Session | None = None
        self._written = (0.0, -1)

    def __enter__(self) -> "Keeper":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join()

    def check(self) -> None:
        """Raise where the run must not go on.

        Raises:
            StaleFence: the run is no longer ours.
            Draining: this worker is to stop.
        """
        if self.is_lost.is_set():
            raise StaleFence
        if draining.is_set():
            raise Draining

    @contextmanager
    def watching(self, session: Session) -> Iterator[None]:
        """Kill the generator as soon as the run must not go on, and end it in any case afterwards."""
        self._session = session
        try:
            yield
        except GenerationError:
            self.check()  # a generator that we killed ourselves has not failed
            raise
        finally:
            self._session = None
            session.abort()

    def log(self, data: bytes) -> None:
        """Take what the generator wrote; NUL bytes cannot be stored and are shown as a sign."""
        text = data.decode("utf-8", errors="replace").replace("\0", "\ufffd")
        with self._lock:
            self._pending.append((text, self.withholds_log))

    def run(self) -> None:
        """Beat until stopped or lost; a database that is away for a moment is waited for."""
        try:
            while not self._stopping.wait(BEAT_SECONDS) and not self.is_lost.is_set():
                self._beat()
                session = self._session
                if session is not None and (self.is_lost.is_set() or draining.is_set()):
                    session.kill()
            self._beat()
        finally:
            connection.close()

    def flush(self) -> None:
        """Write the log that is still pending; called before the run ends."""
        with self._lock:
            pending, self._pending = self._pending, []
        try:
            with transaction.atomic():
                for is_withheld in (False, True):
                    text = "".join(text for text, withheld in pending if withheld is is_withheld)
                    if text:
                        results.append_log(self._held, text=text, is_withheld=is_withheld)
        except Error:
            with self._lock:
                self._pending = pending + self._pending
            raise

    def _beat(self) -> None:
        try:
            self.flush()
            self._keep_alive()
        except StaleFence:
            self.is_lost.set()
        except Error as error:
            logger.warning("run %s: no heartbeat: %s", self._held.run_id, error)
            connection.close()

    def _keep_alive(self) -> None:
        at, done = self._written
        if done == self.pairs_done and time.monotonic() - at < settings.LEASE_SECONDS / 6:
            return
        self._written = (time.monotonic(), self.pairs_done)
        if not runs.keep_alive(self._held, pairs_done=self.pairs_done):
            self.is_lost.set()
