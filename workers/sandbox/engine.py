"""The few things that a container engine is asked on its socket, each with a deadline."""

import contextlib
import http.client
import json
import socket
from pathlib import Path
from urllib.parse import quote

ANSWER_SECONDS = 30.0
MOST_BYTES = 4 << 20
GONE = (404, 409)  # no such container; one that does not run, or that is being removed already


class EngineError(Exception):
    """The engine does not answer, or refuses; `status` is that of its answer, 0 without one."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Keep what it said."""
        super().__init__(message)
        self.status = status


class Engine:
    """An engine that speaks Docker's interface on a Unix socket of this machine."""

    def __init__(self, address: Path) -> None:
        """Name its socket; nothing is asked yet."""
        self.address = address

    def version(self) -> object:
        """Return versions of the engine and of the kernel that it runs on."""
        return self._ask("GET", "/version")

    def info(self) -> object:
        """Return runtimes, and what can be limited."""
        return self._ask("GET", "/info")

    def image(self, name: str) -> object:
        """Return identity and configuration of an image that the engine has."""
        return self._ask("GET", f"/images/{quote(name, safe='')}/json")

    def container(self, name: str) -> object:
        """Return how a container was really configured, and its state."""
        return self._ask("GET", f"/containers/{quote(name)}/json")

    def containers(self, label: str) -> list[str]:
        """List the names of all containers with a label, also of those that have ended."""
        filters = quote(json.dumps({"label": [label]}))
        rows = self._ask("GET", f"/containers/json?all=true&filters={filters}")
        named = [look(row, "Names") for row in rows] if isinstance(rows, list) else []
        return [str(names[0]).removeprefix("/") for names in named if isinstance(names, list) and names]

    def pause(self, name: str) -> None:
        """Freeze all processes of a container."""
        self._ask("POST", f"/containers/{quote(name)}/pause")

    def unpause(self, name: str) -> None:
        """Let all processes of a container run."""
        self._ask("POST", f"/containers/{quote(name)}/unpause")

    def kill(self, name: str) -> None:
        """Kill all processes of a container, where it runs."""
        self._ask("POST", f"/containers/{quote(name)}/kill", unless=GONE)

    def remove(self, name: str) -> None:
        """Kill a container and remove it, where there is one."""
        self._ask("DELETE", f"/containers/{quote(name)}?force=true&v=true", unless=GONE)

    def _ask(self, method: str, path: str, unless: tuple[int, ...] = ()) -> object:
        """Send one request; refusals with a status of `unless` do not matter.

        Raises:
            EngineError: no answer, an answer that is none, or a refusal.
        """
        with contextlib.closing(_SocketConnection(self.address)) as connection:
            try:
                connection.request(method, path)
                response = connection.getresponse()
                body = response.read(MOST_BYTES)
                answer = json.loads(body) if body else None
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise EngineError(f"The engine at {self.address} gives no answer: {error}") from error
        if response.status >= 400 and response.status not in unless:
            raise EngineError(f"The engine refuses: {look(answer, 'message')}", response.status)
        return answer


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, address: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._address = str(address)

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address)


def look(document: object, path: str) -> object:
    """Look up `a.b.c` in nested tables; None where anything is missing."""
    for key in path.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document
