"""What operators get wrong ends a process at its start, in one sentence with the setting; or it waits and says so."""

import os
import shutil
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection
from pytest_django import Settings

from config import places
from tests.config.processes import SCHEDULER, WEB, WORKER, run, running, until
from tests.servers import free_port, has_redis, postgres_programs, postgres_server, redis_server

NOWHERE = "127.0.0.1:1"
KEY = {"PASTICHE_SECRET_KEY": "long enough to be taken for a key"}
DATABASE = {"PASTICHE_DATABASE_URL": f"postgres://somebody:hushhush@{NOWHERE}/none"} | KEY
BROKER = {"PASTICHE_BROKER_URL": f"redis://:hushhush@{NOWHERE}/0"}
STORAGE = {
    "PASTICHE_STORAGE_URL": f"s3://some-bucket?endpoint=http://{NOWHERE}",
    "PASTICHE_STORAGE_KEY": "somebody",
    "PASTICHE_STORAGE_SECRET": "hushhush",
}
DISK = {"PASTICHE_WORKER_MIN_FREE_MB": "99000000"}


@pytest.mark.parametrize(
    ("program", "variables", "setting"),
    [
        (WORKER, BROKER, "PASTICHE_BROKER_URL"),
        (WORKER, DISK, "PASTICHE_WORKER_MIN_FREE_MB"),
        (SCHEDULER, STORAGE, "PASTICHE_STORAGE_URL"),
        (WEB, DATABASE, "PASTICHE_DATABASE_URL"),
    ],
    ids=["worker without broker", "worker with a small disk", "scheduler without storage", "web without database"],
)  # fmt: skip
def test_a_process_without_a_place_that_it_needs_ends_and_names_the_setting(
    migrated: Path, program: tuple[str, ...], variables: dict[str, str], setting: str
) -> None:
    done = run(migrated, *program, **variables)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "cannot start" in line
    assert f"{setting}: " in line
    assert "hushhush" not in line


def test_the_web_server_does_not_start_without_a_secret_key(tmp_path: Path) -> None:
    variables = DATABASE | {"PASTICHE_SECRET_KEY": ""}
    done = run(tmp_path, *WEB, **variables)
    assert done.returncode == 1
    assert done.stderr.startswith("PASTICHE_SECRET_KEY is not set.")


def test_a_wrong_variable_ends_the_web_server_instead_of_its_workers_for_ever(tmp_path: Path) -> None:
    done = run(tmp_path, *WEB, PASTICHE_LEASE_SECONDS="soon")
    assert done.returncode == 1
    assert done.stderr.startswith("Environment variable PASTICHE_LEASE_SECONDS is wrong")
    assert len(done.stderr.splitlines()) == 1


def test_the_check_names_every_place_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", "--database", "default", **DATABASE, **BROKER, **STORAGE)
    assert done.returncode == 1
    for setting in ("PASTICHE_DATABASE_URL", "PASTICHE_BROKER_URL", "PASTICHE_STORAGE_URL"):
        assert done.stderr.count(f"{setting}: ") == 1
    assert "hushhush" not in done.stderr


def test_a_process_that_waits_says_for_what_and_goes_on_once_it_is_there(
    migrated: Path, tmp_path: Path
) -> None:
    with running(tmp_path, *SCHEDULER, PASTICHE_START_SECONDS="60") as log:
        missing = b"was not applied to the database; run `python manage.py migrate`"
        until(lambda: missing in log.read_bytes(), log)
        shutil.copy(migrated / "data" / "pastiche.sqlite3", tmp_path / "database")
        os.replace(tmp_path / "database", tmp_path / "data" / "pastiche.sqlite3")
        until(lambda: b" ready." in log.read_bytes(), log)


@pytest.mark.django_db
def test_places_that_are_there_are_no_trouble(settings: Settings) -> None:
    settings.WORKER_MIN_FREE_MB = 0
    assert [ask() for ask in places.FOR_STARTING.values()] == [None] * 4
    assert [check for check in run_checks(databases=["default"]) if check.id.startswith("pastiche.")] == []


@pytest.mark.django_db(transaction=True)
def test_looking_for_the_database_leaves_no_connection_behind_that_forks_would_share() -> None:
    connection.close()
    assert places.database() is None
    assert connection.connection is None


def test_a_disk_that_is_full_for_now_is_waited_for_and_one_too_small_is_not(settings: Settings) -> None:
    usage = shutil.disk_usage(settings.WORKER_DIR)
    settings.WORKER_MIN_FREE_MB = (usage.free + usage.total) // 2 // 2**20
    full = places.disk()
    settings.WORKER_MIN_FREE_MB = usage.total // 2**20 + 1
    small = places.disk()
    assert full is not None
    assert small is not None
    assert (full.may_pass, small.may_pass) == (True, False)


@pytest.mark.redis
@pytest.mark.skipif(not has_redis(), reason="the redis-server program is not installed")
def test_redis_that_is_away_is_waited_for_and_one_that_refuses_is_not(settings: Settings) -> None:
    options = {"socket_connect_timeout": 1, "socket_timeout": 1}
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = options
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    away = places.broker()
    assert away is not None
    assert (away.state, away.setting, away.may_pass) == ("unreachable", "PASTICHE_BROKER_URL", True)
    with redis_server() as address:
        settings.CELERY_BROKER_URL = address
        assert places.broker() is None
        settings.CELERY_BROKER_URL = f"{address[:-1]}99"
        refused = places.broker()
    assert refused is not None
    assert (refused.state, refused.may_pass) == ("refused", False)


@pytest.mark.postgres
@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL's server programs are not installed")
def test_a_database_that_the_server_does_not_have_is_not_waited_for(tmp_path: Path) -> None:
    with postgres_server() as address:
        variables = KEY | {"PASTICHE_START_SECONDS": "600", "PASTICHE_DATABASE_URL": f"{address}-of-others"}
        done = run(tmp_path, *WORKER, **variables)
    assert done.returncode == 1
    assert 'database "pastiche-of-others" does not exist' in done.stderr
    assert "PASTICHE_DATABASE_URL: " in done.stderr
