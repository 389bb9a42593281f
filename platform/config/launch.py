"""Start the demo contest: database, web server, worker, scheduler and seed; stop all of it together."""

import argparse
import contextlib
import json
import os
import shlex
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
HOST = os.environ.get("PASTICHE_HOST") or "127.0.0.1"
OWN_HOSTS = ("127.0.0.1", "localhost", "::1")
# Where this machine reaches itself when the server listens at all of its addresses.
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
DEFAULT_PORT = 8000
START_SECONDS = 60
QUICK = 4  # trivial baselines: seeded first, and all that --check without --all waits for
CHECK_SECONDS = 900
CHECK_ALL_SECONDS = 2400
STOP_SECONDS = 15
CELERY = "celery --quiet -A config worker --without-mingle --without-gossip --without-heartbeat"


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
    with socket.socket(socket.AF_INET6 if ":" in HOST else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError:
            sys.exit(f"Port {text} of {HOST} is taken. Choose another one: PASTICHE_PORT=8001 ./run up")
    return int(text)


def serve(port: int) -> int:
    """Run the contest until Ctrl-C."""
    prepare()
    known = version(accounts_file())
    manager = start(port)
    threading.Thread(target=greet, args=(port, known), daemon=True).start()
    manager.loop()
    return 0 if manager.returncode in (0, 128 + signal.SIGINT, 128 + signal.SIGTERM, None) else 1


def prepare() -> None:
    """Bring translations and database up to date, side by side; a failure ends this process with its status."""
    commands = (["compile_translations", "--verbosity", "0"], ["migrate", "--verbosity", "0"])
    running = [subprocess.Popen([sys.executable, "manage.py", *command], cwd=ROOT) for command in commands]
    failed = [process.returncode for process in running if process.wait()]
    if failed:
        sys.exit(failed[0])


def start(port: int) -> honcho.manager.Manager:
    """Start the services; each is the leader of its own process group, which ends with it."""
    honcho.manager.KILL_WAIT = STOP_SECONDS
    manager = honcho.manager.Manager()
    for name, command in command_lines(port).items():
        manager.add_process(name, command, cwd=str(ROOT))
    return manager


def command_lines(port: int) -> dict[str, str]:
    """Return the shell line of each service; the path to Python may hold spaces."""
    python = shlex.quote(sys.executable)
    bind = shlex.quote(address_of(HOST, port).removeprefix("http://"))
    celery = f"{python} -m {CELERY}"
    return {
        "web": f"{python} -m gunicorn config.wsgi -c python:config.serving --bind {bind} --workers 2 --threads 4",
        "worker": f"{celery} -Q evaluation -c 1 -P prefork -n evaluation@%h",
        "intake": f"{celery} -Q intake -c 1 -P prefork -n intake@%h",
        "scheduler": f"{celery} -B -Q upkeep -P solo -n upkeep@%h",
        "seed": f"{python} manage.py seed_demo --stay",
    }


def address_of(host: str, port: int) -> str:
    """Write an address for the browser; IPv6 wants brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def accounts_file() -> Path:
    """Return where the seed keeps the demo accounts."""
    return Path(os.environ.get("PASTICHE_DATA_DIR", ROOT / "var")).expanduser() / "demo_accounts.json"


def version(path: Path) -> int:
    """Return a number that changes when the file is written anew; 0 while there is none."""
    return path.stat().st_mtime_ns if path.exists() else 0


def greet(port: int, known: int) -> None:
    """Print the address once it answers, and the demo accounts once the seed has tried them (again).

    `known` is the version of the accounts that an earlier start left: a password may have changed since.
    """
    address = address_of(WILDCARDS.get(HOST, HOST), port)
    wait_for_page(address)
    accounts = accounts_file()
    deadline = time.monotonic() + START_SECONDS
    while version(accounts) in (0, known) and time.monotonic() < deadline:
        time.sleep(0.1)
    print(f"\n  Pastiche runs at  {address}/", flush=True)
    if HOST not in OWN_HOSTS:
        names = os.environ.get("PASTICHE_ALLOWED_HOSTS") or "only this machine's own"
        print("  Other machines reach it by the host names in PASTICHE_ALLOWED_HOSTS, a list", flush=True)
        print(f"  with commas; it answers 400 to any other name. Now: {names}", flush=True)
    if version(accounts) not in (0, known):
        for name, password in json.loads(accounts.read_text()).items():
            print(f"  demo account      {name}  /  {password}", flush=True)
    print("  Ctrl-C stops it.\n", flush=True)


def wait_for_page(address: str) -> requests.Response:
    """Wait until the first page answers; a refusal of the host's name is an answer too."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            answer = requests.get(f"{address}/", timeout=5)
            if answer.status_code != 400:
                answer.raise_for_status()
            return answer
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def check(*, wait_for_all: bool) -> int:
    """Start on a free port with an empty data folder, wait for the baselines, print the figures, stop."""
    began = time.monotonic()
    folder = tempfile.mkdtemp(prefix="pastiche-check-")
    for name in (
        "DATABASE_URL",
        "BROKER_URL",
        "STORAGE_URL",
        "ALLOWED_HOSTS",
        "METRICS_PORT",
    ):  # the check leaves a real installation alone
        os.environ.pop(f"PASTICHE_{name}", None)
    # Nobody else's generator meets these pairs, so they may be the same on every machine.
    os.environ |= {"PASTICHE_DATA_DIR": folder, "PASTICHE_HOST": "127.0.0.1", "PASTICHE_DEMO_SEED": "0"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "config.launch"],
            cwd=ROOT,
            env=os.environ | {"PASTICHE_PORT": str(port)},
            stdout=sys.stderr,
            start_new_session=True,
        )
        try:
            figures = watch(address_of("127.0.0.1", port), child, began, wait_for_all=wait_for_all)
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=4 * STOP_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures), flush=True)
    return 0 if figures["all_scored_s"] is not None else 1


def watch(
    address: str, child: subprocess.Popen[bytes], began: float, *, wait_for_all: bool
) -> dict[str, object]:
    """Follow the demo board until every expected baseline stands on it, or time is up."""
    wait_for_page(address).raise_for_status()
    figures: dict[str, object] = {
        "first_page_s": elapsed(began),
        "first_scored_s": None,
        "all_scored_s": None,
    }
    deadline = began + (CHECK_ALL_SECONDS if wait_for_all else CHECK_SECONDS)
    shipped = json.loads((ROOT / "evaluation" / "shipped.json").read_text())
    expected = len(shipped) if wait_for_all else QUICK
    board: list[dict[str, object]] = []
    while time.monotonic() < deadline and child.poll() is None and not has_failed():
        time.sleep(1)
        board = read_board(address)
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


def read_board(address: str) -> list[dict[str, object]]:
    """Read the rows of the demo board; none while there is no demo yet."""
    try:
        answer = requests.get(f"{address}/api/v1/competitions/demo/leaderboard/", timeout=30)
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
