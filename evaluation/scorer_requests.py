"""Read the requests of the warm scorer: one JSON object a line, whose fields have the types that they must have."""

import json
from collections.abc import Mapping

from evaluation.errors import EvaluationError
from evaluation.report import PairScore

Fields = dict[str, object]


class BadRequest(EvaluationError):
    """The request is not a JSON object with the fields of its operation."""

    code = "BAD_REQUEST"


def parse_request(line: bytes) -> Fields:
    """Read one line.

    Raises:
        BadRequest: it is no JSON object.
    """
    try:
        request = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The request is not JSON.") from error
    if not isinstance(request, dict):
        raise BadRequest()
    return request


def read_text(request: Fields, name: str) -> str:
    """Return a field that must be a text and not empty."""
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} must be a text.")
    return value


def read_optional_text(request: Fields, name: str) -> str | None:
    """Return a field that may be missing or null."""
    return read_text(request, name) if request.get(name) is not None else None


def read_object(request: Fields, name: str) -> Fields:
    """Return a field that must be a JSON object."""
    value = request.get(name)
    if not isinstance(value, dict):
        raise BadRequest(f"{name} must be an object.")
    return value


def read_optional_number(request: Fields, name: str) -> float | None:
    """Return a field that is a number, or missing, or null."""
    value = request.get(name)
    return None if value is None else _number(value, name)


def read_count(request: Fields, name: str) -> int:
    """Return a field that must be a whole number from 0 on."""
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequest(f"{name} must be a whole number from 0 on.")
    return value


def read_numbers(request: Fields, name: str) -> dict[str, float]:
    """Return a field that must map names to numbers."""
    return {key: _number(value, name) for key, value in read_object(request, name).items()}


def read_scores(request: Fields) -> list[PairScore]:
    """Return `values`, which maps pair ids to metrics and their values, in the order of the ids."""
    values = read_object(request, "values")
    return [PairScore(pair_id, read_numbers(values, pair_id)) for pair_id in sorted(values)]


def encode_answer(request: Mapping[str, object], answer: Fields) -> bytes:
    """Write an answer as one line, with the `id` of its request."""
    if "id" in request:
        answer["id"] = request["id"]
    return json.dumps(answer, allow_nan=False).encode() + b"\n"


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name} must be a number or null.")
    return float(value)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
