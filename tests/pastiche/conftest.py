"""A small real HTTP server that answers like the platform's API, and a way to run the command line against it."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from pastiche.cli import cli
from tests.pastiche.answers import ADMISSION

TOKEN = "tok-0123456789abcdef-SECRET"


@dataclass
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Remote:
    """What the server answers: for each address a queue of (status, body), of which the last stays."""

    url: str = ""
    date: str = ""  # of all answers, where it is not the true one
    answers: dict[tuple[str, str], list[tuple[int, Any]]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def on(self, method: str, path: str, *answers: Any, status: int = 200) -> None:
        """Answer an address below /api/v1 with these bodies, one after another; a tuple sets the status."""
        queue = [answer if isinstance(answer, tuple) else (status, answer) for answer in answers]
        self.answers[method, f"/api/v1{path}"] = queue

    def next_answer(self, call: Call) -> tuple[int, Any]:
        self.calls.append(call)
        queue = self.answers.get((call.method, call.path))
        if not queue:
            return 404, problem("NOT_FOUND", f"no such thing: {call.path}")
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def take_uploads(self, size: int, sha256: str) -> None:
        """Take one upload of a single part."""
        upload = {"id": "up-1", "state": "open", "size": size, "sha256": sha256, "part_bytes": 8 * 2**20}
        begun = upload | {"received": 0, "missing": [0]}
        there = upload | {"received": size, "missing": []}
        self.on("GET", "/competitions/demo/admission/", ADMISSION)
        self.on("GET", "/uploads/", {"results": [], "next_cursor": None})
        self.on("POST", "/uploads/", begun, status=201)
        self.on("PUT", "/uploads/up-1/parts/0/", there)
        self.on("POST", "/uploads/up-1/finish/", there | {"state": "finished"})
        self.on("DELETE", "/uploads/up-1/", {}, status=204)

    def sent(self, path: str) -> Call:
        """Return the last request to an address below /api/v1."""
        return next(call for call in reversed(self.calls) if call.path == f"/api/v1{path}")

    def count(self, path: str) -> int:
        return sum(call.path == f"/api/v1{path}" for call in self.calls)


def problem(code: str, message: str, fix: str = "", **fields: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fix": fix, "fields": fields}}


class Handler(BaseHTTPRequestHandler):
    """Answer from the tables of the server's `remote`."""

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        body = self.rfile.read(length)
        call = Call(self.command, parts.path, parts.query, dict(self.headers), body)
        status, content = self.server.remote.next_answer(call)  # type: ignore[attr-defined]
        if status == 0:  # drop the connection without a word
            return
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response_only(status)
        remote: Remote = self.server.remote  # type: ignore[attr-defined]
        self.send_header("Date", remote.date or self.date_time_string())
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if 300 <= status < 400:
            self.send_header("Location", "http://elsewhere.invalid/api/v1/me/")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *arguments: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def remote() -> Iterator[Remote]:
    state = Remote()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.remote = state  # type: ignore[attr-defined]
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private home without settings; returns the path of the settings file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in (
        "PASTICHE_URL",
        "PASTICHE_TOKEN",
        "PASTICHE_LANG",
        "LC_ALL",
        "LANG",
        "FORCE_COLOR",
        "http_proxy",
        "HTTP_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "config" / "pastiche" / "config.json"


@pytest.fixture
def pastiche(home: Path) -> Callable[..., Result]:
    """Run `pastiche` without login, e.g. pastiche("list", "--json")."""

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli, arguments, input=typed, catch_exceptions=False)

    return run


@pytest.fixture
def logged_in(
    remote: Remote, pastiche: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run `pastiche` with server and token in the environment."""
    monkeypatch.setenv("PASTICHE_URL", remote.url)
    monkeypatch.setenv("PASTICHE_TOKEN", TOKEN)
    return pastiche
