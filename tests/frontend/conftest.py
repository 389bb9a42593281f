"""Give the tests of this room the fixtures that need Django, and the translations that `./run` compiles."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from competitions.models import Run, Submission
from competitions.rules import RunState
from competitions.services import queue, results, runs
from competitions.services.workers import Ability
from evaluation.images import write_png
from frontend.translations import compile_catalogues
from tests.api_fixtures import *  # noqa: F403
from tests.api_fixtures import pairs_of
from tests.conftest import smooth_image
from tests.django_fixtures import *  # noqa: F403
from tests.progress import report_progress


@pytest.fixture(scope="session", autouse=True)
def compiled_translations() -> None:
    """Compile the catalogues before the first page is read."""
    compile_catalogues()


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Begin and end each test in English: a request leaves its language behind in the thread."""
    with override("en"):
        yield


@pytest.fixture
def generating(submission: Submission, tmp_path: Path) -> Run:
    """The run of the submission under way: a worker has it, one public output and two pieces of log are there."""
    held = queue.claim(worker="worker-1", ability=Ability("test", True))
    assert held is not None
    for stage in (RunState.LOADING, RunState.GENERATING):
        runs.advance(held, stage)
    path = tmp_path / "first-output.png"
    write_png(smooth_image(7), path)
    shard = report_progress(held, 1)
    results.store_output(shard, pair=pairs_of(submission, "public")[0].name, path=path, seconds=0.5)
    results.append_log(held, text="loading <weights>\n", is_withheld=False)
    results.append_log(held, text="secret of the hidden pair\n", is_withheld=True)
    return Run.objects.get(pk=held.run_id)
