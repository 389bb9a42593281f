"""docker-compose.yml without Docker: its services, with their own commands and environment, as plain processes."""

import contextlib
import copy
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import free_port, has_redis, postgres_programs, postgres_server

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120
SECRETS = {
    "PASTICHE_SITE": "pastiche.example.org",
    "PASTICHE_SECRET_KEY": "only-for-this-test-but-long-enough-to-be-taken-for-one",
    "PASTICHE_DATABASE_PASSWORD": "databasepassword",
    "PASTICHE_BROKER_PASSWORD": "brokerpassword",
}
PROMISE = """
from django.utils import timezone
from competitions.models import Outbox
Outbox.objects.create(topic=Outbox.Topic.NUDGE, not_before=timezone.now())
"""
COUNT_PROMISES = "from competitions.models import Outbox; print(Outbox.objects.count())"
OURS = ("web", "worker", "worker-gpu", "intake", "scheduler", "migrate")
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\})")


class MissingVariableError(Exception):
    """A variable without which Compose refuses to start."""


def interpolate(value: Any, variables: dict[str, str]) -> Any:
    """Fill in variables as Compose does: `${A:-default}`, `${A:?message}`, `$$`."""
    if isinstance(value, dict):
        return {key: interpolate(part, variables) for key, part in value.items()}
    if isinstance(value, list):
        return [interpolate(part, variables) for part in value]
    return _VARIABLE.sub(lambda found: _fill(found, variables), value) if isinstance(value, str) else value


def _fill(found: re.Match[str], variables: dict[str, str]) -> str:
    if found["name"] is None:
        return "$"
    value = variables.get(found["name"], "")
    if not value and found["kind"] == "?":
        raise MissingVariableError(f"{found['name']}: {found['text']}")
    return value or (found["text"] if found["kind"] == "-" else "")


