"""Start the platform's own processes with a private data folder and given variables."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CELERY = ("-m", "celery", "--quiet", "-A", "config", "worker")
WORKER = (*CELERY, "-Q", "evaluation", "-c", "1", "-P", "prefork")
SCHEDULER = (*CELERY, "-B", "-Q", "upkeep", "-P", "solo")
WEB = ("-m", "gunicorn", "config.wsgi", "-c", "python:config.serving", "--bind", "127.0.0.1:0")


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return what a process gets, and nothing of this one's."""
    base = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "PASTICHE_DATA_DIR": str(folder / "data"),
        "PASTICHE_START_SECONDS": "0",
    }
    return base | variables


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python until it ends by itself."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextlib.contextmanager
def running(folder: Path, *words: str, **variables: str) -> Iterator[Path]:
    """Run Python and yield the file with what it logs; it and its children are killed afterwards."""
    path = folder / "log.txt"
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=environment(folder, **variables),
            stdout=subprocess.DEVNULL,  # where Celery says in its own words that it stops
            stderr=log,
            start_new_session=True,
        )
        try:
            yield path
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(is_true: Callable[[], bool], log: Path) -> None:
    """Wait for something, and show the log where it does not come."""
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
