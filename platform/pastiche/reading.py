"""Read the server's answers in the shapes that this program knows."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from pastiche.errors import NetworkError
from pastiche.language import say
from pastiche.responses import Page, Response
from pastiche.transport import Transport

R = TypeVar("R", bound=Response)


def parse(shape: type[R], body: bytes) -> R:
    """Return an answer in its shape.

    Raises:
        NetworkError: it has another shape.
    """
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "-"
        raise NetworkError(
            say("The server's answer cannot be understood at {where}.", where=where),
            fix=say("Check that the address is that of a Pastiche server; this program may be too old."),
            code="BAD_ANSWER",
        ) from error


def read_all(
    transport: Transport, shape: type[R], path: str, query: Mapping[str, str] | None = None
) -> list[R]:
    """Read a list to its last page; a page that was begun is not lost to lines that come in meanwhile."""
    rows: list[R] = []
    cursor = ""
    seen: set[str] = set()
    while cursor not in seen:
        seen.add(cursor)
        place = {"cursor": cursor} if cursor else {}
        page = parse(Page[shape], transport.get(path, {**(query or {}), **place}))  # type: ignore[valid-type]
        rows += page.results
        if not page.next_cursor:
            break
        cursor = page.next_cursor
    return rows