def compose(**changes: str) -> dict[str, Any]:
    """Read the file as Compose would with the secrets of this test."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return interpolate(yaml.safe_load(text), SECRETS | changes)


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_stops_everything_by_its_name(name: str) -> None:
    with pytest.raises(MissingVariableError, match=f"{name}: set it in .env"):
        compose(**{name: ""})


def test_the_example_names_every_variable_that_the_file_uses() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    used = {found["name"] for found in _VARIABLE.finditer(text) if found["name"]}
    named = re.findall(r"^(?:# )?(PASTICHE_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M)
    assert set(named) == used
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert ".env" in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def test_every_variable_of_our_services_is_one_that_settings_read() -> None:
    settings = (ROOT / "platform" / "config" / "settings.py").read_text(encoding="utf-8")
    known = set(re.findall(r'"(PASTICHE_\w+)"', settings))
    for name in OURS:
        assert set(compose()["services"][name]["environment"]) <= known


def test_services_build_from_recipes_that_are_there() -> None:
    recipe = (ROOT / "platform" / "Dockerfile").read_text(encoding="utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", recipe, re.M))
    for name in OURS:
        build = compose()["services"][name]["build"]
        assert (ROOT / build["dockerfile"]).is_file()
        assert build["target"] in stages
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in set(re.findall(r"\.\[([\w,]+)\]", recipe)):
        for part in extra.split(","):
            assert re.search(rf"^{part} = \[", project, re.M)
    for mount in compose()["services"]["proxy"]["volumes"]:
        if mount.startswith("./"):
            assert (ROOT / mount.split(":")[0]).is_file()


def test_only_the_proxy_faces_the_world() -> None:
    for name, service in compose()["services"].items():
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:")


def test_every_service_that_stays_says_whether_it_is_well() -> None:
    for name, service in compose()["services"].items():
        assert name == "migrate" or service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_the_gpu_worker_differs_by_its_device_only() -> None:
    services = compose()["services"]
    gpu = copy.deepcopy(services["worker-gpu"])
    assert gpu.pop("profiles") == ["gpu"]
    (device,) = gpu.pop("deploy")["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert gpu["environment"].pop("PASTICHE_GPUS") == "0"
    assert gpu == services["worker"]


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed")
def test_the_proxy_understands_its_configuration() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", "deploy/Caddyfile"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_worker_on_the_host_has_a_unit_that_systemd_understands(tmp_path: Path) -> None:
    unit = (ROOT / "deploy" / "pastiche-worker.service").read_text(encoding="utf-8")
    command = compose()["services"]["worker"]["command"]
    assert f"ExecStart=/opt/pastiche/.venv/bin/{' '.join(command).replace('%', '%%')}\n" in unit
    here = tmp_path / "pastiche-worker.service"
    here.write_text(unit.replace("/opt/pastiche/.venv/bin/celery", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@dataclass
class Household:
    """The services of the file as processes; ports and folders are of this test, all else is the file's."""

    folder: Path
    places: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """Translate places within containers to places on this machine."""
        for inside, outside in self.places.items():
            text = text.replace(inside, outside)
        return text

    def environment(self, name: str) -> dict[str, str]:
        """Return the service's own environment and what its image sets."""
        image = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
            "HOME": str(self.folder),
        }
        return image | {k: self.here(v) for k, v in compose()["services"][name]["environment"].items()}

    def start(self, name: str, *extra: str) -> subprocess.Popen[bytes]:
        """Start a service by its own command."""
        command = [self.here(word) for word in compose()["services"][name]["command"]] + list(extra)
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment(name),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.running[name]

    def log(self, name: str) -> Path:
        """Return the file with what a service prints."""
        return self.folder / f"{name}.log"

    def is_well(self, name: str) -> bool:
        """Do the service's own health check."""
        kind, *words = compose()["services"][name]["healthcheck"]["test"]
        words = [self.here(word) for word in words]
        command = ["/bin/sh", "-c", words[0]] if kind == "CMD-SHELL" else words
        done = subprocess.run(command, cwd=ROOT, env=self.environment(name), capture_output=True)
        return done.returncode == 0

    def until(self, name: str, is_true: Callable[[], bool]) -> None:
        """Wait for something about a service, and show its log where it does not come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_true():
            log = self.log(name).read_text(errors="replace")
            assert self.running[name].poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.2)

    def until_logged(self, name: str, text: str) -> None:
        """Wait until a service has printed something."""
        self.until(name, lambda: text in self.log(name).read_text(errors="replace"))

    def ask(self, name: str, code: str) -> str:
        """Run Python code with Django within a service and return what it prints."""
        command = [sys.executable, "manage.py", "shell", "--no-imports", "--command", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment(name), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self, name: str) -> int:
        """Ask a service to stop, with the patience that the file grants, and return its exit status."""
        grace = compose()["services"][name].get("stop_grace_period", "10s")
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(int(grace.removesuffix("s")))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    """A database server, the file's own broker, and a migrated database."""
    if postgres_programs() is None or not has_redis():
        pytest.skip("PostgreSQL's or Redis' server programs are not installed")
    with postgres_server() as database:
        _, _, server = database.removesuffix("/pastiche").rpartition("@")
        broker = str(free_port())
        places = {
            "@database:5432": f"@{server}",
            "@broker:6379": f"@127.0.0.1:{broker}",
            "0.0.0.0:8000": f"127.0.0.1:{free_port()}",
            "/data": str(tmp_path / "data"),
            "/worker": str(tmp_path / "worker"),
        }
        places["http://localhost:8000"] = f"http://localhost:{places['0.0.0.0:8000'].rpartition(':')[2]}"
        made = Household(tmp_path, places)
        made.start("broker", "--port", broker, "--bind", "127.0.0.1", "--dir", str(tmp_path))
        made.until_logged("broker", "Ready to accept connections")
        try:
            status = made.start("migrate").wait(PATIENCE_SECONDS)
            assert status == 0, made.log("migrate").read_text()
            del made.running["migrate"]
            yield made
        finally:
            for name in list(made.running):
                made.stop(name)


@pytest.mark.walk
@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.timeout(600)
def test_every_service_comes_up_is_well_and_stops_when_asked(household: Household) -> None:
    household.start("web")
    household.until("web", lambda: household.is_well("web"))
    household.start("scheduler")
    household.until_logged("scheduler", f"upkeep@{socket.gethostname()} ready")
    household.start("worker")
    household.until_logged("worker", f"evaluation@{socket.gethostname()} ready")
    for name in ("worker", "scheduler"):
        household.until(name, lambda name=name: household.is_well(name))
    household.ask("web", PROMISE)
    household.until("scheduler", lambda: household.ask("web", COUNT_PROMISES) == "0")
    for name in ("worker", "scheduler", "web", "broker"):
        status = household.stop(name)
        assert status == 0, (name, household.log(name).read_text(errors="replace"))
        assert "Traceback" not in household.log(name).read_text(errors="replace")
