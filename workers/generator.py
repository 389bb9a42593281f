"""A run's generator in its sandbox: loaded when the first picture is needed, and afresh for a replay."""

import time
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import GenerationError
from evaluation.generation.driver import Driver, Limits, Prediction, Session
from evaluation.generation.generate import stylize_pairs
from evaluation.manifest import Manifest
from evaluation.pairs import Pair
from workers import metrics
from workers.keeper import Keeper


@dataclass
class Generator:
    """Stylizes pairs while the keeper watches: a run that is lost or cancelled ends it at once, even as it loads.

    All calls come from one thread: with that thread a sandbox dies.
    """

    driver: Driver
    bundle: Path
    manifest: Manifest
    limits: Limits
    keeper: Keeper
    _session: Session | None = None

    def load(self, *, shows_log: bool = True) -> None:
        """Start it in a fresh sandbox, where it remembers nothing; its team sees what it logs now, or not.

        Raises:
            GenerationError: it cannot be loaded.
            StaleFence, Draining: the run must not go on.
        """
        self.abort()
        self.keeper.check()
        self.keeper.withholds_log = not shows_log
        started = time.monotonic()

        def on_launch(session: Session) -> None:
            metrics.sandbox_started(time.monotonic() - started)
            self.keeper.watch(session)

        try:
            self._session = self.driver.start(
                self.bundle, self.manifest, self.limits, self.keeper.log, on_launch=on_launch
            )
        except GenerationError:
            self.keeper.check()  # a generator that we killed ourselves has not failed
            raise

    def stylize(self, pair: Pair) -> Prediction:
        """Stylize one pair; once a hidden one was shown, all that it logs is withheld.

        Raises:
            GenerationError: with the failure code.
            StaleFence, Draining: the run must not go on.
        """
        self.keeper.check()
        if self._session is None:
            self.load()
        assert self._session is not None
        self.keeper.withholds_log |= pair.split != "public"
        try:
            ((_, prediction),) = stylize_pairs(self._session, [pair])
        except GenerationError:
            self.keeper.check()
            raise
        return prediction

    def close(self) -> None:
        """End it, after a last look at whether it kept to the protocol.

        Raises:
            GenerationError: PROTOCOL.
        """
        if self._session is None:
            return
        try:
            self._session.close()
        except GenerationError:
            self.keeper.check()
            raise
        finally:
            self.abort()

    def abort(self) -> None:
        """End it at once, whatever it does."""
        session, self._session = self._session, None
        self.keeper.watch(None)
        if session is not None:
            session.abort()
