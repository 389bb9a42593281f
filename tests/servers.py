"""Throw-away PostgreSQL and Redis servers that tests start for themselves, on free loopback ports."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30
# How PostgreSQL is told to stop: clients are thrown out, or everything is dropped as in a crash.
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT


def free_port() -> int:
    """Return a loopback port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_programs() -> Path | None:
    """Return the folder with PostgreSQL's server programs, or None; Debian keeps them off the path."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def has_redis() -> bool:
    """Say whether the Redis server program is there."""
    return shutil.which("redis-server") is not None


class _Server:
    """A server process with a folder and a port that it keeps over restarts."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        """Choose its folder, and its port where it must be known beforehand."""
        self.folder = folder
        self.port = free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
        _until(self._answers)

    def stop(self, how: signal.Signals) -> None:
        """Send it a signal and wait until it has ended; one that does not run is left alone."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def restart(self, how: signal.Signals, *, pause: float = 0.0) -> None:
        """Stop it, wait, and start it at the same port."""
        self.stop(how)
        time.sleep(pause)
        self.start()

    def _command(self) -> Sequence[str | Path]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class PostgresServer(_Server):
    """A PostgreSQL server; what was committed outlives every restart."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        """Make an empty database in an empty folder.

        Raises:
            RuntimeError: the server programs are not installed.
        """
        super().__init__(folder, port)
        programs = postgres_programs()
        if programs is None:
            raise RuntimeError("PostgreSQL's server programs are not installed")
        self._programs = programs
        # PostgreSQL refuses to run as root, so root lends it the account that Debian made for it.
        self._as_user = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        )
        if self._as_user:
            shutil.chown(folder, "postgres", "postgres")
        self._data = folder / "data"
        options: list[str | Path] = ["-D", self._data, "-U", "pastiche", "--auth=trust", "--no-sync"]
        subprocess.run(
            [*self._as_user, programs / "initdb", *options], check=True, capture_output=True, cwd="/"
        )

    @property
    def address(self) -> str:
        """Return the address of its database."""
        return f"postgres://pastiche@127.0.0.1:{self.port}/pastiche"

    def create_database(self) -> None:
        """Create the database that `address` names."""
        self._client("createdb", "pastiche").check_returncode()

    def _command(self) -> Sequence[str | Path]:
        # -F: nothing here has to outlive a power cut; a crash of the server alone loses nothing by it.
        where: list[str | Path] = ["-h", "127.0.0.1", "-p", str(self.port), "-k", self.folder, "-F"]
        return [*self._as_user, self._programs / "postgres", "-D", self._data, *where]

    def _answers(self) -> bool:
        return self._client("pg_isready").returncode == 0

    def _client(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "pastiche"]
        return subprocess.run([self._programs / program, *where, *arguments], capture_output=True, cwd="/")


class RedisServer(_Server):
    """A Redis server that keeps nothing on disk: a restart loses all that it held."""

    @property
    def address(self) -> str:
        """Return its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> Sequence[str | Path]:
        where = ["--port", str(self.port), "--bind", "127.0.0.1"]
        return ["redis-server", *where, "--save", "", "--dir", self.folder]

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def running_postgres(port: int | None = None) -> Iterator[PostgresServer]:
    """Run an empty PostgreSQL server that can be restarted."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        server = PostgresServer(Path(name), port)
        try:
            server.start()
            server.create_database()
            yield server
        finally:
            server.stop(FAST)


@contextmanager
def running_redis(port: int | None = None) -> Iterator[RedisServer]:
    """Run an empty Redis server that can be restarted."""
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        server = RedisServer(Path(name), port)
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGTERM)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run an empty PostgreSQL server and yield the address of its database."""
    with running_postgres() as server:
        yield server.address


@contextmanager
def redis_server() -> Iterator[str]:
    """Run an empty Redis server that keeps nothing on disk and yield its address."""
    with running_redis() as server:
        yield server.address


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not come up")
        time.sleep(0.1)
