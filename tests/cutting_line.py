"""A line between a client and a server that breaks: a proxy which cuts connections after random numbers of bytes."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

PIECE = 64 * 1024


@dataclass
class Line:
    """What went over the line: `sent` bytes from clients, and how often it was cut."""

    port: int = 0
    sent: int = 0
    cuts: int = 0
    left_to_cut: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def carries(self, size: int) -> bool:
        """Count bytes from a client, and say whether the line holds for them."""
        with self._lock:
            self.sent += size
            self.left_to_cut -= size
            return self.left_to_cut > 0


@contextmanager
def cutting_line(server_port: int, *, seed: int, mean: int, most: int) -> Iterator[Line]:
    """Run a proxy that cuts the connection after `mean` bytes on the average, at most `most` times."""
    chance = random.Random(seed)
    line = Line()

    def renew() -> None:
        line.left_to_cut = int(chance.uniform(0, 2 * mean)) if line.cuts < most else 2**60

    def serve(client: socket.socket) -> None:
        with closing(client), closing(socket.create_connection(("127.0.0.1", server_port))) as server:
            back = threading.Thread(target=_copy, args=(server, client))
            back.start()
            with suppress(OSError):
                while piece := client.recv(PIECE):
                    if not line.carries(len(piece)):
                        line.cuts += 1
                        renew()
                        break
                    server.sendall(piece)
            for end in (client, server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join()

    renew()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line.port = listener.getsockname()[1]
        threads: list[threading.Thread] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threads.append(threading.Thread(target=serve, args=(listener.accept()[0],)))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield line
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
