"""Read competition.toml, and say for each mistake where it stands and what was expected there."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import tomlkit
from pydantic import BaseModel, ValidationError
from tomlkit.container import Container
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item, Table

from evaluation.competition_files.schema import COMPETITION_FILE, DIGEST, SLUG, TEXT, CompetitionFile
from evaluation.errors import EvaluationError

MAX_BYTES = 2**21
SHOWN = 60  # characters of a wrong value
MARK = "\0"  # stands in no TOML file
PATTERNS = {
    SLUG: "letters, digits, - and _ only",
    DIGEST: "a SHA-256 digest of 64 lower-case hexadecimal digits",
    TEXT: "a text without null characters",
}
# What pydantic's errors mean for somebody who writes the file.
EXPECTED = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "literal_error": "{expected}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "a text that is not empty",
    "too_long": "at most {max_length} of them",
    "too_short": "at least {min_length} of them",
    "datetime_type": "a time such as 2031-05-01T12:00:00Z",
    "timezone_aware": "a time with its zone, such as 2031-05-01T12:00:00Z",
    "model_type": "a section",
    "tuple_type": "one section [[phases]] for each phase",
}
_SECTION = {field.alias or name: field.annotation for name, field in CompetitionFile.model_fields.items()}

Path = tuple[str | int, ...]


class InvalidCompetitionFile(EvaluationError):
    """The competition file cannot be read."""

    code = "INVALID_COMPETITION_FILE"

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep what is wrong by field; "" stands for the file itself."""
        self.problems = dict(problems)
        told = [f"{field}: {text}" if field else text for field, text in self.problems.items()]
        super().__init__(
            f"{COMPETITION_FILE}: {' '.join(told)}", fix="Mend what is named here; nothing was changed."
        )


def read_file(content: bytes) -> CompetitionFile:
    """Read the content of a competition file.

    Raises:
        InvalidCompetitionFile: with line, field and what was expected, for everything that is wrong.
    """
    text = _text(content)
    try:
        return CompetitionFile.model_validate(_fields(text))
    except ValidationError as error:
        raise InvalidCompetitionFile(_problems(error, _document(text))) from error


def problem_at(content: bytes, field: Path, sentence: str) -> InvalidCompetitionFile:
    """Return the error for a field that is well-formed and wrong all the same."""
    line = _line(_document(_text(content)), field)
    return InvalidCompetitionFile({_name(field): f"line {line}: {sentence}"})


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise InvalidCompetitionFile({"": f"it has {len(content)} bytes; at most {MAX_BYTES} are taken."})
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidCompetitionFile({"": f"line {line}: expected text in UTF-8."}) from error


def _fields(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told, _, place = str(error).rstrip(")").rpartition(" (at ")
        raise InvalidCompetitionFile({"": f"{place}: this is no TOML. {told}."}) from error
    except (ValueError, RecursionError) as error:
        raise InvalidCompetitionFile({"": f"this is no TOML: {error}."}) from error


def _document(text: str) -> tomlkit.TOMLDocument:
    """Parse with every space and comment kept, which tells lines; where that fails, all are the first one."""
    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError):
        return tomlkit.document()


def _problems(error: ValidationError, document: tomlkit.TOMLDocument) -> dict[str, str]:
    found = error.errors(include_url=False)
    # A list of which a row is wrong is also called too short.
    inside = {place["loc"][:1] for place in found if len(place["loc"]) > 1}
    found = [place for place in found if place["type"] != "too_short" or place["loc"] not in inside]
    lines = {place["loc"]: _line(document, place["loc"]) for place in found}
    return {
        _name(place["loc"]): f"line {lines[place['loc']]}: {_sentence(place)}"
        for place in sorted(found, key=lambda place: lines[place["loc"]])
    }


def _sentence(place: Any) -> str:
    kind, limits = place["type"], place.get("ctx", {})
    if kind == "extra_forbidden":
        return f"this field is not known here; expected one of {', '.join(_known(place['loc'][:-1]))}."
    if kind == "missing":
        return "this field is missing."
    expected = PATTERNS.get(limits.get("pattern", "")) or EXPECTED.get(kind, place["msg"]).format(**limits)
    shown = str(place["input"]) if isinstance(place["input"], datetime) else repr(place["input"])
    return f"expected {expected}, found {shown if len(shown) < SHOWN else shown[:SHOWN] + '…'}."


def _known(section: Sequence[str | int]) -> list[str]:
    """List the fields that a section takes."""
    shape: type[BaseModel] = CompetitionFile
    for name in section:
        if isinstance(name, str):
            shape = next(part for part in _models(_SECTION[name]))
    return [field.alias or name for name, field in shape.model_fields.items()]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Find the sections that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def _line(document: tomlkit.TOMLDocument, field: Path) -> int:
    """Return the line of a field, or of the nearest thing around it that is there."""
    item: Item | Container = document
    nearest: Item | None = None
    for name in field:
        found = _inside(item, name)
        if found is None:
            break
        item = nearest = found
    if nearest is None:
        return 1
    kept, nearest.trivia.indent = nearest.trivia.indent, MARK
    line = document.as_string().split(MARK)[0].count("\n") + 1
    nearest.trivia.indent = kept
    return line


def _inside(item: Item | Container, name: str | int) -> Item | None:
    if isinstance(item, AoT) and isinstance(name, int):
        return item.body[name]
    held = item.value if isinstance(item, Table) else item
    if isinstance(held, Container) and isinstance(name, str) and name in held:
        found = held.item(name)
        return found if isinstance(found, Item) else None
    return None


def _name(field: Sequence[str | int]) -> str:
    """Write a path as people do: `phases[2].title`, counted from 1."""
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in field]
    return "".join(parts).lstrip(".")
