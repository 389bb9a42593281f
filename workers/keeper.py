"""A thread that keeps leases alive, brings progress and log to the database, and ends what must not go on."""

import logging
import threading

from django.db import Error, connection, transaction

from competitions.errors import StaleFence
from competitions.run_log import log_run
from competitions.services import results, runs, shards
from competitions.services.runs import Claim
from competitions.services.shards import ShardClaim
from evaluation.generation.driver import Session
from workers.drain import draining

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0  # within two of them a cancelled run's processes are gone


class Draining(Exception):
    """This worker is to stop; the run goes back to the queue."""


class Keeper(threading.Thread):
    """Beats once a second, whatever the generator does; `is_lost` is set when the run is no longer ours.

    A worker that only helps with a shard keeps no run alive (`owns_run`), just the shard.
    """

    def __init__(self, held: Claim, *, owns_run: bool = True) -> None:
        """Prepare to keep one claimed run alive."""
        super().__init__(name=f"keeper-{held.run_id}", daemon=True)
        self.is_lost = threading.Event()
        self.pairs_done = 0
        self.withholds_log = False
        self._held = held
        self._owns_run = owns_run
        self._shard: ShardClaim | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._pending: list[tuple[str, bool]] = []
        self._session: Session | None = None

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

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the run is ours."""
        self.is_lost.wait(seconds)

    def work_on(self, shard: ShardClaim | None) -> None:
        """Keep this shard alive from now on, too."""
        with self._lock:
            self._shard, self.pairs_done = shard, 0

    def watch(self, session: Session | None) -> None:
        """Kill this generator as soon as the run must not go on."""
        self._session = session

    def log(self, data: bytes) -> None:
        """Take what the generator wrote; NUL bytes cannot be stored and are shown as a sign."""
        text = data.decode("utf-8", errors="replace").replace("\0", "\ufffd")
        with self._lock:
            self._pending.append((text, self.withholds_log))

    def run(self) -> None:
        """Beat until stopped or lost; a database that is away for a moment is waited for."""
        try:
            with log_run(self._held.run_id):
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
            logger.warning("no heartbeat: %s", error)
            connection.close()

    def _keep_alive(self) -> None:
        with self._lock:  # so that a shard that ends meanwhile is not taken for a lost one
            shard, done = self._shard, self.pairs_done
            if shard is not None and not shards.keep_alive(shard, pairs_done=done):
                raise StaleFence
        if self._owns_run and not runs.keep_alive(self._held):
            raise StaleFence
