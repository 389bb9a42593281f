"""Wrong environment variables stop the process naming themselves; the message settings fit each other."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from competitions.models.competition import MAX_RUN_SECONDS
from config.celery import app

ROOT = Path(__file__).resolve().parents[2]


def check(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` with a private data folder and the given variables."""
    environment = {"PATH": os.environ["PATH"], "PASTICHE_DATA_DIR": str(tmp_path / "data")} | variables
    return subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PASTICHE_DEBUG", "perhaps", "expected true or false"),
        ("PASTICHE_LEASE_SECONDS", "soon", "expected a whole number from 6 to 3600"),
        ("PASTICHE_LEASE_SECONDS", "1", "expected a whole number from 6 to 3600"),
        ("PASTICHE_DATABASE_URL", "mysql://localhost/x", "expected postgres://"),
        ("PASTICHE_BROKER_URL", "amqp://localhost", "expected redis://"),
        ("PASTICHE_DATA_DIR", "/proc/nowhere", "cannot be made"),
        ("PASTICHE_LOG_LEVEL", "chatty", "expected DEBUG, INFO"),
        ("PASTICHE_ALLOW_PROCESS_DRIVER", "true", "PASTICHE_DEBUG=true too"),
    ],
)
def test_a_wrong_variable_stops_the_process_and_is_named(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    done = check(tmp_path, **{name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_server_needs_a_shared_secret_key(tmp_path: Path) -> None:
    done = check(tmp_path, PASTICHE_DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert done.returncode != 0
    assert "PASTICHE_SECRET_KEY" in done.stderr


def test_the_generated_secret_key_is_private_and_stays(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 0
    path = tmp_path / "data" / "secret_key"
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= 50
    assert check(tmp_path).returncode == 0
    assert path.read_text() == first


def test_messages_are_acknowledged_late_and_outlast_the_longest_run() -> None:
    conf = app.conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert (
        settings.CELERY_HARD_LIMIT_SECONDS
        == conf.task_time_limit
        > conf.task_soft_time_limit
        > MAX_RUN_SECONDS
    )


def test_evaluation_and_upkeep_never_share_a_queue() -> None:
    routes = {queue.name: (queue.exchange.name, queue.routing_key) for queue in app.conf.task_queues}
    assert routes == {"evaluation": ("evaluation", "evaluation"), "upkeep": ("upkeep", "upkeep")}
