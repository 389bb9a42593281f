"""Exact reads and writes on non-blocking pipes, each with a deadline on the monotonic clock."""

import os
import select
import time

CHUNK = 1 << 20


class EndOfPipe(Exception):
    """The other end closed the pipe: its process is gone, or wants no more."""


def read_exactly(descriptor: int, size: int, deadline: float) -> bytes:
    """Read exactly `size` bytes.

    Raises:
        TimeoutError: the deadline passed first.
        EndOfPipe: the other end closed first.
    """
    parts = bytearray()
    while len(parts) < size:
        try:
            chunk = os.read(descriptor, min(CHUNK, size - len(parts)))
        except BlockingIOError:
            _wait(descriptor, select.POLLIN, deadline)
            continue
        if not chunk:
            raise EndOfPipe
        parts += chunk
    return bytes(parts)


def read_waiting(descriptor: int) -> bytes:
    """Return a byte that is already in the pipe, or nothing.

    Raises:
        EndOfPipe: the other end is closed.
    """
    try:
        chunk = os.read(descriptor, 1)
    except BlockingIOError:
        return b""
    if not chunk:
        raise EndOfPipe
    return chunk


def write_all(descriptor: int, data: bytes, deadline: float) -> None:
    """Write all of `data`.

    Raises:
        TimeoutError: the deadline passed first.
        EndOfPipe: the other end closed first.
    """
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            _wait(descriptor, select.POLLOUT, deadline)
        except BrokenPipeError as error:
            raise EndOfPipe from error


def _wait(descriptor: int, event: int, deadline: float) -> None:
    left = deadline - time.monotonic()
    poller = select.poll()
    poller.register(descriptor, event)
    if left <= 0 or not poller.poll(left * 1000):
        raise TimeoutError
