"""What requests must look like; a field that is not known, or comes twice, is refused by name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from competitions.errors import InvalidInput
from evaluation.spec import suite_ids

PAGE_SIZE = 100
SUITES = suite_ids()


class StrictSerializer(serializers.Serializer):
    """A request body without unknown fields."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown and doubled fields, then read the known ones."""
        if isinstance(data, Mapping):
            problems = {name: "This field is not known." for name in data if name not in self.fields}
            if isinstance(data, QueryDict):
                problems |= {
                    name: "This field comes twice." for name, found in data.lists() if len(found) > 1
                }
            if problems:
                raise serializers.ValidationError(problems)
        return super().to_internal_value(data)


class NewToken(StrictSerializer):
    """User name and password, in exchange for a token."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)
    name = serializers.CharField(max_length=100)


class NewSubmission(StrictSerializer):
    """An archive for a competition; without a phase the open one, without a team the caller alone."""

    archive = serializers.FileField()
    competition = serializers.CharField(max_length=60)
    phase = serializers.CharField(max_length=60, default="", allow_blank=True)
    team = serializers.CharField(max_length=60, default="", allow_blank=True)
    note = serializers.CharField(max_length=500, default="", allow_blank=True)
    again = serializers.BooleanField(default=False)


class Nothing(StrictSerializer):
    """An empty body."""


class Reason(StrictSerializer):
    """Why something was decided."""

    reason = serializers.CharField(max_length=500)


class NewSuite(StrictSerializer):
    """The id of a suite that ships with the platform."""

    suite = serializers.ChoiceField(
        SUITES, error_messages={"invalid_choice": f"There is no such suite. Known: {', '.join(SUITES)}."}
    )


class PageQuery(serializers.Serializer):
    """Which part of a list."""

    limit = serializers.IntegerField(min_value=1, max_value=1000, default=PAGE_SIZE)
    offset = serializers.IntegerField(min_value=0, default=0)


class LogQuery(serializers.Serializer):
    """From which character of the log."""

    offset = serializers.IntegerField(min_value=0, default=0)


class PhaseQuery(serializers.Serializer):
    """Which phase; without one, the phase that matters now."""

    phase = serializers.CharField(max_length=60, default="")


def read_body(shape: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Return the fields of a request body, or raise with all that is wrong."""
    form = shape(data=request.data)
    form.is_valid(raise_exception=True)
    return form.validated_data


def read_query(shape: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """Return the parameters after the question mark, or raise with all that is wrong."""
    form = shape(data=request.query_params)
    form.is_valid(raise_exception=True)
    return form.validated_data


def read_id(text: str) -> UUID:
    """Return the id that stands in an address, or raise."""
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != text.lower():
        raise InvalidInput(
            f"{text[:60]!r} is no id.", fix="An id has 36 characters: 8-4-4-4-12 hexadecimal digits."
        )
    return parsed
