"""From nothing to a trained generator on the board, by the documented commands, through the real line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import write_dataset
from tests.walks.house import ROOT, House, house

pytestmark = [
    pytest.mark.walk,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[House]:
    """A running house with one small competition."""
    with house(tmp_path / "house", write_dataset(tmp_path / "dataset", size=256)) as made:
        made.start("web", "worker", "scheduler")
        yield made


def baselines(*arguments: str) -> dict[str, object]:
    """Run a command of the baselines and return what it prints."""
    command = [sys.executable, "-m", "baselines", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (found,) = [json.loads(done.stdout)] if done.stdout.lstrip().startswith("{") else json.loads(done.stdout)
    return dict(found)


def test_a_generator_is_trained_exported_submitted_and_ranked(
    running: House, pastiche: Callable[..., str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    small = ("--steps", "20", "--batch", "1", "--size", "64", "--threads", "1")
    trained = baselines("train", "cgan_ls", "--out", str(run), *small)
    assert (trained["name"], trained["steps"]) == ("cgan_ls", 20)
    archive = str(baselines("export", "cgan_ls", "--run", str(run), "--out", str(tmp_path / "dist"))["path"])

    pastiche("login", "--server", running.address, "--username", "rosalba", typed="a long password 1\n")
    submission = json.loads(pastiche("submit", archive, "--competition", "small", "--json"))
    pastiche("watch", submission["id"])
    (row,) = json.loads(pastiche("board", "small", "--json"))["rows"]
    results = json.loads(pastiche("results", submission["id"], "--json"))
    assert (row["name"], row["kind"], results["n_valid"]) == ("cgan-ls", "entry", 6)
    assert row["headline"] == results["scores"]["headline"]["value"]
