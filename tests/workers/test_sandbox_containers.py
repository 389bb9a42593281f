"""The docker driver at work, with a stand-in for the engine and for its client, which starts a plain process."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evaluation.generation import process
from tests.attacks.generators import LIMITS, Outcome, killed_load_seconds, model, run, write_bundle
from tests.workers.engines import IMAGE, engine
from workers.sandbox import docker
from workers.sandbox.arguments import BUNDLE, RUNNER
from workers.sandbox.container import SENTRY_PROCESSES
from workers.sandbox.docker import DockerDriver
from workers.sandbox.seccomp import build_profile
from workers.sandbox.surroundings import FIRST_UID

CLIENT = f"""#!{sys.executable}
import os, sys
options = [o.removeprefix("--mount=").split(",") for o in sys.argv if o.startswith("--mount=")]
mounts = {{o[2].removeprefix("dst="): o[1].removeprefix("src=") for o in options}}
command = sys.argv[sys.argv.index({IMAGE!r}) + 1:]
environment = dict(o.removeprefix("--env=").split("=", 1) for o in sys.argv if o.startswith("--env="))
os.execve(sys.executable, [sys.executable, *(mounts.get(a, a) for a in command)], environment)
"""
OK: dict[str, Any] = {}


@dataclass
class Ship:
    """A driver, the documents of its engine, and what that was asked."""

    driver: DockerDriver
    documents: dict[str, Any]
    asked: list[str]
    bundle: Path
    host: dict[str, Any] = field(default_factory=dict)

    def load(self, pair: str = "return content", load: str = "pass") -> Path:
        """Write a bundle."""
        return write_bundle(self.bundle, model(load=load, pair=pair))

    def run(self, pair: str = "return content", load: str = "pass") -> Outcome:
        """Run a generator."""
        return run(self.driver, self.load(pair, load))

    def orders(self) -> list[str]:
        """Return what the engine was told to do, without names."""
        told = [request.split("?")[0].split("/") for request in self.asked if not request.startswith("GET")]
        return [f"{parts[0].strip()} {parts[3] if len(parts) > 3 else ''}".strip() for parts in told]


@pytest.fixture
def ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ship]:
    """A driver whose engine says that every container is what was asked for."""
    client = tmp_path / "client" / "docker"
    client.parent.mkdir()
    client.write_text(CLIENT)
    client.chmod(0o755)
    monkeypatch.setattr(docker, "PATH", f"{client.parent}:/usr/bin:/bin")
    bundle = tmp_path / "bundle"
    binds = ((process.RUNNER, RUNNER), (bundle, BUNDLE))
    ulimits = {"core": 0, "cpu": 80 + 60, "fsize": LIMITS.file_mb << 20, "nofile": 256}
    host = {
        "Runtime": "runsc",
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "Memory": LIMITS.memory_mb << 20,
        "MemorySwap": LIMITS.memory_mb << 20,
        "PidsLimit": LIMITS.pids + SENTRY_PROCESSES,
        "NanoCpus": 10**9,
        "ShmSize": LIMITS.shm_mb << 20,
        "Tmpfs": {"/tmp": f"rw,nosuid,nodev,size={LIMITS.tmp_mb}m,mode=1777"},
        "IpcMode": "private",
        "LogConfig": {"Type": "none"},
        "SecurityOpt": ["no-new-privileges", f"seccomp={build_profile().decode()}"],
        "Ulimits": [{"Name": name, "Soft": value, "Hard": value} for name, value in ulimits.items()],
    }
    container = {
        "Id": "f" * 64,
        "Image": IMAGE,
        "State": {"OOMKilled": False},
        "Config": {"User": f"{FIRST_UID}:{FIRST_UID}"},
        "Mounts": [{"Source": str(a), "Destination": str(b), "RW": False} for a, b in binds],
        "HostConfig": host,
    }
    orders = ("POST /containers/NAME/pause", "POST /containers/NAME/unpause", "POST /containers/NAME/kill")
    documents = {
        "GET /containers/NAME/json": container,
        "DELETE /containers/NAME": OK,
        **dict.fromkeys(orders, OK),
    }
    with engine(tmp_path, documents) as (address, asked):
        yield Ship(DockerDriver(image=IMAGE, address=address), documents, asked, bundle, host)


def test_it_is_paused_between_pairs_and_removed_at_the_end(ship: Ship) -> None:
    outcome = ship.run()
    assert outcome.failure is None, outcome.text
    assert len(outcome.predictions) == 2
    pauses = ["POST pause", "POST unpause"] * 3  # after loading, after each pair, and to end it
    assert ship.orders() == [*pauses, "POST kill", "DELETE"]


def test_a_container_that_is_not_what_was_asked_for_gets_no_generator(ship: Ship) -> None:
    ship.host["NetworkMode"] = "bridge"
    outcome = ship.run(load="print('it ran')")
    assert outcome.failure is not None
    assert outcome.failure.code == "INFRA"
    assert "NetworkMode is 'bridge'" in outcome.failure.message
    assert "it ran" not in outcome.text
    assert ship.orders()[-1] == "DELETE"


def test_what_the_engine_calls_out_of_memory_is_so_even_if_the_generator_goes_on(ship: Ship) -> None:
    ship.documents["GET /containers/NAME/json"]["State"]["OOMKilled"] = True
    outcome = ship.run()
    assert outcome.failure is not None
    assert outcome.failure.code == "OUT_OF_MEMORY"


def test_a_first_process_that_was_killed_is_out_of_memory(ship: Ship) -> None:
    outcome = ship.run(pair="os._exit(137)")
    assert outcome.failure is not None
    assert outcome.failure.code == "OUT_OF_MEMORY"


def test_a_crash_is_a_crash(ship: Ship) -> None:
    outcome = ship.run(pair="os._exit(3)")
    assert outcome.failure is not None
    assert outcome.failure.code == "CRASHED"
    assert "exit status 3" in outcome.failure.message


@pytest.mark.parametrize("request_", ["GET /containers/NAME/json", "POST /containers/NAME/pause"])
def test_an_engine_that_fails_is_our_failure(ship: Ship, request_: str) -> None:
    ship.documents[request_] = None
    outcome = ship.run()
    assert outcome.failure is not None
    assert outcome.failure.code == "INFRA"


def test_an_engine_that_fails_between_pairs_is_our_failure(ship: Ship) -> None:
    ship.documents["POST /containers/NAME/unpause"] = None
    outcome = ship.run()
    assert outcome.failure is not None
    assert outcome.failure.code == "INFRA"
    assert ship.orders()[-1] == "DELETE"


def test_a_client_that_does_not_start_it_is_our_failure(ship: Ship, tmp_path: Path) -> None:
    (tmp_path / "client" / "docker").write_text("#!/bin/sh\necho no such image >&2; exit 125\n")
    outcome = ship.run()
    assert outcome.failure is not None
    assert outcome.failure.code == "INFRA"
    assert "no such image" not in outcome.text  # the operator's log has it


def test_a_load_can_be_killed_from_another_thread(ship: Ship) -> None:
    assert killed_load_seconds(ship.driver, ship.load(load="time.sleep(15)"), after=0.3) < 2
    assert "POST kill" in ship.orders()
