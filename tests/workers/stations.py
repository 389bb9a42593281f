"""Workers of this very process, on real runners and a real scorer, for the tests of the pipeline."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.models import Team, User
from competitions.models import Phase, Run, Submission
from competitions.services import queue
from competitions.services.runs import Claim
from competitions.services.submissions import Upload, create_submission
from competitions.services.workers import Ability
from evaluation.generation.process import ProcessDriver
from workers import pipeline
from workers.drivers import Drivers
from workers.scorer import ScorerProcess
from workers.station import Station

BARE = Ability("test", False)

SWAP = """
import sys
class Model:
    def __init__(self, bundle_dir, device):
        print("loading", file=sys.stderr)
    def stylize(self, content, style):
        print("a pair", file=sys.stderr)
        return (content // 2 + style // 2)
"""


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScorerProcess]:
    """A warm scorer for all tests of this file."""
    made = ScorerProcess(threads=1, cache_dir=tmp_path_factory.mktemp("features"))
    yield made
    made.stop()


def make_station(scorer: ScorerProcess, name: str = "station") -> Station:
    """Make a station without a sandbox."""
    return Station(name, 0, Drivers(None, ProcessDriver(), "no sandbox in this test", "none"), scorer)


@pytest.fixture
def here(scorer: ScorerProcess) -> Station:
    """A station of this very process, without a sandbox."""
    return make_station(scorer)


@pytest.fixture
def submit(
    phase: Phase, team: Team, researcher: User, make_archive: Callable[..., Path]
) -> Callable[..., Run]:
    """Return a function that submits a generator as one of the project's own and returns its run."""

    def send(code: str = SWAP, **changes: object) -> Run:
        path = make_archive(code=code, **changes)
        with path.open("rb") as content:
            upload = Upload(content=content, size=path.stat().st_size, allow_duplicate=True)
            submission = create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=upload)
        Submission.objects.filter(pk=submission.pk).update(is_shipped=True)
        submission.runs.update(needs_sandbox=False)
        return submission.runs.get()

    return send


def claim(here: Station) -> Claim:
    """Claim the next run."""
    held = queue.claim(worker=here.name, ability=BARE)
    assert held is not None
    return held


def evaluate(here: Station) -> None:
    """Claim the next run and take it through the pipeline."""
    pipeline.run(claim(here), here)
