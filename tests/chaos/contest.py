"""The contest of the day: small pictures, two phases, forty teams, and somebody who submits for all of them."""

import contextlib
import dataclasses
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.services import create_user
from competitions.errors import DuplicateSubmission
from competitions.models import Phase
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from competitions.services.datasets import import_dataset
from competitions.services.submissions import Upload, create_submission
from evaluation.images import read_rgb
from evaluation.pairs import read_pairs
from evaluation.spec import load_suite
from tests.chaos.entries import PHASES, Entry, pack
from tests.chaos.watch import count_live, patiently
from tests.conftest import SIZE, write_dataset

HIDDEN = (2, 3)  # contents crossed with styles: with two public ones, eight pairs
AHEAD = 12  # as many runs may wait or go on before the next entry is submitted
PAIR_PAUSE_SECONDS = 0.05  # a generator takes its time, so that it can be met at work
LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Contest:
    """Phases by name, users by team number, and the content image at which some generators crash."""

    phases: dict[str, Phase]
    users: list[User]
    crashes_on: int


def set_up(folder: Path, *, teams: int) -> Contest:
    """Make dataset, teams and phases in an empty database."""
    dataset = write_dataset(folder / "dataset", hidden=HIDDEN)
    organizer = create_user(username="organizer", password=None)
    version = import_dataset(folder=dataset, slug="small", title="Small pairs")
    competition = create_competition(
        slug="small", title="Small waves", summary="", description="", organizer=organizer
    )
    suite = dataclasses.replace(load_suite("sts-demo-1"), name="sts-small", size=SIZE)
    now = timezone.now()
    phases = {}
    for name in PHASES:
        window = (now - timedelta(days=1), now + timedelta(days=2))
        plan = PhasePlan(name, name, *window, runs_per_day=100, memory_mb=1024, counting=name)
        phases[name] = create_phase(competition=competition, plan=plan, dataset_version=version, suite=suite)
    publish(competition=competition)
    users = [create_user(username=f"team-{number:02d}", password=None) for number in range(teams)]
    hidden = next(pair for pair in read_pairs(dataset) if pair.split == "hidden")
    return Contest(phases, users, int(read_rgb(hidden.content).sum()))


class Submitter(threading.Thread):
    """Hands in one entry after the other, while few others wait; a server that is away is waited for."""

    def __init__(self, contest: Contest, entries: Sequence[Entry], folder: Path) -> None:
        """Prepare to submit these entries in their order."""
        super().__init__(name="submitter", daemon=True)
        self.failures: list[Exception] = []
        self._contest = contest
        self._entries = entries
        self._folder = folder
        self._stopping = threading.Event()

    def run(self) -> None:
        """Submit until all are in, or it is told to stop."""
        try:
            for entry in self._entries:
                while count_live() >= AHEAD and not self._stopping.wait(LOOK_SECONDS):
                    pass
                if self._stopping.is_set():
                    return
                submit(self._contest, entry, self._folder)
        except Exception as error:
            self.failures.append(error)
        finally:
            connection.close()

    def stop(self) -> None:
        """Submit no more."""
        self._stopping.set()
        self.join()


def submit(contest: Contest, entry: Entry, folder: Path) -> None:
    """Submit an entry; where the connection breaks at the commit, the second try finds out what came of it."""
    user = contest.users[entry.team]
    path = pack(entry, folder, crashes_on=contest.crashes_on, pause=PAIR_PAUSE_SECONDS)

    def send() -> None:
        with path.open("rb") as content:
            upload = Upload(content=content, size=path.stat().st_size)
            create_submission(
                phase_pk=contest.phases[entry.phase].pk, team=user.teams.get(), user=user, upload=upload
            )

    with contextlib.suppress(DuplicateSubmission):
        patiently(send)
    path.unlink()
