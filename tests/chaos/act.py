"""One day of the contest, with faults or without: submit, disturb, wait, judge. Started by `stage.perform`."""

import hashlib
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from competitions.storage import save_file
from tests.chaos.boards import read_outcome
from tests.chaos.contest import Submitter, set_up
from tests.chaos.entries import TEAMS, draw_entries
from tests.chaos.faults import Scene
from tests.chaos.house import House, make_scheduler, make_worker, running, worker_name
from tests.chaos.leftovers import age_unfinished, find_leftovers, find_mounts
from tests.chaos.oddities import can_set_clocks, small_disk, wrong_clock
from tests.chaos.plan import KINDS, Fault, draw_faults
from tests.chaos.stage import Places, Report, write_report
from tests.chaos.verdict import Verdict, judge
from tests.chaos.watch import count_ended, count_live, count_promised
from tests.servers import running_postgres, running_redis

RECOVERY_SECONDS = 120
STANDSTILL_SECONDS = 120  # where no run has ended for so long, the day is lost, and is brought to its end
HANDS = 6
TRIES = 3
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Script:
    """How many entries, how many faults, which of them, how many workers."""

    runs: int
    faults: int
    seed: int
    workers: int


def main(places: Places, **script: int) -> None:
    """Play an act and leave its report."""
    write_report(places, _play(places, Script(**script)))


def _play(places: Places, script: Script) -> Report:
    folder = Path(places.folder)
    with _scene(places, script) as scene:
        submitter = Submitter(
            set_up(folder, teams=TEAMS), draw_entries(script.runs, seed=script.seed), folder
        )
        submitter.start()
        report = _go_through(script, scene, submitter)
        submitter.stop()
        scene.house.stop()
        findings = asdict(_judge(script, folder)) | {
            "leftovers": find_leftovers(folder, workers=script.workers, pids=scene.house.seen),
            "complaints": scene.house.complaints + [repr(error) for error in submitter.failures],
        }
        outcome = read_outcome()
    findings["leftovers"] += find_mounts(folder)
    return report | {"findings": findings, "outcome": outcome}


def _go_through(script: Script, scene: Scene, submitter: Submitter) -> dict[str, object]:
    """Let the day pass and say what was caused, how long it took, and how long the house then needed to recover."""
    began = time.monotonic()
    caused = _disturb(scene, _faults(script, scene))
    if not script.faults:
        _await_ended(script.runs)
    disturbed = time.monotonic()
    _await_rest(submitter)
    rested = time.monotonic()
    return {
        "caused": [asdict(fault) for fault in caused],
        "seconds": round(rested - began, 1),
        "recovered_in_seconds": round(rested - disturbed, 1),
        "clock_hours": scene.clock_hours,
    }


@contextmanager
def _scene(places: Places, script: Script) -> Iterator[Scene]:
    """Start servers and house; where there are faults, one worker has a small disk and one a wrong clock."""
    folder, is_disturbed = Path(places.folder), script.faults > 0
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(places.postgres_port))
        redis = stack.enter_context(running_redis(places.redis_port))
        call_command("migrate", verbosity=0)
        stack.callback(connection.close)
        disk = stack.enter_context(small_disk(folder / worker_name(0))) if is_disturbed else None
        shared = dict(os.environ)
        workers = [make_worker(number, shared, folder) for number in range(script.workers)]
        hours = (-1, 1)[script.seed % 2] if is_disturbed and can_set_clocks() else 0
        if hours:
            workers[-1].environment |= wrong_clock(folder / "clock", hours, path=shared["PYTHONPATH"])
        house = stack.enter_context(running(House(workers, make_scheduler(shared, folder))))
        yield Scene(house, postgres, redis, settings.LEASE_SECONDS, disk, hours)


def _faults(script: Script, scene: Scene) -> list[Fault]:
    kinds = [kind for kind in KINDS if kind != "fill-disk" or scene.small_disk is not None]
    if script.faults and len(kinds) < len(KINDS):
        _say("no disk is filled: only root can mount a small one")
    if script.faults and not scene.clock_hours:
        _say("no clock is wrong: the package time-machine is not installed")
    return draw_faults(script.faults, runs=script.runs, workers=script.workers, seed=script.seed, kinds=kinds)


def _disturb(scene: Scene, faults: Sequence[Fault]) -> list[Fault]:
    """Cause each fault when it is due, and return those that came about."""
    with ThreadPoolExecutor(HANDS, thread_name_prefix="hand") as hands:
        under_way = []
        for fault in faults:
            if not _await_ended(fault.after):
                break
            under_way.append((fault, hands.submit(_cause, scene, fault)))
        return [fault for fault, done in under_way if done.result()]


def _cause(scene: Scene, fault: Fault) -> bool:
    """Cause a fault; where what it is to hit is not there in time, try the next worker."""
    try:
        workers = len(scene.house.workers)
        tries = (replace(fault, worker=(fault.worker + n) % workers) for n in range(TRIES))
        came_about = any(scene.cause(chosen) for chosen in tries)
        _say(
            f"{fault.after:5d} ended  {fault.kind} {fault.aim}{'' if came_about else ': did not come about'}"
        )
        return came_about
    finally:
        connection.close()


def _await_ended(runs: int) -> bool:
    """Wait until so many runs have ended; give up at a standstill, and say which it was."""
    ended, since = -1, time.monotonic()
    while (now := count_ended()) < runs:
        if now > ended:
            ended, since = now, time.monotonic()
        if time.monotonic() - since > STANDSTILL_SECONDS:
            _say(f"standstill: for {STANDSTILL_SECONDS} s no run has ended")
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _await_rest(submitter: Submitter) -> None:
    """Wait until everything is submitted, ended, and done as promised; two minutes must do."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while submitter.is_alive() or count_live() or count_promised():
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_SECONDS)


def _judge(script: Script, folder: Path) -> Verdict:
    """Judge what is left after the storage has had its next writer, who sweeps up after writers that were killed."""
    age_unfinished(folder / "data" / "artifacts")
    content = b"the last file of the day"
    save_file(hashlib.sha256(content).hexdigest(), len(content), io.BytesIO(content))
    return judge(draw_entries(script.runs, seed=script.seed))


def _say(sentence: str) -> None:
    """Tell whoever watches; the time of day leads to the place in the services' logs."""
    print(time.strftime("%H:%M:%S"), sentence, file=sys.stderr, flush=True)
