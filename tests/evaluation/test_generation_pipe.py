"""Exact reads and writes on pipes: a deadline is kept, and a closed end is told apart from a slow one."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from evaluation.generation.pipe import EndOfPipe, read_exactly, read_waiting, write_all


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of which both ends do not block."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def soon(seconds: float = 0.1) -> float:
    return time.monotonic() + seconds


def test_pieces_are_put_together(pipe: tuple[int, int]) -> None:
    def write() -> None:
        for piece in (b"ab", b"c", b"def"):
            os.write(pipe[1], piece)
            time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_exactly(pipe[0], 5, soon(5)) == b"abcde"
    writer.join()
    assert read_waiting(pipe[0]) == b"f"


def test_a_reader_gives_up_at_its_deadline(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"abc")
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        read_exactly(pipe[0], 4, soon())
    assert 0.09 < time.monotonic() - started < 30


def test_a_writer_gives_up_at_its_deadline(pipe: tuple[int, int]) -> None:
    with pytest.raises(TimeoutError):
        write_all(pipe[1], bytes(4 << 20), soon())


def test_a_closed_end_is_no_timeout(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"abc")
    os.close(pipe[1])
    with pytest.raises(EndOfPipe):
        read_exactly(pipe[0], 4, soon(5))
    with pytest.raises(EndOfPipe):
        read_waiting(pipe[0])


def test_nobody_can_write_to_a_closed_end(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    with pytest.raises(EndOfPipe):
        write_all(pipe[1], b"abc", soon(5))


def test_nothing_waits_in_an_empty_pipe(pipe: tuple[int, int]) -> None:
    assert read_waiting(pipe[0]) == b""
