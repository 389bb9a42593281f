"""The cache beside Redis: while Redis is away nothing is remembered, and nobody is kept from signing in."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class PatientRedisCache(RedisCache):
    """Answers as an empty cache does when Redis cannot be reached; what may be guessed is counted in the database."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Read a value."""
        return _try(lambda: super(PatientRedisCache, self).get(key, default, version), default)

    def add(self, key: Any, value: Any, *args: Any, **options: Any) -> bool:
        """Write a value that is not there; it also serves as a lock, which is free then."""
        return bool(_try(lambda: super(PatientRedisCache, self).add(key, value, *args, **options), True))

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        """Write a value."""
        _try(lambda: super(PatientRedisCache, self).set(key, value, *args, **options), None)

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget a value."""
        return bool(_try(lambda: super(PatientRedisCache, self).delete(key, version), False))


def _try(ask: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return ask()
    except RedisError:
        logger.warning("The cache cannot be reached, so requests are not counted")
        return otherwise
