"""The default broker: messages as files that appear whole, and a damaged one that stops nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

from config import broker


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A connection to a folder of its own; kombu remembers queues by name, so each test needs its own."""
    broker.register()
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": tmp_path / "messages",
        "data_folder_out": tmp_path / "messages",
        "control_folder": tmp_path / "control",
    }
    with Connection(broker.URL, transport_options=options) as made:
        yield made


def test_messages_come_out_as_they_went_in_and_in_order(connection: Connection) -> None:
    with connection.SimpleQueue("ordered") as queue:
        for number in range(5):
            queue.put({"number": number})
        assert [queue.get(timeout=5).payload["number"] for _ in range(5)] == list(range(5))


def test_half_a_message_is_thrown_away_and_the_next_one_read(connection: Connection, tmp_path: Path) -> None:
    with connection.SimpleQueue("damaged") as queue:
        (tmp_path / "messages" / "0_broken.damaged.msg").write_text('{"body": "hal')
        queue.put({"number": 1})
        assert queue.get(timeout=5).payload == {"number": 1}


def test_no_unfinished_file_is_left(connection: Connection, tmp_path: Path) -> None:
    with connection.SimpleQueue("finished") as queue:
        queue.put({"number": 1})
        assert not list((tmp_path / "control").glob("*.part"))
        assert len(list((tmp_path / "messages").glob("*.finished.msg"))) == 1
