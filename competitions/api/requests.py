"""What requests must look like; a field that is not known, or comes twice, is refused by name."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import ApiToken
from competitions.api.fields import Archive, Digits, Flag, Sha256, Slug, Text, Whole
from competitions.errors import InvalidInput
from competitions.models import Upload
from competitions.slicing import AXES
from evaluation.spec import suite_ids

PAGE_SIZE = 100
LONGEST_DAYS = 3650
FARTHEST = 10**12
LARGEST_UPLOAD = 10_000 * 2**20  # of any installation; each has a limit of its own
SUITES = suite_ids()


class StrictSerializer(serializers.Serializer):
    """A request body without unknown fields."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields, then read the known ones."""
        if isinstance(data, Mapping):
            problems = {name: "This field is not known." for name in data if name not in self.fields}
            if problems:
                raise serializers.ValidationError(problems)
        return super().to_internal_value(data)


class NewToken(StrictSerializer):
    """User name and password, in exchange for a token with some scopes that expires after so many days."""

    username = Text(max_length=150)
    password = Text(max_length=4096)
    name = Text(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(ApiToken.Scope.choices),
        default=list(ApiToken.Scope.values),
        min_length=1,
        max_length=3,
    )
    days = Whole(min_value=1, max_value=LONGEST_DAYS, default=365)


class _Entry(StrictSerializer):
    """What goes with an archive; without a phase the open one, without a team the caller alone."""

    competition = Slug()
    phase = Slug(default="", allow_blank=True)
    team = Slug(default="", allow_blank=True)
    note = Text(max_length=500, default="", allow_blank=True)
    again = Flag(default=False)


class NewSubmission(_Entry):
    """An archive for a competition; without a phase the open one, without a team the caller alone."""

    archive = Archive()


class NewSubmissionOfUpload(_Entry):
    """A finished upload for a competition; the upload stays until it expires or is deleted."""

    upload = serializers.UUIDField()


class NewUpload(StrictSerializer):
    """What is to come: its size in bytes, its digest, and of an archive the manifest, which is checked now."""

    kind = serializers.ChoiceField(Upload.Kind.choices)
    size = Whole(min_value=1, max_value=LARGEST_UPLOAD)
    sha256 = Sha256()
    manifest = serializers.DictField(required=False)


class UploadedFile(StrictSerializer):
    """A finished upload."""

    upload = serializers.UUIDField()


class FileText(StrictSerializer):
    """The text of a competition.toml."""

    text = Text(max_length=2**21)


class Nothing(StrictSerializer):
    """An empty body."""


class Reason(StrictSerializer):
    """Why something was decided."""

    reason = Text(max_length=500)


class Remark(StrictSerializer):
    """Why something was decided, or nothing."""

    reason = Text(max_length=500, default="", allow_blank=True)


class NewSuite(StrictSerializer):
    """The id of a suite that ships with the platform."""

    suite = serializers.ChoiceField(
        SUITES, error_messages={"invalid_choice": f"There is no such suite. Known: {', '.join(SUITES)}."}
    )


class PageQuery(StrictSerializer):
    """Which part of a list: so many lines after the cursor that the part before it ended with.

    `offset` counts lines from the beginning; for programs that are older than the cursor.
    """

    limit = Digits(min_value=1, max_value=1000, default=PAGE_SIZE)
    cursor = Text(max_length=500, default="", allow_blank=True)
    offset = Digits(min_value=0, max_value=FARTHEST, default=0)


class LogQuery(StrictSerializer):
    """From which character of the log."""

    offset = Digits(min_value=0, max_value=FARTHEST, default=0)


class PhaseQuery(StrictSerializer):
    """Which phase; without one, the phase that matters now."""

    phase = Slug(default="", allow_blank=True)


class AdmissionQuery(PhaseQuery):
    """Which phase and team, and the SHA-256 digest of the archive; without a digest repeats are not looked for."""

    team = Slug(default="", allow_blank=True)
    sha256 = Sha256(default="")


class SliceQuery(PhaseQuery):
    """Which slice of the board: an axis and one of its labels, as the board's snapshot names them."""

    axis = serializers.ChoiceField(AXES)
    slice = Text(max_length=200)


class PhasePageQuery(PageQuery):
    """Which phase, and which part of the list."""

    phase = Slug(default="", allow_blank=True)


def read_body(shape: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Return the fields of a request body, or raise with all that is wrong."""
    return _read(shape, request.data)


def read_query(shape: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """Return the parameters after the question mark, or raise with all that is wrong."""
    return _read(shape, request.query_params) if request.query_params else dict(_nothing_asked(shape))


@cache
def _nothing_asked(shape: type[serializers.Serializer]) -> dict[str, Any]:
    """Read an empty query; most are, and the answer is always the same."""
    return _read(shape, QueryDict())


def _read(shape: type[serializers.Serializer], data: Any) -> dict[str, Any]:
    is_form = isinstance(data, QueryDict)
    if is_form:
        twice = {name: "This field comes twice." for name, found in data.lists() if len(found) > 1}
        if twice:
            raise serializers.ValidationError(twice)
        data = dict(data.items())  # the framework takes an empty field of a form for a missing one
    form = shape(data=data, context={"is_form": is_form})
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
