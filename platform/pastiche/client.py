"""The server's REST API as Python methods, one per address."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from urllib3.util import Retry

from pastiche.bundle import inspect, packed
from pastiche.config import config_path, load_config
from pastiche.errors import PasticheError
from pastiche.organizing import Organizing
from pastiche.reading import parse, read_all
from pastiche.responses import (
    Admission,
    Board,
    Competition,
    CompetitionDetail,
    LogChunk,
    Me,
    NewToken,
    Output,
    Pair,
    PhaseDetail,
    Response,
    Run,
    Scores,
    Submission,
)
from pastiche.transport import RETRY, Progress, Transport
from pastiche.uploads import Uploads

R = TypeVar("R", bound=Response)
SCOPES = ("read", "submit")


class Client:
    """A connection to one server, with or without a token; use it in a `with` statement.

    `Client()` takes server and token from PASTICHE_URL and PASTICHE_TOKEN, or from what `pastiche login` has kept.
    Every method raises a `PasticheError` with `code`, `message`, `fix` and `fields` where the server does not
    answer as hoped: `LoginNeeded`, `Refused`, `CheckFailed` or `NetworkError`.
    """

    def __init__(
        self, base_url: str = "", token: str = "", *, retry: Retry = RETRY, pause: float = 1.0
    ) -> None:
        """Keep the address and the token; nothing is sent yet. `pause`: seconds after a first failed part."""
        if not base_url:
            config = load_config(os.environ, config_path())
            base_url, token = config.server, token or config.token
        self._transport = Transport(base_url, token, retry)
        self.server = base_url.rstrip("/")
        self.uploads = Uploads(self._transport, pause)
        self.organizing = Organizing(self._transport, self.uploads)

    def __enter__(self) -> "Client":
        """Return the client itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close all connections."""
        self._transport.close()

    def create_token(
        self, username: str, password: str, name: str, scopes: Sequence[str] = SCOPES
    ) -> NewToken:
        """Exchange user name and password for a token called `name` that can do what `scopes` say."""
        fields = {"username": username, "password": password, "name": name, "scopes": list(scopes)}
        return parse(NewToken, self._transport.post("/tokens/", fields))

    def me(self) -> Me:
        """Return who the token belongs to."""
        return self._get(Me, "/me/")

    def clock_ahead(self) -> float | None:
        """Return by how many seconds this machine's clock is ahead of the server's, where the server tells."""
        return self._transport.clock_ahead("/competitions/")

    def competitions(self) -> list[Competition]:
        """List the competitions."""
        return read_all(self._transport, Competition, "/competitions/")

    def competition(self, slug: str) -> CompetitionDetail:
        """Return one competition with phases, quota and metrics."""
        return self._get(CompetitionDetail, f"/competitions/{_part(slug)}/")

    def phases(self, slug: str) -> list[PhaseDetail]:
        """List the phases with what their runs are scored by."""
        return read_all(self._transport, PhaseDetail, f"/competitions/{_part(slug)}/phases/")

    def leaderboard(self, slug: str, phase: str = "") -> Board:
        """Return the newest board of a phase, by default of the one that matters now."""
        query = {"phase": phase} if phase else {}
        return self._get(Board, f"/competitions/{_part(slug)}/leaderboard/", query)

    def pairs(self, slug: str, phase: str = "") -> list[Pair]:
        """List the public pairs of a phase, by default of the one that matters now."""
        query = {"phase": phase} if phase else {}
        return read_all(self._transport, Pair, f"/competitions/{_part(slug)}/pairs/", query)

    def image(self, address: str) -> bytes:
        """Fetch an image from where an answer of the server says it is, on that server only."""
        return self._transport.fetch(address)

    def submit(
        self,
        archive: Path | str,
        competition: str,
        *,
        phase: str = "",
        team: str = "",
        note: str = "",
        again: bool = False,
        progress: Progress = lambda sent, size: None,
    ) -> Submission:
        """Hand in an archive, a .zip file or the folder of one; what an earlier try has sent is not sent again.

        What would be refused is refused before a byte of it is sent. `again`: although the team has handed in the
        same archive before.
        """
        place = {name: text for name, text in (("phase", phase), ("team", team)) if text}
        fields = {"competition": competition, "again": again, **place, **({"note": note} if note else {})}
        with packed(Path(archive)) as path:
            digest = {} if again else {"sha256": inspect(path).sha256}
            self.admission(competition, **place, **digest)
            upload = self.uploads.send(path, progress)
        created = self._transport.create("/submissions/", fields | {"upload": upload.id})
        with suppress(PasticheError):  # it expires anyway
            self.uploads.delete(upload.id)
        return parse(Submission, created)

    def admission(self, competition: str, *, phase: str = "", team: str = "", sha256: str = "") -> Admission:
        """Ask whether an archive with this digest would be taken now; else what says why not is raised."""
        query = {name: text for name, text in (("phase", phase), ("team", team), ("sha256", sha256)) if text}
        return self._get(Admission, f"/competitions/{_part(competition)}/admission/", query)

    def submissions(self) -> list[Submission]:
        """List the submissions of the caller's teams, newest first."""
        return read_all(self._transport, Submission, "/submissions/")

    def submission(self, submission_id: str) -> Submission:
        """Return one submission with its latest run."""
        return self._get(Submission, f"/submissions/{_part(submission_id)}/")

    def cancel(self, submission_id: str) -> Submission:
        """End the live run of a submission."""
        return parse(Submission, self._transport.post(f"/submissions/{_part(submission_id)}/cancel/", {}))

    def choose_final(self, submission_id: str, *, is_final: bool = True) -> Submission:
        """Have the team ranked by a submission, or take that back; doing it twice changes nothing."""
        path = f"/submissions/{_part(submission_id)}/final/"
        if is_final:
            return parse(Submission, self._transport.post(path, {}, may_repeat=True))
        self._transport.delete(path)
        return self.submission(submission_id)

    def retry(self, submission_id: str) -> Submission:
        """Queue a submission anew as it is, after it was cancelled or the platform broke its run."""
        return parse(Submission, self._transport.create(f"/submissions/{_part(submission_id)}/retry/", {}))

    def run(self, run_id: str) -> Run:
        """Return where a run stands."""
        return self._get(Run, f"/runs/{_part(run_id)}/")

    def log(self, run_id: str, offset: int = 0) -> LogChunk:
        """Read a run's log from a character offset on."""
        return self._get(LogChunk, f"/runs/{_part(run_id)}/log/", {"offset": offset})

    def scores(self, run_id: str) -> Scores:
        """Return the result of a scored run."""
        return self._get(Scores, f"/runs/{_part(run_id)}/scores/")

    def outputs(self, run_id: str) -> list[Output]:
        """List the stylized images of public pairs that a run has made so far."""
        return read_all(self._transport, Output, f"/runs/{_part(run_id)}/outputs/")

    def _get(self, shape: type[R], path: str, query: Mapping[str, str | int] | None = None) -> R:
        return parse(shape, self._transport.get(path, query or {}))


def _part(text: str) -> str:
    """Write a stranger's word so that it stays one part of an address."""
    return quote(text, safe="") if text.strip(".") else "-"
