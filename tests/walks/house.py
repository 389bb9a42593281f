"""The whole house as separate processes, for walks: web server, worker and scheduler over one database."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
CELERY = [sys.executable, "-m", "celery", "-A", "config", "worker", "--without-mingle", "--without-gossip"]
PATIENCE_SECONDS = 60

MAKE_COMPETITION = """
from datetime import timedelta
from pathlib import Path
from django.utils import timezone
from accounts.services import create_user
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from competitions.services.datasets import import_dataset
from evaluation.spec import load_suite

create_user(username="rosalba", password="a long password 1")
organizer = create_user(username="organizer", password="a long password 2")
version = import_dataset(folder=Path("{folder}"), slug="small", title="Small pairs")
competition = create_competition(slug="small", title="Small waves", summary="", description="", organizer=organizer)
now = timezone.now()
plan = PhasePlan("main", "Main", now, now + timedelta(days=1), runs_per_day=20, pair_seconds=2, memory_mb=1024)
create_phase(competition=competition, plan=plan, dataset_version=version, suite=load_suite("sts-demo-2"))
publish(competition=competition)
"""


@dataclass
class House:
    """Running services; `log` collects what they print."""

    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Return the address of the web server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Return what the services have printed so far."""
        return (self.folder / "log.txt").read_text(errors="replace")

    def manage(self, *arguments: str, code: Path = ROOT) -> str:
        """Run a management command of a checkout and return what it prints."""
        return self._run("manage.py", *arguments, code=code)

    def evaluation(self, *arguments: str) -> str:
        """Run the evaluation command line and return what it prints."""
        return self._run("-m", "evaluation", *arguments)

    def _run(self, *arguments: str, code: Path = ROOT) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=code,
            env=self.environment | _imports_from(code),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *names: str, code: Path = ROOT) -> None:
        """Start services of a checkout by name and wait until the web answers; a successor is a worker too."""
        commands = {
            "web": [
                sys.executable,
                "-m",
                "gunicorn",
                "config.wsgi",
                "--threads",
                "4",
                "--bind",
                f"127.0.0.1:{self.port}",
            ],
            "worker": [*CELERY, "-Q", "evaluation", "-c", "1", "-n", "evaluation@walk"],
            "successor": [*CELERY, "-Q", "evaluation", "-c", "1", "-n", "evaluation@successor"],
            "intake": [*CELERY, "-Q", "intake", "-c", "1", "-P", "prefork", "-n", "intake@walk"],
            "scheduler": [*CELERY, "-B", "-Q", "upkeep", "-P", "solo", "-n", "upkeep@walk"],
        }
        for name in names:
            with (self.folder / "log.txt").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    commands[name],
                    cwd=code,
                    env=self.environment | _imports_from(code),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        if "web" in names:
            self.until(self._answers)

    def stop(self, name: str, *, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop one service, and all of its group where it does not stop by itself."""
        process = self._running.pop(name)
        process.send_signal(how)
        try:
            process.wait(PATIENCE_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def until(self, is_true: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for something, and show the log where it does not come."""
        deadline = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < deadline, f"it did not come about; the log:\n{self.log[-6000:]}"
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/healthz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


def _imports_from(code: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{code}:{code / 'platform'}"}


@contextlib.contextmanager
def house(folder: Path, dataset: Path, **addresses: str) -> Iterator[House]:
    """Set up a database with one small competition and yield a house whose services can be started."""
    folder.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PASTICHE_DATA_DIR": str(folder / "data"),
        "PASTICHE_SECRET_KEY": "only for this test, but long enough to be taken for one",
        "PASTICHE_SWEEP_SECONDS": "2",
        "PASTICHE_LEASE_SECONDS": "8",
        "PASTICHE_RETRY_SECONDS": "1",
        "PASTICHE_THREADS": "1",
    } | addresses
    made = House(folder, environment)
    made.manage("compile_translations")
    made.manage("migrate", "--verbosity", "0")
    made.manage("shell", "--command", MAKE_COMPETITION.format(folder=dataset))
    try:
        yield made
    finally:
        for name in list(made._running):
            made.stop(name)
