"""Probes: the process lives whatever else does, and is ready only when all that it needs is there."""

import json
import socket
import time
from collections.abc import Iterator

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from config import health
from config.health import Lookout

WELL = {"database": "ok", "storage": "ok", "broker": "ok"}


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look anew in each test."""
    monkeypatch.setattr(health, "_lookout", Lookout())


@pytest.fixture
def silent_redis(settings: Settings) -> Iterator[None]:
    """A broker that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        settings.CELERY_BROKER_URL = f"redis://:hushhush@127.0.0.1:{listening.getsockname()[1]}/0"
        settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
        yield


def ask(client: Client, path: str = "/readyz") -> tuple[int, dict[str, str]]:
    """Probe."""
    answer = client.get(path)
    assert "no-store" in answer.headers["Cache-Control"]
    return answer.status_code, json.loads(answer.content)


def test_a_process_lives_without_asking_anybody(
    client: Client, silent_redis: None, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert ask(client, "/healthz") == (200, {"status": "ok"})


@pytest.mark.django_db(transaction=True)
def test_a_process_is_ready_when_all_places_are_there(client: Client) -> None:
    assert ask(client) == (200, {"status": "ok"} | WELL)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_migrated_is_named(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO gone")
    try:
        assert ask(client) == (503, {"status": "error"} | WELL | {"database": "not migrated"})
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO django_migrations")


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_is_not_there_is_named_without_telling_where_it_was(
    client: Client, settings: Settings
) -> None:
    (settings.DATA_DIR / "file").touch()
    place = settings.STORAGES["default"]
    options = place["OPTIONS"] | {"location": settings.DATA_DIR / "file" / "artifacts"}
    settings.STORAGES = settings.STORAGES | {"default": place | {"OPTIONS": options}}
    assert str(settings.DATA_DIR) in storages["default"].location
    assert ask(client) == (503, {"status": "error"} | WELL | {"storage": "refused"})


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_does_not_answer_costs_two_seconds_and_no_secret(
    client: Client, silent_redis: None
) -> None:
    began = time.monotonic()
    status, body = ask(client)
    assert time.monotonic() - began < 4
    assert status == 503
    assert body["broker"] in ("unreachable", health.SILENT)
    assert "hushhush" not in json.dumps(body)


@pytest.mark.django_db(transaction=True)
def test_many_questions_cost_no_more_than_one(client: Client, silent_redis: None) -> None:
    ask(client)
    began = time.monotonic()
    for _ in range(20):
        ask(client)
    assert time.monotonic() - began < health.FRESH_SECONDS
