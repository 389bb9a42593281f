"""How each fault is caused. Nothing is ended that the harness did not start."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis
from celery import current_app
from kombu.exceptions import OperationalError

from competitions.dispatch import nudge_workers
from tests.chaos.house import House, Service
from tests.chaos.plan import ANY, Fault
from tests.chaos.watch import await_stage
from tests.servers import FAST, IMMEDIATE, PostgresServer, RedisServer

AIM_SECONDS = 15.0
VICTIM_SECONDS = 2.0
BROKER_SECONDS = 10.0
DUPLICATES, DELAYED = 50, 5
EVALUATE = "workers.tasks.evaluate"


@dataclass
class Scene:
    """Everything that can be disturbed.

    `small_disk` is the first worker's, `clock_hours` how far the last worker's clock is ahead.
    """

    house: House
    postgres: PostgresServer
    redis: RedisServer
    lease_seconds: int
    small_disk: Path | None
    clock_hours: int
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def cause(self, fault: Fault) -> bool:
        """Cause a fault, wait until what it disturbed is free again, and say whether it came about."""
        with self._lock_of(fault.kind):
            return _CAUSES[fault.kind](self, fault)

    def _lock_of(self, kind: str) -> threading.Lock:
        """One server is restarted, and one disk filled, once at a time."""
        return self._locks.setdefault("-".join(kind.split("-")[:2]), threading.Lock())


Find = Callable[[House, Service], psutil.Process | None]


def _first(_house: House, service: Service) -> psutil.Process | None:
    return service.process


def _kill(find: Find) -> Callable[[Scene, Fault], bool]:
    """Kill a process of the worker that the fault is aimed at; where it has none just now, of the next one."""

    def cause(scene: Scene, fault: Fault) -> bool:
        deadline = time.monotonic() + AIM_SECONDS
        while time.monotonic() < deadline:
            service = _target(scene, fault)
            victim = _await_victim(lambda service=service: find(scene.house, service))  # type: ignore[misc]
            if victim is None:
                continue
            time.sleep(fault.delay)
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
                return True
        return False

    return cause


def _target(scene: Scene, fault: Fault) -> Service:
    """Return the worker whose run enters the stage that is aimed at, or the one that was drawn."""
    number = None if fault.aim == ANY else await_stage(fault.aim, seconds=AIM_SECONDS)
    return scene.house.workers[fault.worker if number is None else number]


def _await_victim(find: Callable[[], psutil.Process | None]) -> psutil.Process | None:
    deadline = time.monotonic() + VICTIM_SECONDS
    while (victim := find()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return victim


def _kill_scheduler(scene: Scene, _fault: Fault) -> bool:
    process = scene.house.scheduler.process
    if process is None or process.poll() is not None:
        return False
    process.kill()
    return True


def _drain(scene: Scene, fault: Fault) -> bool:
    """Tell a worker to stop, as a supervisor does: all of its process group at once."""
    service = _target(scene, fault)
    time.sleep(fault.delay)
    process = service.process
    if process is None or process.poll() is not None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(AIM_SECONDS)
    except psutil.TimeoutExpired:
        scene.house.complaints.append(f"{service.name} did not stop within {AIM_SECONDS:.0f} s of SIGTERM")
        process.kill()
    return True


def _freeze(scene: Scene, fault: Fault) -> bool:
    """Stop all processes of a worker for longer than its leases last, then let them go on."""
    service = _target(scene, fault)
    time.sleep(fault.delay)
    if service.process is None:
        return False
    stopped: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [service.process, *service.process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
                stopped.append(process)
    time.sleep(scene.lease_seconds + fault.seconds)
    for process in stopped:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()
    return bool(stopped)


def _fill_disk(scene: Scene, fault: Fault) -> bool:
    """Leave no room on the small disk, and free it after some seconds."""
    if scene.small_disk is None:
        return False
    if fault.aim != ANY:
        await_stage(fault.aim, seconds=AIM_SECONDS)
    ballast = scene.small_disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(2**16)):
                pass
        time.sleep(2 + fault.seconds)
    finally:
        ballast.unlink()
    return True


def _flush_redis(scene: Scene, _fault: Fault) -> bool:
    return _to_broker(lambda: redis.Redis.from_url(scene.redis.address).flushall())


def _restart_redis(scene: Scene, fault: Fault) -> bool:
    scene.redis.restart(signal.SIGKILL, pause=fault.seconds)
    return True


def _restart_postgres(how: signal.Signals) -> Callable[[Scene, Fault], bool]:
    def cause(scene: Scene, fault: Fault) -> bool:
        if fault.aim != ANY:
            await_stage(fault.aim, seconds=AIM_SECONDS)
        time.sleep(fault.delay)
        scene.postgres.restart(how, pause=fault.seconds)
        return True

    return cause


def _duplicate_nudges(_scene: Scene, _fault: Fault) -> bool:
    def send() -> None:
        for _ in range(DUPLICATES):
            nudge_workers()

    return _to_broker(send)


def _delay_nudges(_scene: Scene, fault: Fault) -> bool:
    def send() -> None:
        for number in range(DELAYED):
            current_app.send_task(EVALUATE, countdown=fault.seconds * (1 + number))

    return _to_broker(send)


def _to_broker(send: Callable[[], object]) -> bool:
    """Send something to the broker as soon as it is up."""
    deadline = time.monotonic() + BROKER_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OperationalError, redis.RedisError):
            send()
            return True
        time.sleep(0.2)
    return False


_CAUSES: dict[str, Callable[[Scene, Fault], bool]] = {
    "kill-parent": _kill(_first),
    "kill-child": _kill(House.evaluating),
    "kill-scorer": _kill(House.scorer),
    "kill-sandbox": _kill(House.sandbox),
    "kill-scheduler": _kill_scheduler,
    "drain": _drain,
    "freeze": _freeze,
    "fill-disk": _fill_disk,
    "flush-redis": _flush_redis,
    "restart-redis": _restart_redis,
    "restart-postgres-fast": _restart_postgres(FAST),
    "restart-postgres-immediate": _restart_postgres(IMMEDIATE),
    "duplicate-nudges": _duplicate_nudges,
    "delay-nudges": _delay_nudges,
}
