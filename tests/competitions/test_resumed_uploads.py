"""The participants' client sends large archives over lines that break, and goes on after it was killed."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.services import issue_token
from competitions.models import Artifact, Phase, Submission, Upload
from competitions.parts import PART_BYTES
from evaluation.archive import pack_archive
from evaluation.zips.rules import MEGABYTE
from pastiche.client import Client
from pastiche.errors import NetworkError, Refused
from pastiche.transport import RETRY
from tests.conftest import IDENTITY, manifest_of
from tests.cutting_line import Line, cutting_line

ROOT = Path(__file__).parents[2]
REQUEST_BYTES = 4096  # what the heads of a few requests come to
QUICK = RETRY.new(backoff_factor=0.01)
SEND = """
import sys
from pathlib import Path
from pastiche import Client
Client().submit(sys.argv[1], "small", progress=lambda sent, size: print(sent, flush=True))
"""


@pytest.fixture
def token(researcher: User) -> str:
    """The researcher's token."""
    return issue_token(user=researcher, name="test")[1]


@pytest.fixture(params=[20, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A good archive of that many megabytes that no program can make smaller."""
    chance = random.Random(7)
    data = b"".join(chance.randbytes(MEGABYTE) for _ in range(request.param))
    path = tmp_path / "large.zip"
    files = {"manifest.json": json.dumps(manifest_of("large")).encode(), "model.py": IDENTITY.encode()}
    pack_archive(files | {"table.bin": data}, path)
    return path


@pytest.fixture
def line(live_server: LiveServer, large: Path) -> Iterator[Line]:
    """A line that is cut about once every 6 MB at first, and holds in the end."""
    port = int(live_server.url.rpartition(":")[2])
    most = 3 if large.stat().st_size < 100 * MEGABYTE else 40
    with cutting_line(port, seed=20260101, mean=6 * MEGABYTE, most=most) as made:
        yield made


def check_whole(line: Line, large: Path) -> None:
    """The archive lies there as it was, and no cut cost more than one part."""
    stored = Submission.objects.get().archive
    assert stored.sha256 == hashlib.sha256(large.read_bytes()).hexdigest()
    assert Artifact.objects.filter(sha256=stored.sha256, size=large.stat().st_size).exists()
    parts = -(-large.stat().st_size // PART_BYTES)
    heads = REQUEST_BYTES * (parts + 10 + 4 * line.cuts)
    assert line.sent <= large.stat().st_size + line.cuts * PART_BYTES + heads
    assert not Upload.objects.exclude(state=Upload.State.DELETED).exists()


@pytest.mark.slow
def test_an_archive_arrives_whole_over_a_line_that_breaks(
    line: Line, large: Path, phase: Phase, token: str
) -> None:
    told: list[int] = []
    with Client(f"http://127.0.0.1:{line.port}", token, retry=QUICK, pause=0.01) as client:
        client.submit(large, "small", progress=lambda sent, size: told.append(sent))
    assert line.cuts >= 2
    assert told[-1] == large.stat().st_size
    check_whole(line, large)


@pytest.mark.slow
def test_a_program_that_was_killed_goes_on_where_it_was(
    line: Line, large: Path, phase: Phase, token: str
) -> None:
    environment = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
        "PASTICHE_URL": f"http://127.0.0.1:{line.port}",
        "PASTICHE_TOKEN": token,
    }
    command = [sys.executable, "-c", SEND, str(large)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        for told in first.stdout:
            if int(told) > 1.5 * PART_BYTES:
                first.send_signal(signal.SIGKILL)
                break
    line.cuts += 1  # the kill
    deadline = time.monotonic() + 60
    while not Upload.objects.get().parts.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= PART_BYTES
    assert Upload.objects.count() == 1
    check_whole(line, large)


def test_what_was_sent_is_kept_when_the_submission_is_refused(
    live_server: LiveServer, phase: Phase, token: str, tmp_path: Path
) -> None:
    path = tmp_path / "small.zip"
    files = {"manifest.json": json.dumps(manifest_of("small")).encode(), "model.py": IDENTITY.encode()}
    pack_archive(files, path)
    with Client(live_server.url, token, pause=0.01) as client:
        with pytest.raises(Refused):
            client.submit(path, "nowhere")
        assert client.uploads.known() == []  # refused before anything was sent
        client.uploads.send(path)
        with pytest.raises(Refused):
            client.submit(path, "nowhere")
        (kept,) = client.uploads.known()
        assert (kept.state, kept.missing) == ("finished", ())
        assert client.uploads.room().used == path.stat().st_size
        assert client.submit(path, "small", note="second try").run.state == "queued"
        assert client.uploads.known() == []


def test_a_line_that_never_holds_is_given_up(
    live_server: LiveServer, phase: Phase, token: str, tmp_path: Path
) -> None:
    path = tmp_path / "large.zip"
    files = {"manifest.json": json.dumps(manifest_of("large")).encode(), "model.py": IDENTITY.encode()}
    pack_archive(files | {"table.bin": bytes(range(256)) * 1024 * 4}, path)
    port = int(live_server.url.rpartition(":")[2])
    with (
        cutting_line(port, seed=1, mean=100_000, most=1000) as line,
        Client(f"http://127.0.0.1:{line.port}", token, retry=QUICK, pause=0.001) as client,
        pytest.raises(NetworkError),
    ):
        client.submit(path, "small")
    assert not Submission.objects.exists()
