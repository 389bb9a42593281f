"""How many requests a minute one caller may send; counted in the cache, which all web processes should share."""

import logging

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle, SimpleRateThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class _Patient(SimpleRateThrottle):
    """Without a cache everybody passes."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Say whether there is room in this minute."""
        try:
            return bool(super().allow_request(request, view))
        except RedisError:
            logger.warning("Requests are not counted: the cache cannot be reached")
            return True


class GuessThrottle(_Patient, ScopedRateThrottle):
    """Passwords that an address tries."""


class _PerCaller(_Patient):
    """Counts by user, or by address where nobody is signed in."""

    def get_rate(self) -> str | None:
        """Write the limit as the framework does."""
        number = self.per_minute()
        return f"{number}/min" if number else None

    def per_minute(self) -> int:
        """Return the limit; 0 for none."""
        raise NotImplementedError

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Name the caller."""
        who = request.user.pk if request.user and request.user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": who}


class RequestThrottle(_PerCaller):
    """All requests."""

    scope = "requests"

    def per_minute(self) -> int:
        """Return the setting."""
        return int(settings.API_PER_MINUTE)


class CreationThrottle(_PerCaller):
    """Requests that make or change something."""

    scope = "creations"

    def per_minute(self) -> int:
        """Return the setting."""
        return int(settings.API_WRITES_PER_MINUTE)

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Let reads pass."""
        return request.method in ("GET", "HEAD", "OPTIONS") or super().allow_request(request, view)


class PartThrottle(_PerCaller):
    """Parts of uploads: a limit that no network reaches, against loops that went wild."""

    scope = "parts"

    def per_minute(self) -> int:
        """Return a number of parts."""
        return 10 * int(settings.API_PER_MINUTE)
