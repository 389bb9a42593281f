"""Login, competitions and the program as a whole, against a real HTTP server."""

import contextlib
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from pastiche.config import Config, load_config, save_config
from tests.pastiche.answers import COMPETITION, ME, METRIC, PHASE, PYTHONPATH, ROW
from tests.pastiche.conftest import TOKEN, Remote, problem

Run_ = Callable[..., Result]


def test_login_with_password_keeps_the_token_privately(remote: Remote, pastiche: Run_, home: Path) -> None:
    remote.on("POST", "/tokens/", {"token": TOKEN, "name": "x", "user": "ada"}, status=201)
    remote.on("GET", "/me/", ME)
    result = pastiche("login", "--server", remote.url, typed="ada\nhunter2\n")
    asked = json.loads(remote.calls[0].body)
    assert result.exit_code == 0
    assert (asked["username"], asked["password"]) == ("ada", "hunter2")
    assert load_config({}, home) == Config(remote.url, TOKEN)
    assert stat.S_IMODE(home.stat().st_mode) == 0o600
    assert "hunter2" not in result.output
    assert TOKEN not in result.output
    assert pastiche("whoami").stdout.splitlines() == [f"ada at {remote.url}", "  team loom: The Loom"]


def test_login_with_token_tries_it_before_it_is_kept(remote: Remote, pastiche: Run_, home: Path) -> None:
    remote.on("GET", "/me/", (401, problem("NOT_SIGNED_IN", "This token is unknown.")), ME)
    assert pastiche("login", "--server", remote.url, "--with-token", typed=f"{TOKEN}\n").exit_code == 3
    assert not home.exists()
    assert pastiche("login", "--server", remote.url, "--with-token", typed=f"{TOKEN}\n").exit_code == 0
    assert load_config({}, home).token == TOKEN


def test_wrong_password_ends_with_status_3(remote: Remote, pastiche: Run_, home: Path) -> None:
    remote.on("POST", "/tokens/", problem("NOT_SIGNED_IN", "User name or password is wrong."), status=401)
    result = pastiche("login", "--server", remote.url, "--username", "ada", typed="hunter2\n")
    assert result.exit_code == 3
    assert "User name or password is wrong" in result.stderr
    assert "hunter2" not in result.output
    assert not home.exists()


def test_login_offers_the_server_of_last_time(remote: Remote, pastiche: Run_, home: Path) -> None:
    save_config(Config(remote.url, "old"), home)
    remote.on("GET", "/me/", ME)
    assert pastiche("login", "--with-token", typed=f"\n{TOKEN}\n").exit_code == 0
    assert load_config({}, home) == Config(remote.url, TOKEN)


def test_command_that_needs_a_login_says_so(remote: Remote, pastiche: Run_, home: Path) -> None:
    assert pastiche("whoami").exit_code == 3
    save_config(Config(remote.url, ""), home)
    result = pastiche("whoami")
    assert result.exit_code == 3
    assert "pastiche login" in result.stderr


def test_list_shows_competitions_without_a_login(
    remote: Remote, pastiche: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASTICHE_URL", remote.url)
    remote.on("GET", "/competitions/", {"count": 1, "next_cursor": None, "results": [COMPETITION]})
    result = pastiche("list")
    assert result.exit_code == 0
    assert "Demo [bold]cup[/bold]" in result.stdout
    assert json.loads(pastiche("list", "--json").stdout)[0]["slug"] == "demo"


def test_info_shows_phases_metrics_and_quota(remote: Remote, logged_in: Run_) -> None:
    quota = {"limit": 5, "used": 2, "left": 3}
    detail = COMPETITION | {"description": "Long.", "phases": [PHASE], "quota": quota, "metrics": [METRIC]}
    remote.on("GET", "/competitions/demo/", detail)
    shown = logged_in("info", "demo").stdout
    for word in ("Long.", "main", "memory_mb 4096", "Faces.", "3 of 5 left"):
        assert word in shown
    assert json.loads(logged_in("info", "demo", "--json").stdout)["quota"] == quota


def test_board_shows_rank_intervals_and_unranked_rows(remote: Remote, logged_in: Run_) -> None:
    baseline = {"rank": None, "name": "identity", "team": "", "kind": "baseline", "headline": None}
    board = {"competition": "demo", "phase": "main", "suite": "s", "snapshot": None, "rows": [ROW, baseline]}
    remote.on("GET", "/competitions/demo/leaderboard/", board)
    shown = logged_in("board", "demo", "--phase", "main").stdout.splitlines()
    assert "1 (1-3)" in shown[2]
    assert "0.5000 to 0.5300" in shown[2]
    assert shown[3].startswith("-")
    assert remote.calls[0].query == "phase=main"
    assert json.loads(logged_in("board", "demo", "--json").stdout)["rows"][0]["headline"] == 0.51234567


def test_text_of_strangers_cannot_steer_the_terminal(remote: Remote, logged_in: Run_) -> None:
    row = ROW | {"name": "\x1b]0;owned\x07\x1b[2J", "team": "\u202eevil"}
    remote.on(
        "GET",
        "/competitions/demo/leaderboard/",
        {"competition": "d", "phase": "p", "suite": "s", "rows": [row]},
    )
    shown = logged_in("board", "demo").stdout
    assert "owned" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_program_ends_with_a_message_and_never_shows_the_token(home: Path) -> None:
    program = "import pastiche.cli as c; c.main()"
    environment = {"PASTICHE_URL": "http://127.0.0.1:9", "PASTICHE_TOKEN": TOKEN, "PYTHONPATH": PYTHONPATH}
    done = subprocess.run(
        [sys.executable, "-c", program, "whoami"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert "\x1b" not in done.stderr


def test_program_loads_neither_django_nor_torch() -> None:
    code = "import sys, pastiche.cli; print({'torch', 'numpy', 'django', 'skimage', 'celery'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "set()"


def test_password_is_not_echoed_on_a_terminal(remote: Remote, home: Path) -> None:
    remote.on("POST", "/tokens/", {"token": TOKEN, "name": "x", "user": "ada"}, status=201)
    remote.on("GET", "/me/", ME)
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pastiche", "login", "--server", remote.url, "--username", "ada"],
        env={"PYTHONPATH": PYTHONPATH, "XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"]},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"Password: " not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, b"hunter2\n")
    with contextlib.suppress(OSError):  # how a terminal ends on Linux
        while piece := os.read(terminal, 1000):
            shown += piece
    os.close(terminal)
    assert process.wait(timeout=30) == 0
    assert b"hunter2" not in shown
    assert json.loads(remote.calls[0].body)["password"] == "hunter2"
    assert load_config({}, home).token == TOKEN
