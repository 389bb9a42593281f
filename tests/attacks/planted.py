"""What the attacks look for on this machine: a secret, in a file, a variable and a few listening sockets."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / f"planted-{os.getpid()}"
SECRET_FILE = FOLDER / "hidden_pairs.json"
SECRET = "the-ground-truth-of-the-hidden-pairs"
VARIABLE = "PASTICHE_DATABASE_PASSWORD"
ABSTRACT = f"planted-{os.getpid()}"
SOCKET_FILE = FOLDER / "socket"

_ports: list[int] = []


@contextmanager
def plant() -> Iterator[None]:
    """Put everything in its place, open to every user; afterwards the file must still be as it was."""
    FOLDER.mkdir(mode=0o755)
    SECRET_FILE.write_text(SECRET)
    SECRET_FILE.chmod(0o666)
    os.environ[VARIABLE] = SECRET
    try:
        with ExitStack() as stack:
            for address in ("\0" + ABSTRACT, str(SOCKET_FILE)):
                listener = stack.enter_context(socket.socket(socket.AF_UNIX))
                listener.bind(address)
                listener.listen()
            SOCKET_FILE.chmod(0o777)
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            _ports.append(server.getsockname()[1])
            yield
        if SECRET_FILE.read_text() != SECRET or len(list(FOLDER.iterdir())) != 2:
            raise AssertionError("an attack has changed a file of this machine")
    finally:
        del os.environ[VARIABLE]
        for path in (*FOLDER.iterdir(), FOLDER):
            path.rmdir() if path.is_dir() else path.unlink()


def names() -> dict[str, object]:
    """Return what an attack may know of this machine, under the names by which its source speaks of it."""
    return {
        "SECRET_FILE": str(SECRET_FILE),
        "FOLDER": str(FOLDER),
        "VARIABLE": VARIABLE,
        "ABSTRACT": "\0" + ABSTRACT,
        "SOCKET_FILE": str(SOCKET_FILE),
        "PORT": _ports[-1] if _ports else 9,
    }
