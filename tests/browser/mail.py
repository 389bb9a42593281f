"""A mail server that keeps what it is given, so that a walk can open the link in a mail."""

import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy

PATIENCE_SECONDS = 30


class Mailbox(socketserver.ThreadingTCPServer):
    """The server; `mails` holds the text of each mail by its receiver."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen at a free port of this machine."""
        self.mails: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Conversation)

    @property
    def address(self) -> str:
        """Return what the platform's setting takes."""
        return f"smtp+plain://127.0.0.1:{self.server_address[1]}"

    def link_for(self, receiver: str) -> str:
        """Wait for a mail to somebody and return the first link in it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for to, text in self.mails:
                found = re.search(r"http://\S+", text)
                if to == receiver and found:
                    return found[0]
            time.sleep(0.1)
        raise AssertionError(f"no mail with a link came to {receiver}")


class _Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP as Django speaks."""

    server: Mailbox

    def handle(self) -> None:
        """Answer line by line."""
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            command = line.split()[0].upper()
            if command == "DATA":
                self._say("354 go on")
                self._take()
            elif command == "QUIT":
                return self._say("221 bye")
            self._say("250 fine")
        return None

    def _take(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        body = mail.get_body(("plain",))
        self.server.mails.append((str(mail["To"]), body.get_content() if body else ""))

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run the server."""
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
