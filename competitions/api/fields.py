"""Fields of requests, as strict as the OpenAPI document says: no number is a text, and no text a number."""

import re
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_NO_NUL = RegexValidator(r"^[^\x00]*\Z", "Null characters are not allowed.")
_SLUG = RegexValidator(r"^[A-Za-z0-9_-]*\Z", "A name has letters, digits, - and _ only.")
_HEX = RegexValidator(r"^[0-9a-f]{64}\Z", "A SHA-256 digest has 64 lower-case hexadecimal digits.")


class Text(serializers.CharField):
    """A text as it is; numbers are not taken for one."""

    form = _NO_NUL

    def __init__(self, **options: Any) -> None:
        """Bound its form."""
        super().__init__(trim_whitespace=False, **options)
        self.validators.append(self.form)

    def to_internal_value(self, data: Any) -> str:
        """Refuse everything but text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Slug(Text):
    """The short name of something, as it stands in addresses."""

    form = _SLUG

    def __init__(self, **options: Any) -> None:
        """Bound its length."""
        super().__init__(max_length=60, **options)


class Sha256(Text):
    """A SHA-256 digest in hexadecimal digits."""

    form = _HEX


@extend_schema_field({"type": "string", "format": "binary", "minLength": 1})
class Archive(serializers.FileField):
    """A file that is not empty."""


class Flag(serializers.BooleanField):
    """True or false; a form writes them out."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse the other words that could stand for one."""
        if isinstance(data, bool):
            return data
        if not self.context.get("is_form") or data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


class Whole(serializers.IntegerField):
    """A whole number in a JSON body."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse text and truth values; 5.0 is a whole number in JSON."""
        if isinstance(data, bool) or not isinstance(data, int | float) or data % 1:
            self.fail("invalid")
        return int(data)


class Digits(serializers.IntegerField):
    """A whole number behind the question mark."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse other ways to write a number than digits."""
        if not re.fullmatch(r"-?[0-9]{1,18}", str(data), re.ASCII):
            self.fail("invalid")
        return int(data)
