"""What one worker process keeps between runs: its name, its driver, its warm scorer, its sign of life."""

import logging
import math
import socket
import threading
import time
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.db import Error, connection
from filelock import FileLock

from competitions.selectors.work import Assignment
from competitions.services import runs
from competitions.services import workers as registry
from competitions.services.workers import Ability
from evaluation.errors import SandboxUnavailable
from evaluation.generation.driver import Driver
from workers import metrics
from workers.cache import room_problem, trim
from workers.drivers import Drivers, choose_drivers
from workers.scorer import ScorerProcess
from workers.slots import take_gpu, take_slot

logger = logging.getLogger(__name__)

SIGN_OF_LIFE_SECONDS = 10
RECHECK_SECONDS = 24 * 3600
RETRY_SECONDS = 120
SCORER_THREADS = 1  # it works beside the generator, and one image at a time gains nothing from more


@dataclass
class Station:
    """One worker process at work."""

    name: str
    slot: int
    drivers: Drivers
    scorer: ScorerProcess
    gpu: int | None = None
    _obstacle: str = ""
    _locks: tuple[FileLock | None, ...] = ()
    _checked_at: float = field(default_factory=time.monotonic)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def driver_for(self, work: Assignment) -> Driver:
        """Return the driver that may run this archive; a sandbox for everything that we do not ship ourselves.

        Raises:
            SandboxUnavailable: none may.
        """
        if self.drivers.sandbox is not None:
            return self.drivers.sandbox
        if work.is_shipped:
            return self.drivers.process
        if settings.ALLOW_PROCESS_DRIVER and all(pair.split == "public" for pair in work.pairs):
            return self.drivers.process
        raise SandboxUnavailable(self.drivers.reason, fix=self.drivers.advice)

    @property
    def can_run_untrusted(self) -> bool:
        """Say whether strangers' generators may run here."""
        return self.drivers.sandbox is not None or settings.ALLOW_PROCESS_DRIVER

    def ability(self) -> Ability:
        """Say what this worker offers to runs."""
        sandbox = self.drivers.sandbox
        driver: Driver = sandbox or self.drivers.process
        return Ability(
            driver=driver.name,
            can_run_untrusted=self.can_run_untrusted,
            devices=("cpu",) if self.gpu is None else ("cpu", "cuda"),
            memory_mb=settings.WORKER_MEMORY_MB,
            obstacle=self._obstacle,
            details=driver.describe(),
            reason="" if sandbox else self.drivers.reason,
            advice="" if sandbox else self.drivers.advice,
        )

    def recheck(self) -> None:
        """Try the sandbox out again: daily, at once after a fault of ours, every few minutes where there is none.

        A worker whose sandbox has broken takes no more untrusted work; one that gets a sandbox begins to.
        """
        patience = RECHECK_SECONDS if self.drivers.sandbox is not None else RETRY_SECONDS
        if time.monotonic() - self._checked_at > patience:
            self.drivers = choose_drivers(self.slot, self.gpu)
            self._checked_at = time.monotonic()
            registry.register_worker(name=self.name, ability=self.ability())

    def obstacle(self) -> str:
        """Say why this worker can take no work at all now, or nothing; the status page shows it."""
        found = room_problem(settings.WORKER_DIR, 0)
        if found != self._obstacle:
            self._obstacle = found
            registry.register_worker(name=self.name, ability=self.ability())
        return found

    def rest(self) -> None:
        """Give back what grew while a run was evaluated."""
        self.scorer.rest()
        trim(settings.WORKER_DIR)

    def distrust(self) -> None:
        """Have the sandbox tried out before the next run."""
        self._checked_at = -math.inf

    def start(self) -> None:
        """Register, take back what silent workers left, and begin to show signs of life."""
        registry.register_worker(name=self.name, ability=self.ability())
        runs.reap()
        threading.Thread(target=self._show_life, name="sign-of-life", daemon=True).start()

    def stop(self) -> None:
        """Leave in order."""
        self._stopping.set()
        self.scorer.stop()
        registry.forget_worker(name=self.name)

    def _show_life(self) -> None:
        while not self._stopping.wait(SIGN_OF_LIFE_SECONDS):
            try:
                registry.see_worker(name=self.name)
            except Error as error:
                logger.warning("no sign of life: %s", error)
            finally:
                connection.close()


@cache
def station() -> Station:
    """Return this process's station, made and started at first use."""
    slot, lock = take_slot(settings.WORKER_SLOT)
    gpu, gpu_lock = take_gpu(settings.GPUS)
    made = Station(
        name=f"{socket.gethostname()}-{slot}",
        slot=slot,
        drivers=choose_drivers(slot, gpu),
        scorer=ScorerProcess(
            threads=SCORER_THREADS,
            cache_dir=settings.WORKER_DIR / "features",
            weights_dir=settings.WEIGHTS_DIR,
            memory_mb=settings.SCORER_MEMORY_MB,
        ),
        gpu=gpu,
        _locks=(lock, gpu_lock),
    )
    made.start()
    metrics.serve(slot)
    return made
