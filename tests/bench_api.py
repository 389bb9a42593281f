"""Measure how fast boards are read: `python -m tests.bench_api` starts a PostgreSQL and a web server for itself.

Prints JSON: latency and requests a second of a leaderboard, sent whole and asked for with an ETag that still holds,
beside the same figures for a view that returns a constant, so that the ratio can be judged on any machine. A second
process asks, in a closed loop: each of its threads sends the next request when it has the answer to the last one.
"""

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tests.environment  # noqa: F401  # gives the settings a data folder of their own
from tests.servers import free_port, postgres_server

ROOT = Path(__file__).resolve().parents[1]
BOARD, CONSTANT = "/api/v1/competitions/{slug}/leaderboard/", "/constant/"
START_SECONDS, WARM_SECONDS = 60, 1.0


def main(arguments: list[str]) -> None:
    """Measure, or be the process that asks."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_api", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each kind of request")
    parser.add_argument("--threads", type=int, default=4, help="requests at once")
    parser.add_argument("--workers", type=int, default=4, help="of the web server")
    parser.add_argument("--rows", type=int, default=13, help="on the board")
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    parser.add_argument("--tag", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    found = ask(options) if options.ask else measure(options)
    print(json.dumps(found, indent=None if options.ask else 2))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Start the servers, fill a board, and have it asked for."""
    with postgres_server() as database:
        os.environ |= {
            "PASTICHE_DATABASE_URL": database,
            "PASTICHE_SECRET_KEY": "for this measurement " * 3,
            "PASTICHE_API_PER_MINUTE": "0",
            "PASTICHE_ALLOWED_HOSTS": "127.0.0.1",
        }
        slug = fill(options.rows)
        with web_server(options.workers) as address:
            board = address + BOARD.format(slug=slug)
            tag, size = look(board)
            found = {
                "constant": asked(options, address + CONSTANT),
                "board": asked(options, board),
                "board_etag_hit": asked(options, board, tag),
            }
    for name in ("board", "board_etag_hit"):
        found[name]["of_constant"] = round(found[name]["per_second"] / found["constant"]["per_second"], 3)
    setting = {name: getattr(options, name) for name in ("workers", "threads", "rows", "seconds")}
    return {**found, "bytes": size, "cpus": len(os.sched_getaffinity(0)), **setting}


def fill(rows: int) -> str:
    """Make a board of so many rows and return its competition."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from competitions.services.leaderboards import refresh
    from tests.boards import enter_runs  # its models need Django to be set up

    call_command("migrate", verbosity=0)
    phase = make_phase()
    enter_runs(phase, rows)
    refresh(phase_id=phase.pk)
    slug = phase.competition.slug
    connection.close()
    return str(slug)


def make_phase() -> Any:
    """Make an open phase over a small dataset."""
    from django.utils import timezone

    from accounts.services import create_user
    from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
    from competitions.services.datasets import import_dataset
    from evaluation.spec import load_suite
    from tests.conftest import SIZE, write_dataset

    organizer = create_user(username="organizer", password="a long password 1")
    with tempfile.TemporaryDirectory() as name:
        folder = write_dataset(Path(name), n_public=3, hidden=(6, 6))
        version = import_dataset(folder=folder, slug="small", title="Small pairs")
    texts = {"title": "Small waves", "summary": "Waves on waves.", "description": "A measurement."}
    competition = publish(competition=create_competition(slug="small", organizer=organizer, **texts))
    now = timezone.now()
    plan = PhasePlan("main", "Main", now, now + timedelta(days=1))
    suite = replace(load_suite("sts-demo-1"), name="sts-test", size=SIZE)
    return create_phase(competition=competition, plan=plan, dataset_version=version, suite=suite)


@contextmanager
def web_server(workers: int) -> Iterator[str]:
    """Run the site as it is served, with the constant view beside it."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "tests.bench_api:site()", "-c", "python:config.serving"]
    where = ["--workers", str(workers), "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([*command, *where], cwd=ROOT, env=os.environ | path, stdout=log, stderr=log)
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nobody waits for an answer any more
            server.wait(30)


def site() -> Any:
    """Return the application that gunicorn serves."""
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.ROOT_URLCONF = "tests.bench_urls"
    return get_wsgi_application()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return look(f"http://127.0.0.1:{port}{CONSTANT}") and None
        except OSError as error:
            if time.monotonic() > deadline or server.poll() is not None:
                raise RuntimeError("the web server did not come up") from error
            time.sleep(0.2)


def look(url: str) -> tuple[str, int]:
    """Fetch something once; return its ETag and its size."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", parts.path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{url} answers {answer.status}: {content[:300]!r}")
    return answer.headers.get("ETag", ""), len(content)


def asked(options: argparse.Namespace, url: str, tag: str = "") -> dict[str, Any]:
    """Have a second process ask, and return what it found."""
    how = ["--seconds", str(options.seconds), "--threads", str(options.threads), "--tag", tag]
    command = [sys.executable, "-m", "tests.bench_api", "--ask", url, *how]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def ask(options: argparse.Namespace) -> dict[str, Any]:
    """Ask in closed loops for a while; return latencies in milliseconds and requests a second."""
    headers = {"If-None-Match": options.tag} if options.tag else {}
    expected = 304 if options.tag else 200
    loop(options.ask, headers, expected, WARM_SECONDS)
    found: list[list[float]] = [[] for _ in range(options.threads)]

    def work(place: int) -> None:
        found[place] = loop(options.ask, headers, expected, options.seconds)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(options.threads)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    times = sorted(1000 * value for part in found for value in part)
    if not times or not all(found):
        raise RuntimeError("some requests were refused")
    return {
        "p50_ms": round(times[len(times) // 2], 2),
        "p99_ms": round(times[int(0.99 * (len(times) - 1))], 2),
        "per_second": round(len(times) / seconds, 1),
        "requests": len(times),
    }


def loop(url: str, headers: Mapping[str, str], expected: int, seconds: float) -> list[float]:
    """Send requests one after the other; return how long each took."""
    parts, times = urlsplit(url), []
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        connection.request("GET", parts.path, headers=dict(headers))
        answer = connection.getresponse()
        answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{url} answers {answer.status}, not {expected}")
        times.append(time.perf_counter() - start)
    connection.close()
    return times


if __name__ == "__main__":
    main(sys.argv[1:])
