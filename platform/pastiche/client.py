"""The server's REST API as Python methods, one per address."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from pydantic import ValidationError
from urllib3.util import Retry

from pastiche.errors import NetworkError
from pastiche.responses import (
    Board,
    Competition,
    CompetitionDetail,
    LogChunk,
    Me,
    NewToken,
    Page,
    Pair,
    Response,
    Run,
    Scores,
    Submission,
)
from pastiche.transport import RETRY, Transport
from pastiche.upload import FileForm

R = TypeVar("R", bound=Response)


class Client:
    """A connection to one server, with or without a token; use it in a `with` statement.

    Every method raises `LoginNeeded`, `Refused`, `CheckFailed` or `NetworkError` where the server does not
    answer as hoped.
    """

    def __init__(self, base_url: str, token: str = "", *, retry: Retry = RETRY) -> None:
        """Keep the address and the token; nothing is sent yet."""
        self._transport = Transport(base_url, token, retry)

    def __enter__(self) -> "Client":
        """Return the client itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close all connections."""
        self._transport.close()

    def create_token(self, username: str, password: str, name: str) -> NewToken:
        """Exchange user name and password for a token called `name`."""
        fields = {"username": username, "password": password, "name": name}
        return _parse(NewToken, self._transport.post("/tokens/", fields))

    def me(self) -> Me:
        """Return who the token belongs to."""
        return self._get(Me, "/me/")

    def competitions(self) -> list[Competition]:
        """List the competitions."""
        return self._get_all(Competition, "/competitions/")

    def competition(self, slug: str) -> CompetitionDetail:
        """Return one competition with phases, quota and metrics."""
        return self._get(CompetitionDetail, f"/competitions/{_part(slug)}/")

    def leaderboard(self, slug: str, phase: str = "") -> Board:
        """Return the newest board of a phase, by default of the one that matters now."""
        query = {"phase": phase} if phase else {}
        return self._get(Board, f"/competitions/{_part(slug)}/leaderboard/", query)

    def pairs(self, slug: str, phase: str = "") -> list[Pair]:
        """List the public pairs of a phase, by default of the one that matters now."""
        return self._get_all(Pair, f"/competitions/{_part(slug)}/pairs/", {"phase": phase} if phase else {})

    def image(self, address: str) -> bytes:
        """Fetch an image from where an answer of the server says it is, on that server only."""
        return self._transport.fetch(address)

    def submit(
        self, archive: Path, fields: Mapping[str, str], progress: Callable[[int], None] = lambda sent: None
    ) -> Submission:
        """Hand in an archive; `fields`: competition, and at will phase, team, note, again ("true")."""
        with archive.open("rb") as file:
            form = FileForm(fields, file, archive.stat().st_size, progress)
            return _parse(Submission, self._transport.upload("/submissions/", form))

    def submissions(self) -> list[Submission]:
        """List the submissions of the caller's teams, newest first."""
        return self._get_all(Submission, "/submissions/")

    def submission(self, submission_id: str) -> Submission:
        """Return one submission with its latest run."""
        return self._get(Submission, f"/submissions/{_part(submission_id)}/")

    def cancel(self, submission_id: str) -> Submission:
        """End the live run of a submission."""
        return _parse(Submission, self._transport.post(f"/submissions/{_part(submission_id)}/cancel/", {}))

    def run(self, run_id: str) -> Run:
        """Return where a run stands."""
        return self._get(Run, f"/runs/{_part(run_id)}/")

    def log(self, run_id: str, offset: int = 0) -> LogChunk:
        """Read a run's log from a character offset on."""
        return self._get(LogChunk, f"/runs/{_part(run_id)}/log/", {"offset": offset})

    def scores(self, run_id: str) -> Scores:
        """Return the result of a scored run."""
        return self._get(Scores, f"/runs/{_part(run_id)}/scores/")

    def _get(self, shape: type[R], path: str, query: Mapping[str, str | int] | None = None) -> R:
        return _parse(shape, self._transport.get(path, query or {}))

    def _get_all(self, shape: type[R], path: str, query: Mapping[str, str] | None = None) -> list[R]:
        rows: list[R] = []
        offset: int | None = 0
        while offset is not None:
            place = {"offset": offset} if offset else {}
            answer = self._transport.get(path, {**(query or {}), **place})
            page = _parse(Page[shape], answer)  # type: ignore[valid-type]
            rows += page.results
            offset = page.next_offset if (page.next_offset or 0) > offset else None
        return rows


def _parse(shape: type[R], body: bytes) -> R:
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "its beginning"
        raise NetworkError(
            f"The server's answer cannot be understood at {where}.",
            fix="Check that the address is that of a Pastiche server; this program may be too old.",
            code="BAD_ANSWER",
        ) from error


def _part(text: str) -> str:
    """Write a stranger's word so that it stays one part of an address."""
    return quote(text, safe="") if text.strip(".") else "-"
