"""Throw-away PostgreSQL and Redis servers that tests start for themselves, on free loopback ports."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30


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


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run an empty PostgreSQL server and yield the address of its database."""
    programs = postgres_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL's server programs are not installed")
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        # PostgreSQL refuses to run as root, so root lends it the account that Debian made for it.
        as_user = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        )
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        initdb = [
            *as_user,
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "pastiche",
            "--auth=trust",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        server = subprocess.Popen(
            [
                *as_user,
                programs / "postgres",
                "-D",
                data,
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-k",
                folder,
                "-F",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        try:
            createdb = [
                str(programs / "createdb"),
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-U",
                "pastiche",
                "pastiche",
            ]
            _until(lambda: subprocess.run(createdb, capture_output=True, cwd="/").returncode == 0)
            yield f"postgres://pastiche@127.0.0.1:{port}/pastiche"
        finally:
            server.terminate()
            server.wait(START_SECONDS)


@contextmanager
def redis_server() -> Iterator[str]:
    """Run an empty Redis server that keeps nothing on disk and yield its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            _until(lambda: _answers(port))
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(START_SECONDS)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not come up")
        time.sleep(0.1)
