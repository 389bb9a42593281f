"""Keep the values that were used last, and forget the oldest."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A dictionary of at most `limit` values that makes what it does not hold."""

    def __init__(self, limit: int) -> None:
        """Start empty."""
        self._limit = limit
        self._values: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return the value of `key` and mark it as used, or None."""
        if key not in self._values:
            return None
        value = self._values.pop(key)
        self._values[key] = value
        return value

    def get_or_make(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of `key`, made on first use and again after it was forgotten."""
        if key not in self._values:
            value = make()
            while len(self._values) >= self._limit:
                del self._values[next(iter(self._values))]
            self._values[key] = value
        value = self._values.pop(key)
        self._values[key] = value
        return value
