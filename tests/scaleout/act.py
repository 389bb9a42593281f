"""Measurements on a house of some workers, each in a process of its own that `tests.chaos.stage.play` starts."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import psutil
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.services import create_user
from competitions.models import Competition, Phase, Run, RunOutput, Worker
from competitions.rules import END_STATES, RunState
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from competitions.services.datasets import import_dataset
from competitions.services.submissions import Upload, create_submission
from evaluation.spec import load_suite
from tests.chaos.house import House, make_scheduler, make_worker, running
from tests.chaos.stage import Places, Report, write_report
from tests.conftest import SIZE, python_archive, write_dataset
from tests.servers import running_postgres, running_redis

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 600

CODE = """
import time


class Model:
    def __init__(self, bundle_dir, device):
        pass

    def stylize(self, content, style):
        time.sleep({pause})
        return (content * {weight} + style * (1 - {weight})).round().astype("uint8")
"""


@dataclasses.dataclass
class Field:
    """A running house with a competition, for whose phases somebody submits."""

    folder: Path
    house: House
    competition: Competition
    submitted: int = 0

    def add_phase(self, name: str, hidden: tuple[int, int]) -> Phase:
        """Open a phase with two public pairs and these hidden contents crossed with styles."""
        dataset = write_dataset(self.folder / name, hidden=hidden)
        version = import_dataset(folder=dataset, slug=name, title=name)
        suite = dataclasses.replace(load_suite("sts-demo-1"), name="sts-small", size=SIZE)
        window = (timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=1))
        plan = PhasePlan(name, name, *window, runs_per_day=1000, memory_mb=1024)
        return create_phase(competition=self.competition, plan=plan, dataset_version=version, suite=suite)

    def submit(self, phase: Phase, *, pause: float) -> Run:
        """Submit a generator that sleeps so long at each pair, as a team of its own."""
        self.submitted += 1
        user = create_user(username=f"team-{self.submitted}", password=None)
        code = CODE.format(pause=pause, weight=round(0.2 + self.submitted / 1000, 4))
        path = python_archive(self.folder / f"sleeper-{self.submitted}.zip", code)
        with path.open("rb") as content:
            upload = Upload(content=content, size=path.stat().st_size)
            team = user.teams.get()
            return create_submission(phase_pk=phase.pk, team=team, user=user, upload=upload).runs.get()

    def scorer_seconds(self) -> float:
        """Return how much processor time the warm scorer of the first worker has used."""
        scorer = self.house.scorer(self.house.workers[0])
        used = scorer.cpu_times() if scorer is not None else psutil.Process().cpu_times()
        return float(used.user + used.system)


def main(places: Places, *, what: str, **options: float) -> None:
    """Measure one thing and leave the report."""
    write_report(places, MEASUREMENTS[what](places, **options))


def measure_throughput(places: Places, *, workers: int, rounds: int, pairs: int, pause: float) -> Report:
    """Have every worker evaluate as many runs, warm, and report how long that took."""
    with _field(places, workers) as field:
        phase = field.add_phase("whole", (1, pairs - 2))
        _warm_up(field, phase, workers)
        began = time.monotonic()
        _await_scored([field.submit(phase, pause=pause) for _ in range(rounds * workers)])
        seconds = time.monotonic() - began
    return {"seconds": seconds}


def measure_shards(places: Places, *, workers: int, pairs: int, pause: float) -> Report:
    """Have all workers evaluate one run together, warm, and report how long that took."""
    with _field(places, workers) as field:
        phase = field.add_phase("shared", (1, pairs - 2))
        _warm_up(field, phase, workers)
        began = time.monotonic()
        run = field.submit(phase, pause=pause)
        _await_scored([run])
        seconds = time.monotonic() - began
        run.refresh_from_db()
        helpers = {part["worker"] for part in run.manifest["shards"]}
    return {"seconds": seconds, "workers": len(helpers)}


def measure_overhead(places: Places, *, runs: int, long_runs: int, pause: float) -> Report:
    """Evaluate runs one after the other, warm, and report for each what was spent on what."""
    with _field(places, 1) as field:
        short, long = field.add_phase("short", (2, 3)), field.add_phase("long", (2, 23))
        for phase in (short, long):
            _warm_up(field, phase, 1)
        return {
            "short": [_spent(field, short, pause=0.0) for _ in range(runs)],
            "long": [_spent(field, long, pause=pause) for _ in range(long_runs)],
        }


MEASUREMENTS: dict[str, Callable[..., Report]] = {
    "throughput": measure_throughput,
    "shards": measure_shards,
    "overhead": measure_overhead,
}


def _spent(field: Field, phase: Phase, *, pause: float) -> dict[str, float]:
    """Return the seconds from submission to score, and in them those of the generator and of the scorer.

    What the generator took for the pairs of the replay is stored nowhere: as much as for other pairs.
    """
    before, began = field.scorer_seconds(), time.monotonic()
    run = field.submit(phase, pause=pause)
    _await_scored([run])
    seconds = time.monotonic() - began
    stored = RunOutput.objects.filter(run=run).aggregate(total=Sum("seconds"))["total"]
    generator = stored * (1 + settings.REPLAY_PAIRS / run.pairs_total)
    return {"seconds": seconds, "generator": generator, "scorer": field.scorer_seconds() - before}


@contextmanager
def _field(places: Places, workers: int) -> Iterator[Field]:
    folder = Path(places.folder)
    with ExitStack() as stack:
        stack.enter_context(running_postgres(places.postgres_port))
        stack.enter_context(running_redis(places.redis_port))
        call_command("migrate", verbosity=0)
        stack.callback(connection.close)
        shared = dict(os.environ)
        services = [make_worker(number, shared, folder) for number in range(workers)]
        house = stack.enter_context(running(House(services, make_scheduler(shared, folder))))
        _until(lambda: Worker.objects.count() == workers)
        organizer = create_user(username="organizer", password=None)
        competition = create_competition(
            slug="sleepers", title="Sleepers", summary="", description="", organizer=organizer
        )
        yield Field(folder, house, publish(competition=competition))


def _warm_up(field: Field, phase: Phase, workers: int) -> None:
    """Have every worker load its scorer, the dataset and the suite."""
    while True:
        _await_scored([field.submit(phase, pause=0.5) for _ in range(2 * workers)])
        if all(field.house.scorer(service) for service in field.house.workers):
            return


def _await_scored(runs: Sequence[Run]) -> None:
    """Wait until all of these runs have ended, which must be by scores."""
    rows = Run.objects.filter(pk__in=[run.pk for run in runs])
    _until(lambda: not rows.exclude(state__in=END_STATES).exists())
    failed = [
        f"{run}: {run.failure_code} {run.failure_detail}" for run in rows.exclude(state=RunState.SCORED)
    ]
    if failed:
        raise RuntimeError("; ".join(failed))


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come about")
        time.sleep(LOOK_SECONDS)
