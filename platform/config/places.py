"""The places that a process needs, database, storage, broker, disk: is one missing, and which setting is wrong?"""

import logging
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from django.conf import settings
from django.db import Error
from django.db import connection as used_connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from kombu import Connection

from competitions.storage import StorageRefused, StorageUnreachable, check_storage
from config import broker as folder_broker
from workers.cache import room_problem

logger = logging.getLogger(__name__)

PROBE_SECONDS = 2
PAUSE_SECONDS = 2
DATABASE, BROKER, STORAGE = "PASTICHE_DATABASE_URL", "PASTICHE_BROKER_URL", "PASTICHE_STORAGE_URL"
# What tells that a database server was reached and means it; anything else may pass.
_REFUSAL = re.compile(r"FATAL|unable to open database file|not a database")
# By name: importing the Redis client takes longer than reading all settings, and most installations have none.
_REDIS_REFUSALS = ("AuthenticationError", "ResponseError", "NoPermissionError")
_FOR_NOW = re.compile("starting up|shutting down|recovery|too many|remaining connection slots")


@dataclass(frozen=True)
class Trouble:
    """Why a place cannot be used: for everybody in two words, for the operator in a sentence beside the setting."""

    state: str
    setting: str
    sentence: str
    may_pass: bool = False

    def __str__(self) -> str:
        return f"{self.setting}: {self.sentence}."


def database() -> Trouble | None:
    """Connect with little patience, and look whether every migration that this code needs was applied."""
    probe = used_connection.copy()
    if probe.vendor == "postgresql":
        limits = {"connect_timeout": PROBE_SECONDS, "options": f"-c statement_timeout={PROBE_SECONDS}s"}
    else:
        limits = {"timeout": PROBE_SECONDS}
    probe.settings_dict["OPTIONS"] = probe.settings_dict["OPTIONS"] | limits
    try:
        missing = _last_migrations() - _applied_migrations(probe)
    except Error as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        is_refusal = bool(_REFUSAL.search(said)) and not _FOR_NOW.search(said)
        return Trouble("refused" if is_refusal else "unreachable", DATABASE, said, may_pass=not is_refusal)
    finally:
        probe.close()
    if missing:
        app, name = min(missing)
        sentence = f"{app}.{name} was not applied to the database; run `python manage.py migrate`"
        return Trouble("not migrated", DATABASE, sentence, may_pass=True)
    return None


def _applied_migrations(probe: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    """Ask over the probe alone.

    Django's recorder would ask over the process' own connection, and a web server that forks afterwards would
    share it among its workers, who would read each other's answers.
    """
    with probe.cursor() as cursor:
        if MigrationRecorder.Migration._meta.db_table not in probe.introspection.table_names(cursor):
            return set()
        cursor.execute("SELECT app, name FROM django_migrations")
        return {(app, name) for app, name in cursor.fetchall()}


@cache
def _last_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def storage(*, by_writing: bool = False) -> Trouble | None:
    """Look whether files can be stored and read; `by_writing` tries it."""
    try:
        check_storage(by_writing=by_writing)
    except StorageRefused as error:
        return Trouble("refused", error.setting, str(error))
    except StorageUnreachable as error:
        return Trouble("unreachable", STORAGE, str(error), may_pass=True)
    return None


def broker() -> Trouble | None:
    """Connect to the broker as Celery would, with little patience."""
    if settings.CELERY_BROKER_URL == folder_broker.URL:
        is_there = os.access(settings.BROKER_DIR, os.W_OK | os.X_OK)
        return None if is_there else Trouble("refused", "PASTICHE_BROKER_DIR", "the folder cannot be written")
    limits = {"socket_connect_timeout": PROBE_SECONDS, "socket_timeout": PROBE_SECONDS}
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | limits
    connection = Connection(settings.CELERY_BROKER_URL, transport_options=options)
    transport = connection.transport
    its_errors: tuple[type[BaseException], ...] = (
        *transport.connection_errors,
        *transport.channel_errors,
        OSError,
    )
    try:
        transport.close_connection(transport.establish_connection())
    except ValueError as error:
        return Trouble("refused", BROKER, f"not an address of Redis: {error}".rstrip("."))
    except its_errors as error:
        refuses = type(error).__name__ in _REDIS_REFUSALS
        state = "refused" if refuses else "unreachable"
        return Trouble(state, BROKER, str(error).rstrip("."), may_pass=not refuses)
    finally:
        connection.release()
    return None


def disk() -> Trouble | None:
    """Look whether the worker's disk has the room that it always keeps free, caches emptied."""
    if problem := room_problem(settings.WORKER_DIR, 0):
        total = shutil.disk_usage(settings.WORKER_DIR).total
        may_pass = total > settings.WORKER_MIN_FREE_MB * 2**20
        return Trouble("too small", "PASTICHE_WORKER_MIN_FREE_MB", problem, may_pass=may_pass)
    return None


PLACES: dict[str, Callable[[], Trouble | None]] = {
    "database": database,
    "storage": storage,
    "broker": broker,
}
FOR_STARTING = PLACES | {"storage": partial(storage, by_writing=True), "disk": disk}


def wait_for(*names: str) -> None:
    """Wait at the start of a process until these places are there, and say so each time; else end it.

    What waiting cannot change, such as a wrong password, ends it at once.
    """
    deadline = time.monotonic() + settings.START_SECONDS
    for name in names:
        while trouble := FOR_STARTING[name]():
            if not trouble.may_pass or time.monotonic() > deadline:
                logger.critical("this process cannot start without its %s. %s", name, trouble)
                sys.exit(1)
            logger.warning("waiting for the %s. %s", name, trouble)
            time.sleep(PAUSE_SECONDS)
