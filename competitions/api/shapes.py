"""What answers are made of: moments in UTC, numbers in full precision, and pages of lists."""

import math
from datetime import UTC
from functools import cache
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class UtcField(serializers.DateTimeField):
    """A moment in UTC, whatever time zone a page has switched on."""

    def __init__(self, **options: Any) -> None:
        """Fix the time zone; moments are written only."""
        super().__init__(default_timezone=UTC, read_only=True, **options)


@extend_schema_field({"type": "number", "format": "double", "nullable": True})
class NumberField(serializers.Field[float, float, float | None, float]):
    """A number in full precision; null for infinity and not-a-number, for which JSON has no word."""

    def __init__(self, **options: Any) -> None:
        """Numbers are written only."""
        super().__init__(read_only=True, **options)

    def to_representation(self, value: float) -> float | None:
        """Write the number."""
        return float(value) if math.isfinite(value) else None


class EstimateSerializer(serializers.Serializer):
    """A number with its 95 % interval."""

    value = NumberField()
    low = NumberField(allow_null=True)
    high = NumberField(allow_null=True)


class PageSerializer(serializers.Serializer):
    """A part of a list of `count` lines; hand `next_cursor` on as `cursor` for the next part, null at the end."""

    count = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)
    next_offset = serializers.IntegerField(allow_null=True)


@cache
def page_shape(row: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """Return the shape of a page of such lines."""
    name = row.__name__.removesuffix("Serializer") + "PageSerializer"
    return type(name, (PageSerializer,), {"__doc__": PageSerializer.__doc__, "results": row(many=True)})
