"""Starting the house: paths with spaces, hosts that listen everywhere, and only passwords that were tried."""

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from config import launch


class Refusing(BaseHTTPRequestHandler):
    """A server that answers 400 to everything, as Django does to names that it does not know."""

    def do_GET(self) -> None:  # noqa: N802
        """Refuse."""
        self.send_error(400)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """The port of a server that listens at all addresses and refuses every name."""
    with ThreadingHTTPServer(("0.0.0.0", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the demo accounts, in a data folder of this test."""
    monkeypatch.setenv("PASTICHE_DATA_DIR", str(tmp_path))
    path = tmp_path / "demo_accounts.json"
    path.write_text(json.dumps({"researcher": "kept"}))
    return path


@pytest.mark.parametrize("name", ["web", "worker", "intake", "scheduler", "seed"])
def test_every_service_starts_from_a_path_with_spaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    environment = tmp_path / "a b; c"
    environment.symlink_to(Path(sys.executable).parents[1])
    monkeypatch.setattr(sys, "executable", str(environment / "bin" / "python"))
    line = launch.command_lines(8000)[name]
    assert shlex.split(line)[0] == sys.executable
    paths = {"PYTHONPATH": f"{launch.ROOT}{os.pathsep}{launch.ROOT / 'platform'}"}
    done = subprocess.run(
        f"{line} --help", shell=True, cwd=launch.ROOT, env=os.environ | paths, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--help" in done.stdout


@pytest.mark.parametrize(
    ("host", "bind"), [("127.0.0.1", "127.0.0.1:8000"), ("0.0.0.0", "0.0.0.0:8000"), ("::", "[::]:8000")]
)
def test_the_server_listens_where_it_was_told(monkeypatch: pytest.MonkeyPatch, host: str, bind: str) -> None:
    monkeypatch.setattr(launch, "HOST", host)
    words = shlex.split(launch.command_lines(8000)["web"])
    assert words[words.index("--bind") + 1] == bind


def test_a_host_that_listens_everywhere_is_greeted_at_an_address_that_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refusing_port: int, accounts: Path
) -> None:
    monkeypatch.setattr(launch, "HOST", "0.0.0.0")
    monkeypatch.delenv("PASTICHE_ALLOWED_HOSTS", raising=False)
    launch.greet(refusing_port, known=-1)
    greeting = capsys.readouterr().out
    assert f"http://127.0.0.1:{refusing_port}/" in greeting
    assert "0.0.0.0" not in greeting
    assert "PASTICHE_ALLOWED_HOSTS" in greeting
    assert "researcher  /  kept" in greeting


def test_a_host_for_this_machine_alone_needs_no_advice(
    capsys: pytest.CaptureFixture[str], refusing_port: int, accounts: Path
) -> None:
    assert launch.HOST == "127.0.0.1"
    launch.greet(refusing_port, known=-1)
    assert "PASTICHE_ALLOWED_HOSTS" not in capsys.readouterr().out


def test_passwords_of_an_earlier_start_are_not_printed_before_the_seed_has_tried_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refusing_port: int, accounts: Path
) -> None:
    known = launch.version(accounts)
    monkeypatch.setattr(launch, "START_SECONDS", 1)
    launch.greet(refusing_port, known)
    assert "researcher" not in capsys.readouterr().out

    accounts.write_text(json.dumps({"researcher": "tried"}))
    launch.greet(refusing_port, known)
    assert "researcher  /  tried" in capsys.readouterr().out
