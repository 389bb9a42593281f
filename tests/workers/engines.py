"""A stand-in for a container engine's socket: it answers with documents and remembers what it was asked."""

import json
import socketserver
import threading
from collections import ChainMap
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

IMAGE = "sha256:" + "a" * 64
DOCUMENTS: dict[str, Any] = {
    "GET /version": {"Version": "27.0.1", "ApiVersion": "1.46"},
    "GET /info": {
        "Runtimes": {"runc": {}, "runsc": {}},
        "MemoryLimit": True,
        "SwapLimit": True,
        "PidsLimit": True,
        "CpuCfsQuota": True,
        "SecurityOptions": ["name=seccomp,profile=builtin"],
    },
    f"GET /images/{IMAGE.replace(':', '%3A')}/json": {
        "Id": IMAGE,
        "Config": {"Env": ["PATH=/bin", "LANG=C"]},
    },
    "GET /containers/json": [],
}


@contextmanager
def engine(folder: Path, changes: dict[str, Any] | None = None) -> Iterator[tuple[Path, list[str]]]:
    """Serve documents on a socket; yield its path and the requests so far.

    None stands for a missing document, and NAME for that of any container. `changes` may change meanwhile.
    """
    asked = list[str]()
    documents = ChainMap(changes if isinstance(changes, dict) else {}, DOCUMENTS)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            request = f"{self.command} {self.path.split('?')[0]}"
            asked.append(f"{self.command} {self.path}")
            if self.path.startswith("/containers/pastiche-"):
                request = request.replace(self.path.split("/")[2].split("?")[0], "NAME")
            document = documents.get(request)
            body = json.dumps({"message": "no such thing"} if document is None else document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # whoever asked is gone

        def log_message(self, *arguments: object) -> None:
            pass

        def address_string(self) -> str:
            return "a socket"

    address = folder / "engine.sock"
    with socketserver.UnixStreamServer(str(address), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield address, asked
        finally:
            server.shutdown()
            thread.join()
