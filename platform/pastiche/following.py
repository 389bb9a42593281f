"""Follow a run, or a look at pictures, to its end: ask again and again, survive a server that is away for a while."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from pastiche.client import Client
from pastiche.errors import NetworkError, Refused
from pastiche.organizers import Data
from pastiche.responses import LogChunk, Run

PAUSE = 2.0
PATIENCE = 120.0

T = TypeVar("T")
Notice = Callable[[NetworkError], object]


def follow_run(
    client: Client,
    run_id: str,
    *,
    pause: float = PAUSE,
    patience: float = PATIENCE,
    notice: Notice = lambda error: None,
) -> Iterator[Run | LogChunk]:
    """Yield the run at each change, and its log as it grows; the ended run comes last.

    `notice` is told the first failure of each time that the server is away.

    Raises:
        NetworkError: the server was away for longer than `patience` seconds.
    """
    ask = partial(_patiently, pause=pause, patience=patience, notice=notice)
    offset: int | None = 0
    last: Run | None = None
    while True:
        run: Run = ask(partial(client.run, run_id))
        if offset is not None and run.state != "queued":
            chunk: LogChunk | None = ask(partial(_read_log, client, run_id, offset))
            if chunk and chunk.text:
                yield chunk
            offset = chunk.next_offset if chunk else None
        if run != last:
            yield run
        if run.is_over:
            return
        last = run
        time.sleep(pause)


def follow_data(
    client: Client,
    slug: str,
    sha256: str,
    *,
    pause: float = PAUSE,
    patience: float = PATIENCE,
    notice: Notice = lambda error: None,
) -> Iterator[Data]:
    """Yield how far a worker is with the pictures of that zip; what came of them is last.

    `notice` is told, and `NetworkError` raised, as by `follow_run`.
    """
    while True:
        found = _patiently(
            partial(client.organizing.data, slug), pause=pause, patience=patience, notice=notice
        )
        yield found
        if not found.is_under_way(sha256):
            return
        time.sleep(pause)


def find_run(client: Client, any_id: str) -> Run:
    """Return the run with this id, or the latest run of the submission with this id."""
    try:
        return client.submission(any_id).run
    except Refused as error:
        if error.code != "NOT_FOUND":
            raise
    return client.run(any_id)


def read_whole_log(client: Client, run_id: str) -> LogChunk:
    """Read a log from its beginning to where it ends now."""
    chunk = client.log(run_id)
    texts = [chunk.text]
    while chunk.next_offset > chunk.offset:
        chunk = client.log(run_id, chunk.next_offset)
        texts.append(chunk.text)
    return chunk.model_copy(update={"offset": 0, "text": "".join(texts)})


def _read_log(client: Client, run_id: str, offset: int) -> LogChunk | None:
    """Return None where the log is shown to others only."""
    try:
        return client.log(run_id, offset)
    except Refused:
        return None


def _patiently(ask: Callable[[], T], *, pause: float, patience: float, notice: Notice) -> T:
    deadline: float | None = None
    while True:
        try:
            return ask()
        except NetworkError as error:
            if deadline is None:
                deadline = time.monotonic() + patience
                notice(error)
            if time.monotonic() >= deadline:
                raise
            time.sleep(pause)
