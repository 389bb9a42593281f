"""Many pictures pushed from a terminal, with real services: who waits outlives the web server and hears of a loss."""

import json
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.conftest import write_dataset
from tests.walks.conftest import PASTICHE, Command, at_home
from tests.walks.house import House, house
from tests.walks.test_data_surveys import FORGET, pictures, read

pytestmark = pytest.mark.walk
TOML = """schema = 1

[competition]
slug = "waves"
title = "Waves"

[task]
suite = "sts-demo-2"
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[House]:
    """A house in which nobody looks at pictures yet."""
    with house(tmp_path / "house", write_dataset(tmp_path / "dataset", size=256)) as made:
        made.start("web")
        yield made


def test_who_pushes_many_pictures_waits_for_the_report_whatever_happens(
    running: House, pastiche: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    with zipfile.ZipFile(BytesIO(pictures())) as packed:
        packed.extractall(folder / "pictures")
        n_files = len(packed.namelist())
    (folder / "competition.toml").write_text(TOML, encoding="utf-8")
    pastiche(
        *("login", "--server", running.address, "--username", "organizer", "--organize"),
        typed="a long password 2\n",
    )
    assert json.loads(pastiche("competition", "import", str(folder), "--json"))["is_new"]

    command = ("dataset", "push", str(folder / "pictures"), "--competition", "waves", "--every", "0.2")
    with subprocess.Popen(
        [*PASTICHE, *command], env=at_home(running, tmp_path / "home"), stderr=subprocess.PIPE, text=True
    ) as first:
        running.until(lambda: read(running)[0] == "waiting")
        running.stop("web")
        assert first.stderr is not None
        assert any("Trying again." in line for line in first.stderr)
        running.start("web", "intake")
        running.until(lambda: bool(read(running)[1]))
        running.stop("intake", how=signal.SIGKILL)
        assert first.poll() is None
        running.manage("shell", "--command", FORGET)
        told = first.stderr.read()
    assert (first.returncode, "WORKER_LOST" in told) == (6, True), told
    assert json.loads(pastiche("dataset", "status", "waves", "--json"))["survey"]["is_lost"]

    running.start("intake")
    report = json.loads(pastiche(*command, "--json"))
    assert (report["n_files"], report["is_fatal"]) == (n_files - 2, False)
    assert read(running)[0] is None
