"""Read JSON from strangers: UTF-8 only, no doubled keys, no NaN, no deep nesting."""

import json
from typing import Any


def parse_strict_json(data: bytes, *, max_depth: int) -> object:
    """Parse bytes as JSON and refuse what two readers could understand differently.

    Raises:
        ValueError: with half a sentence that says what was found.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise ValueError("it begins with a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from error
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {max_depth} levels") from error
    _check(value, max_depth, max_depth)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:60]!r} occurs twice")
        found[key] = value
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _number(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value


def _check(value: object, left: int, most: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise ValueError(f"it is nested deeper than {most} levels")
    for key in value if isinstance(value, dict) else ():
        _check_text(key)
    for item in value.values() if isinstance(value, dict) else value:
        _check(item, left - 1, most)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a string holds half a surrogate pair") from error
