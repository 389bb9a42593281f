"""Start the demo contest: database, web server, worker, scheduler and seed; stop all of it together."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import honcho.manager
import requests

ROOT = Path(__file__).resolve().parents[2]
HOST = os.environ.get("PASTICHE_HOST", "127.0.0.1")
DEFAULT_PORT = 8000
START_SECONDS = 60
CHECK_SECONDS = 900
CHECK_ALL_SECONDS = 3600
STOP_SECONDS = 15
CELERY = f"{sys.executable} -m celery -A config worker --without-mingle --without-gossip --without-heartbeat"


def main() -> None:
    """Start everything; with --check wait for the board, print one JSON object, and stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(prog="./run up")
    parser.add_argument("--check", action="store_true", help="prove on a temporary data folder that it works")
    parser.add_argument("--all", action="store_true", help="with --check: wait for every baseline")
    options = parser.parse_args()
    if options.check:
        sys.exit(check(wait_for_all=options.all))
    sys.exit(serve(read_port()))


def read_port() -> int:
    """Read PASTICHE_PORT, or end the process naming it."""
    text = os.environ.get("PASTICHE_PORT", str(DEFAULT_PORT))
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit(
            f"Environment variable PASTICHE_PORT is wrong: expected a port from 1 to 65535, found {text!r}."
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError:
            sys.exit(f"Port {text} of {HOST} is taken. Choose another one: PASTICHE_PORT=8001 ./run up")
    return int(text)


def serve(port: int) -> int:
    """Run the contest until Ctrl-C."""
    prepare()
    manager = start(port)
    threading.Thread(target=greet, args=(port,), daemon=True).start()
    manager.loop()
    return 0 if manager.returncode in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM, None) else 1


def prepare() -> None:
    """Bring translations and database up to date."""
    manage("compile_translations")
    manage("migrate", "--verbosity", "0")


def manage(*arguments: str) -> None:
    """Run a management command; its failure ends this process with the same status."""
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def start(port: int) -> honcho.manager.Manager:
    """Start the services; each is the leader of its own process group, which ends with it."""
    honcho.manager.KILL_WAIT = STOP_SECONDS
    manager = honcho.manager.Manager()
    web = f"{sys.executable} -m gunicorn config.wsgi --bind {HOST}:{port} --workers 2 --threads 4 --log-level warning"
    manager.add_process("web", web, cwd=str(ROOT))
    manager.add_process("worker", f"{CELERY} -Q evaluation -c 1 -P prefork -n evaluation@%h", cwd=str(ROOT))
    manager.add_process("scheduler", f"{CELERY} -B -Q upkeep -P solo -n upkeep@%h", cwd=str(ROOT))
    manager.add_process("seed", f"{sys.executable} manage.py seed_demo --stay", cwd=str(ROOT))
    return manager


def greet(port: int) -> None:
    """Print the address and the demo accounts once the first page answers."""
    wait_for_page(port)
    accounts = Path(os.environ.get("PASTICHE_DATA_DIR", ROOT / "var")) / "demo_accounts.json"
    deadline = time.monotonic() + START_SECONDS
    while not accounts.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    print(f"\n  Pastiche runs at  http://{HOST}:{port}/", flush=True)
    if accounts.exists():
        for name, password in json.loads(accounts.read_text()).items():
            print(f"  demo account      {name}  /  {password}", flush=True)
    print("  Ctrl-C stops it.\n", flush=True)


def wait_for_page(port: int) -> None:
    """Wait until the first page answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.get(f"http://{HOST}:{port}/", timeout=5).raise_for_status()
            return
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def check(*, wait_for_all: bool) -> int:
    """Start on a free port with an empty data folder, wait for the baselines, print the figures, stop."""
    began = time.monotonic()
    folder = tempfile.mkdtemp(prefix="pastiche-check-")
    os.environ["PASTICHE_DATA_DIR"] = folder
    os.environ.pop("PASTICHE_DATABASE_URL", None)  # the check leaves a real installation alone
    os.environ.pop("PASTICHE_BROKER_URL", None)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    try:
        prepare()
        child = subprocess.Popen(
            [sys.executable, "-m", "config.launch"],
            cwd=ROOT,
            env=os.environ | {"PASTICHE_PORT": str(port)},
            stdout=sys.stderr,
            start_new_session=True,
        )
        try:
            figures = watch(port, child, began, wait_for_all=wait_for_all)
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=4 * STOP_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures), flush=True)
    return 0 if figures["all_scored_s"] is not None else 1


def watch(
    port: int, child: subprocess.Popen[bytes], began: float, *, wait_for_all: bool
) -> dict[str, object]:
    """Follow the demo board until every expected baseline stands on it, or time is up."""
    wait_for_page(port)
    figures: dict[str, object] = {
        "first_page_s": elapsed(began),
        "first_scored_s": None,
        "all_scored_s": None,
    }
    deadline = began + (CHECK_ALL_SECONDS if wait_for_all else CHECK_SECONDS)
    expected = len(json.loads((ROOT / "evaluation" / "shipped.json").read_text()))
    board: list[dict[str, object]] = []
    while time.monotonic() < deadline and child.poll() is None and not has_failed():
        time.sleep(1)
        board = read_board(port)
        if board and figures["first_scored_s"] is None:
            figures["first_scored_s"] = elapsed(began)
        if len(board) >= expected:
            figures["all_scored_s"] = elapsed(began)
            break
    return figures | {"board": board}


def has_failed() -> bool:
    """Say whether a baseline has failed for good, and print why: then there is nothing more to wait for."""
    database = Path(os.environ["PASTICHE_DATA_DIR"]) / "pastiche.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        query = "SELECT failure_code, failure_detail FROM competitions_run WHERE state = 'failed'"
        failures = connection.execute(query).fetchall()
    for code, detail in failures:
        print(f"A baseline failed: {code}: {detail}", file=sys.stderr)
    return bool(failures)


def read_board(port: int) -> list[dict[str, object]]:
    """Read the rows of the demo board; none while there is no demo yet."""
    address = f"http://{HOST}:{port}/api/v1/competitions/demo/leaderboard/"
    try:
        answer = requests.get(address, timeout=30)
    except requests.RequestException:
        return []
    if answer.status_code != 200:
        return []
    names = ("name", "kind", "rank", "headline", "content", "style")
    return [{name: row[name] for name in names} for row in answer.json()["rows"]]


def elapsed(began: float) -> float:
    """Return the seconds since `began`, rounded to hundredths."""
    return round(time.monotonic() - began, 2)


if __name__ == "__main__":
    main()
