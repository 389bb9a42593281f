"""What walks share: the command line as a person at home runs it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.walks.house import ROOT, House

Command = Callable[..., str]
PASTICHE = (sys.executable, "-m", "pastiche")


def at_home(running: House, home: Path) -> dict[str, str]:
    """Return the environment of somebody with that home."""
    return {
        "PATH": running.environment["PATH"],
        "HOME": str(home),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": "*",
    }


@pytest.fixture
def pastiche(running: House, tmp_path: Path) -> Command:
    """Run `pastiche` as somebody with a home of their own, and return what it prints."""

    def run(*arguments: str, typed: str = "", home: str = "home") -> str:
        command, environment = [*PASTICHE, *arguments], at_home(running, tmp_path / home)
        done = subprocess.run(command, env=environment, input=typed, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}\n{running.log[-3000:]}"
        return done.stdout

    return run
