"""A participant's whole way by the command line alone, against real services and the real sandbox."""

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

Command = Callable[..., str]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[House]:
    """A running house with one small competition."""
    with house(tmp_path / "house", write_dataset(tmp_path / "dataset", size=256)) as made:
        made.start("web", "worker", "scheduler")
        yield made


@pytest.fixture
def pastiche(running: House, tmp_path: Path) -> Command:
    """Run `pastiche` as a participant with a home of their own, and return what it prints."""
    environment = {
        "PATH": running.environment["PATH"],
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": "*",
    }

    def run(*arguments: str, typed: str = "") -> str:
        command = [sys.executable, "-m", "pastiche", *arguments]
        done = subprocess.run(command, env=environment, input=typed, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}\n{running.log[-3000:]}"
        return done.stdout

    return run


def test_a_participant_goes_from_the_starter_kit_to_the_board(
    running: House, pastiche: Command, tmp_path: Path
) -> None:
    kit, out = str(tmp_path / "kit"), tmp_path / "out"
    pastiche("login", "--server", running.address, "--username", "rosalba", typed="a long password 1\n")
    found = json.loads(pastiche("doctor", "--json"))
    assert [row["name"] for row in found if not row["ok"]] == []
    pastiche("init", kit)
    assert json.loads(pastiche("check", kit, "--competition", "small", "--json"))["tried"]["is_repeatable"]
    submission = json.loads(pastiche("submit", kit, "--competition", "small", "--json"))
    assert "headline" in pastiche("watch", submission["id"])
    results = json.loads(pastiche("results", submission["id"], "--json"))
    (row,) = json.loads(pastiche("board", "small", "--json"))["rows"]
    assert row["headline"] == results["scores"]["headline"]["value"]

    local = json.loads(pastiche("evaluate", kit, "--competition", "small", "--json"))
    assert (
        [pair["id"] for pair in local["pairs"]]
        == [pair["id"] for pair in results["pairs"]]
        == ["p000", "p001"]
    )
    for ours, theirs in zip(local["pairs"], results["pairs"], strict=True):
        compared = sorted(theirs["values"].keys() - {"seconds"})
        assert {"headline", "content", "style"} <= set(compared)
        for name in compared:
            assert ours["values"][name] == pytest.approx(theirs["values"][name], abs=1e-6), name

    pastiche("pull", submission["id"], "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == ["p000.png", "p001.png", "run.json"]
