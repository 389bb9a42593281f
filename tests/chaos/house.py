"""The house that is disturbed: workers and a scheduler as processes of their own, started again when they die."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from config.launch import CELERY

ROOT = Path(__file__).resolve().parents[2]
SCHEDULER = "scheduler"
FIRST_SLOT, SLOTS_EACH = 500, 10  # far from the slots of whatever else runs on this machine
PAUSE_SECONDS = 0.7  # a supervisor does not start a service in the same moment in which it died
STOP_SECONDS = 60
LOOK_SECONDS = 0.2


def environment(folder: Path, *, database: str, broker: str, **changes: str) -> dict[str, str]:
    """Return the environment of an act and its services; nothing of it lies outside the folder."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "OMP_NUM_THREADS": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PASTICHE_DATA_DIR": str(folder / "data"),
        "PASTICHE_SECRET_KEY": "only for this day, but long enough to be taken for a key",
        "PASTICHE_DATABASE_URL": database,
        "PASTICHE_BROKER_URL": broker,
        "PASTICHE_LEASE_SECONDS": "7",
        "PASTICHE_SWEEP_SECONDS": "1",
        "PASTICHE_RETRY_SECONDS": "1",
        "PASTICHE_MAX_ATTEMPTS": "10",
        "PASTICHE_THREADS": "1",
        "PASTICHE_WORKER_MIN_FREE_MB": "8",
    } | changes


@dataclass
class Service:
    """A process that is to run, and the files and settings that only it has."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: psutil.Popen | None = None
    died_at: float | None = None

    def start(self) -> None:
        """Start it as the leader of a session of its own."""
        with self.log.open("ab") as log:
            self.process = psutil.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.died_at = None

    @property
    def is_running(self) -> bool:
        """Say whether its first process lives."""
        return self.process is not None and self.process.poll() is None


def worker_name(number: int) -> str:
    """Return the name of a worker's service."""
    return f"worker-{number}"


def make_worker(number: int, shared: dict[str, str], folder: Path, **changes: str) -> Service:
    """Describe a worker with a disk, slots and name of its own."""
    own = _places(folder) | {
        "PASTICHE_WORKER_DIR": str(folder / worker_name(number)),
        "PASTICHE_WORKER_SLOT": str(FIRST_SLOT + SLOTS_EACH * number),
    }
    command = _celery("-Q", "evaluation", "-c", "1", "-P", "prefork", "-n", f"{worker_name(number)}@chaos")
    log = folder / f"{worker_name(number)}.log"
    return Service(worker_name(number), command, shared | own | changes, log)


def make_scheduler(shared: dict[str, str], folder: Path) -> Service:
    """Describe the scheduler."""
    command = _celery("-B", "-Q", "upkeep", "-P", "solo", "-n", "upkeep@chaos")
    return Service(SCHEDULER, command, shared | _places(folder), folder / f"{SCHEDULER}.log")


def number_of(station: str) -> int | None:
    """Return the number of the worker that works under this name, None where it is none of ours."""
    host, _, slot = station.rpartition("-")
    if host != socket.gethostname() or not slot.isdigit() or int(slot) < FIRST_SLOT:
        return None
    return (int(slot) - FIRST_SLOT) // SLOTS_EACH


@dataclass
class House:
    """All services, and the supervisor that starts again what has ended."""

    workers: list[Service]
    scheduler: Service
    seen: set[int] = field(default_factory=set)  # every process that was a service or a service's child
    complaints: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _supervisor: threading.Thread | None = None

    @property
    def services(self) -> list[Service]:
        """List all of them."""
        return [*self.workers, self.scheduler]

    def start(self) -> None:
        """Start all services, and begin to watch over them."""
        for service in self.services:
            service.start()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._supervisor.start()

    def stop(self) -> None:
        """Stop all services in order, as an operator would; what does not stop is complained about and killed."""
        self._stopping.set()
        if self._supervisor is not None:
            self._supervisor.join()
        running = [service for service in self.services if service.is_running]
        for service in running:
            assert service.process is not None
            service.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for service in running:
            self._await_end(service, deadline)

    def evaluating(self, service: Service) -> psutil.Process | None:
        """Return the process of a worker that evaluates runs, None while there is none."""
        return next(iter(_children(service.process)), None)

    def scorer(self, service: Service) -> psutil.Process | None:
        """Return a worker's warm scorer, None while there is none."""
        return next((child for child in self._helpers(service) if _is_scorer(child)), None)

    def sandbox(self, service: Service) -> psutil.Process | None:
        """Return the outermost process of a worker's sandbox, None while there is none."""
        return next((child for child in self._helpers(service) if not _is_scorer(child)), None)

    def _helpers(self, service: Service) -> list[psutil.Process]:
        return _children(self.evaluating(service))

    def _supervise(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            for service in self.services:
                self._look_after(service)

    def _look_after(self, service: Service) -> None:
        if service.is_running:
            assert service.process is not None
            self.seen |= {service.process.pid, *(child.pid for child in _children(service.process))}
        elif service.died_at is None:
            service.died_at = time.monotonic()
        elif time.monotonic() - service.died_at > PAUSE_SECONDS:
            service.start()

    def _await_end(self, service: Service, deadline: float) -> None:
        assert service.process is not None
        try:
            service.process.wait(max(0.1, deadline - time.monotonic()))
        except psutil.TimeoutExpired:
            self.complaints.append(f"{service.name} did not stop within {STOP_SECONDS} s of SIGTERM")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(service.process.pid, signal.SIGKILL)


@contextlib.contextmanager
def running(house: House) -> Iterator[House]:
    """Keep a house running, and stop it in any case."""
    house.start()
    try:
        yield house
    finally:
        house.stop()


def _children(process: psutil.Process | None) -> list[psutil.Process]:
    if process is None:
        return []
    try:
        return list(process.children())
    except psutil.NoSuchProcess:
        return []


def _is_scorer(process: psutil.Process) -> bool:
    try:
        return "scorer" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _places(folder: Path) -> dict[str, str]:
    """Return the home of all services, by which even a scorer is known as ours, and their place for what passes."""
    return {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *CELERY.split(), *arguments]
