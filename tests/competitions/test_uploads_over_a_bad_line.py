"""An upload over a line that breaks at random points: whole in the end, at the price of one part a cut at most."""

import base64
import contextlib
import hashlib
import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.services import issue_token
from competitions.parts import PART_BYTES
from competitions.selectors.uploads import content_of
from tests.conftest import manifest_of

MEGABYTE = 2**20
HEADERS_BYTES = 2000  # of one request


@dataclass
class BadLine:
    """A proxy before a server that cuts a connection after a random number of bytes, as often as `cuts` says."""

    server: tuple[str, int]
    cuts: int
    dice: random.Random
    forwarded: int = 0
    done: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        """Return the address that clients use."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        """Pass connections on, one after the other, until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client, socket.create_connection(self.server) as server:
                    self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=_copy, args=(server, client))
        back.start()
        room = self.dice.randrange(100, PART_BYTES) if self.done < self.cuts else 2**62
        with contextlib.suppress(OSError):
            while room > 0 and (data := client.recv(min(65536, room))):
                server.sendall(data)
                self.forwarded += len(data)
                room -= len(data)
        self.done += room <= 0
        for end in (server, client):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def bad_line(server: LiveServer, cuts: int) -> Iterator[BadLine]:
    """Put the proxy before the server."""
    line = BadLine((server.thread.host, server.thread.port), cuts, random.Random(cuts))
    thread = threading.Thread(target=line.serve)
    thread.start()
    yield line
    line.listener.shutdown(socket.SHUT_RDWR)
    line.listener.close()
    thread.join()


@dataclass
class Sender:
    """A client that begins anew where the platform says that something is missing."""

    url: str
    key: str
    content: bytes
    requests: int = 0

    def send(self) -> str:
        """Send the whole file, and return the id of the finished upload."""
        fields = {
            "kind": "archive",
            "size": len(self.content),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "manifest": manifest_of("identity"),
        }
        upload = str(self._until_answered("POST", "", json=fields)["id"])
        while missing := self._until_answered("GET", f"{upload}/")["missing"]:
            for offset in missing:
                with contextlib.suppress(requests.ConnectionError):
                    self._put(upload, offset)
        assert self._until_answered("POST", f"{upload}/finish/", json={})["state"] == "finished"
        return upload

    def _put(self, upload: str, offset: int) -> None:
        piece = self.content[offset : offset + PART_BYTES]
        digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        headers = {"Content-Digest": f"sha-256=:{digest}:", "Content-Type": "application/octet-stream"}
        self._ask("PUT", f"{upload}/parts/{offset}/", headers=headers, data=piece)

    def _until_answered(self, method: str, path: str, **options: object) -> dict:
        while True:
            with contextlib.suppress(requests.ConnectionError):
                return self._ask(method, path, headers={"Idempotency-Key": f"{method}-{path}"}, **options)

    def _ask(self, method: str, path: str, *, headers: dict[str, str], **options: object) -> dict:
        self.requests += 1
        mine = {"Authorization": f"Bearer {self.key}", "Connection": "close"}
        url = f"{self.url}/api/v1/uploads/{path}"
        answer = requests.request(method, url, headers=mine | headers, timeout=60, **options)  # type: ignore[arg-type]
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("megabytes", "cuts"), [(33, 6), pytest.param(300, 40, marks=pytest.mark.long)])
def test_a_line_that_breaks_costs_a_part_per_cut_and_nothing_else(
    live_server: LiveServer, researcher: User, settings: Settings, megabytes: int, cuts: int
) -> None:
    settings.API_WRITES_PER_MINUTE = 0
    _, key = issue_token(user=researcher, name="line")
    dice = random.Random(megabytes)
    content = b"".join(dice.randbytes(MEGABYTE) for _ in range(megabytes)) + b"the end"
    with bad_line(live_server, cuts) as line:
        sender = Sender(line.url, key, content)
        upload = sender.send()
    with content_of(upload, researcher) as stored:  # type: ignore[arg-type]
        assert hashlib.file_digest(stored, "sha256").hexdigest() == hashlib.sha256(content).hexdigest()
    print(f"{len(content)} bytes, {cuts} cuts, {line.forwarded} sent in {sender.requests} requests")
    assert line.done == cuts
    overhead = sender.requests * HEADERS_BYTES
    assert line.forwarded <= len(content) + cuts * PART_BYTES + overhead
