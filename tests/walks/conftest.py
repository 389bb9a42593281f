"""What walks share: the command line as a person at home runs it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.walks.house import ROOT, House

Command = Callable[..., str]


@pytest.fixture
def pastiche(running: House, tmp_path: Path) -> Command:
    """Run `pastiche` as somebody with a home of their own, and return what it prints."""

    def run(*arguments: str, typed: str = "", home: str = "home") -> str:
        environment = {
            "PATH": running.environment["PATH"],
            "HOME": str(tmp_path / home),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
            "OMP_NUM_THREADS": "1",
            "NO_PROXY": "*",
        }
        command = [sys.executable, "-m", "pastiche", *arguments]
        done = subprocess.run(command, env=environment, input=typed, capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}\n{running.log[-3000:]}"
        return done.stdout

    return run
