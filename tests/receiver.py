"""A small web server that takes webhooks, and answers as it is told to."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Taken:
    """One message as it arrived."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """What arrived, and what is answered; `drip` seconds pass between two bytes of the answer's head."""

    url: str = ""
    status: int = 204
    drip: float = 0.0
    taken: list[Taken] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.taken.append(Taken(self.path, headers, body))
        if receiver.drip:
            self._trickle(receiver.drip)
            return
        self.send_response(receiver.status)
        if 300 <= receiver.status < 400:
            self.send_header("Location", f"{receiver.url}elsewhere")
        self.end_headers()

    def _trickle(self, pause: float) -> None:
        self.close_connection = True
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in range(200):
                self.wfile.write(b"a")
                time.sleep(pause)
        except OSError:
            pass

    def log_message(self, *arguments: object) -> None:
        """Keep the test output clean."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver at a free loopback port."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.receiver = receiver  # type: ignore[attr-defined]
    receiver.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
