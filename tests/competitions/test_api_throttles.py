"""Callers who send too much wait; a cache that is away stops nobody."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.api_fixtures import API, error_of
from tests.config.processes import run
from tests.servers import free_port, has_redis, redis_server


@pytest.fixture
def few(settings: Settings) -> None:
    """Three requests a minute, of which two may change something."""
    settings.API_PER_MINUTE, settings.API_WRITES_PER_MINUTE = 3, 2


def test_who_sends_too_much_is_told_when_to_come_back(
    member: APIClient, stranger: User, caller: Callable[[User], APIClient], anonymous: APIClient, few: None
) -> None:
    for client in (member, anonymous, caller(stranger)):
        for _ in range(3):
            assert client.get(f"{API}/competitions/").status_code == 200
        answer = client.get(f"{API}/suites/")
        assert (answer.status_code, error_of(answer)["code"]) == (429, "TOO_MANY_REQUESTS")
        assert 0 < int(answer["Retry-After"]) <= 60
        assert answer["Retry-After"] in error_of(answer)["fix"]


def test_what_changes_something_is_counted_beside(member: APIClient, few: None) -> None:
    for _ in range(2):
        assert member.post(f"{API}/uploads/", {}, format="json").status_code == 400
    assert member.post(f"{API}/uploads/", {}, format="json").status_code == 429
    cache.clear()
    for _ in range(3):
        assert member.get(f"{API}/uploads/").status_code == 200


def test_zero_is_no_limit(anonymous: APIClient, settings: Settings) -> None:
    settings.API_PER_MINUTE = 0
    assert {anonymous.get(f"{API}/competitions/").status_code for _ in range(20)} == {200}


def test_parts_of_uploads_have_a_limit_of_their_own(member: APIClient, few: None) -> None:
    path = f"{API}/uploads/00000000-0000-4000-8000-000000000000/parts/0/"
    statuses = [member.put(path, b"", content_type="application/octet-stream").status_code for _ in range(31)]
    assert statuses[:3] == [400, 400, 400]
    assert (statuses[29], statuses[30]) == (400, 429)


def test_without_its_cache_the_api_answers(
    anonymous: APIClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    place = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"redis://127.0.0.1:{free_port()}/0",
    }
    settings.CACHES = {"default": place}
    assert anonymous.get(f"{API}/competitions/").status_code == 200
    fields = {"username": "nobody", "password": "guess", "name": "laptop"}
    assert anonymous.post(f"{API}/tokens/", fields, format="json").status_code == 401
    assert caplog.text.count("cache cannot be reached") == 2


@pytest.mark.redis
@pytest.mark.skipif(not has_redis(), reason="redis-server is not installed")
def test_beside_redis_all_processes_count_together(
    anonymous: APIClient, settings: Settings, few: None
) -> None:
    with redis_server() as address:
        place = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": address}
        settings.CACHES = {"default": place | {"KEY_PREFIX": "pastiche"}}
        for _ in range(3):
            assert anonymous.get(f"{API}/competitions/").status_code == 200
        assert anonymous.get(f"{API}/competitions/").status_code == 429
        with redis.Redis.from_url(address) as client:
            assert client.keys("pastiche:*")
        cache.close()


@pytest.mark.parametrize(
    ("broker", "backend"), [("", "LocMemCache"), ("redis://127.0.0.1:6379/3", "RedisCache")]
)
def test_the_cache_is_where_the_broker_is(tmp_path: Path, broker: str, backend: str) -> None:
    code = "import json; from config import settings; print(json.dumps(settings.CACHES['default']))"
    done = run(tmp_path, "-c", code, **({"PASTICHE_BROKER_URL": broker} if broker else {}))
    place = json.loads(done.stdout)
    assert place["BACKEND"].endswith(backend)
    assert place.get("LOCATION", "") == broker
