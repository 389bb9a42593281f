"""Watch a run, read its log and its results, against a real HTTP server."""

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console

from pastiche.client import Client
from pastiche.errors import NetworkError
from pastiche.following import follow_run
from pastiche.responses import Run
from pastiche.watching import watch_run
from tests.pastiche.answers import (
    FAILURE,
    PYTHONPATH,
    SCORES,
    log,
    run,
    submission,
)
from tests.pastiche.conftest import TOKEN, Remote

Run_ = Callable[..., Result]


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def watched(remote: Remote, *states: object) -> None:
    """The first two runs are read to find the run and to begin."""
    remote.on("GET", "/submissions/sub-1/", submission())
    remote.on("GET", "/runs/run-1/", run("queued"), *states)
    remote.on("GET", "/runs/run-1/scores/", SCORES)


def test_watch_tells_stages_log_and_result(remote: Remote, logged_in: Run_) -> None:
    watched(
        remote,
        run("queued", queue_place=2, waiting_reason="No worker is running."),
        run("generating", pairs_done=1),
        run("generating", pairs_done=2),
        run("generating", pairs_done=24),
        run("scored", pairs_done=48),
    )
    remote.on(
        "GET", "/runs/run-1/log/", log(0, "loading\n"), log(8, ""), log(8, "half\x1b[2J\n"), log(17, "end")
    )
    result = logged_in("watch", "sub-1", "--every", "0.05")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:7] == [
        "queued · place 2 in the queue · No worker is running.",
        "loading",
        "generating · 1 of 48 pairs",
        "half\N{REPLACEMENT CHARACTER}[2J",
        "generating · 24 of 48 pairs",
        "end",
        "scored",
    ]
    assert "47 of 48 pairs valid" in result.stdout
    assert [call.query for call in remote.calls if call.path.endswith("/log/")] == [
        "offset=0",
        "offset=8",
        "offset=8",
        "offset=17",
    ]


def test_watch_prints_one_json_object_a_line(remote: Remote, logged_in: Run_) -> None:
    watched(remote, run("generating"), run("scored"))
    remote.on("GET", "/runs/run-1/log/", log(0, "hello\n"), log(6, ""))
    events = lines(logged_in("watch", "sub-1", "--every", "0.05", "--json"))
    assert [event["event"] for event in events] == ["log", "run", "run", "scores"]
    assert events[-1]["scores"]["headline"]["value"] == 0.123456789012345


def test_watch_of_a_failing_run_ends_with_status_5(remote: Remote, logged_in: Run_) -> None:
    watched(remote, run("failed", failure=FAILURE))
    plain = logged_in("watch", "sub-1", "--every", "0.05")
    as_json = logged_in("watch", "sub-1", "--every", "0.05", "--json")
    assert (plain.exit_code, as_json.exit_code) == (5, 5)
    assert plain.stderr == "error: Too slow. It used up a run. [PAIR_TIMEOUT]\n  Be faster.\n"
    assert lines(as_json)[-1]["error"]["code"] == "PAIR_TIMEOUT"


def test_watch_of_a_cancelled_run_ends_with_status_5(remote: Remote, logged_in: Run_) -> None:
    watched(remote, run("cancelled"))
    assert logged_in("watch", "sub-1", "--every", "0.05").exit_code == 5


def test_watch_takes_the_id_of_a_run(remote: Remote, logged_in: Run_) -> None:
    remote.on("GET", "/runs/run-1/", run("scored"))
    remote.on("GET", "/runs/run-1/scores/", SCORES)
    assert logged_in("watch", "run-1").exit_code == 0


def test_watch_without_right_to_the_log_goes_on(remote: Remote, logged_in: Run_) -> None:
    watched(remote, run("generating"), run("scored"))
    assert logged_in("watch", "sub-1", "--every", "0.05").exit_code == 0
    assert remote.count("/runs/run-1/log/") == 1


def test_watch_survives_a_server_that_restarts(remote: Remote, logged_in: Run_) -> None:
    watched(remote, run("generating"), (500, b""), (500, b""), run("scored"))
    result = logged_in("watch", "sub-1", "--every", "0.05")
    assert result.exit_code == 0
    assert result.stderr.count("Trying again.") == 1


def test_following_gives_up_after_its_patience(remote: Remote) -> None:
    remote.on("GET", "/runs/run-1/", run("queued"), (500, b""))
    with Client(remote.url) as client:
        updates = follow_run(client, "run-1", pause=0.02, patience=0.2)
        first = next(updates)
        assert isinstance(first, Run)
        with pytest.raises(NetworkError):
            next(updates)


def test_watch_draws_a_bar_on_a_terminal(remote: Remote) -> None:
    watched(remote, run("generating", pairs_done=24), run("scored", pairs_done=48))
    remote.on("GET", "/runs/run-1/log/", log(0, "hel\x07lo\n"), log(7, ""))
    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=120)
    with Client(remote.url) as client:
        watch_run(client, "run-1", console=terminal, as_json=False, pause=0.05)
    assert "\x1b[" in drawn.getvalue()
    assert "48/48" in drawn.getvalue()
    assert "hel\N{REPLACEMENT CHARACTER}lo" in drawn.getvalue()
    assert "47 of 48 pairs valid" in drawn.getvalue()


def test_watch_that_is_interrupted_says_that_the_run_goes_on(remote: Remote, home: Path) -> None:
    watched(remote, run("queued", queue_place=7))
    environment = {"PASTICHE_URL": remote.url, "PASTICHE_TOKEN": TOKEN, "PYTHONPATH": PYTHONPATH}
    with subprocess.Popen(
        [sys.executable, "-m", "pastiche", "watch", "sub-1", "--every", "0.05"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "place 7" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the run goes on" in told
    assert "pastiche watch run-1" in told


def test_logs_are_read_to_the_end(remote: Remote, logged_in: Run_) -> None:
    remote.on("GET", "/submissions/sub-1/", submission("generating"))
    remote.on(
        "GET", "/runs/run-1/log/", log(0, "one\n"), log(4, "two\n", withheld=True), log(8, "", withheld=True)
    )
    result = logged_in("logs", "sub-1")
    assert result.stdout == "one\ntwo\n"
    assert "withheld" in result.stderr


def test_results_in_full_precision_as_json_and_csv(remote: Remote, logged_in: Run_) -> None:
    remote.on("GET", "/submissions/sub-1/", submission("scored"))
    remote.on("GET", "/runs/run-1/scores/", SCORES)
    assert "0.1235" in logged_in("results", "sub-1").stdout
    scores = json.loads(logged_in("results", "sub-1", "--json").stdout)["scores"]
    assert scores["headline"]["value"] == 0.123456789012345
    rows = list(csv.reader(io.StringIO(logged_in("results", "sub-1", "--csv").stdout)))
    assert rows == [
        ["metric", "value", "low", "high"],
        ["headline", "0.123456789012345", "0.1", "0.2"],
        ["style", "", "", ""],
    ]
    pairs = list(csv.reader(io.StringIO(logged_in("results", "sub-1", "--csv", "--pairs").stdout)))
    assert pairs == [
        ["pair", "invalid", "seconds", "content", "style"],
        ["p001", "", "0.25", "0.1", "0.5"],
        ["p002", "BAD_OUTPUT", "", "", ""],
    ]


def test_results_of_a_run_without_scores_say_why(remote: Remote, logged_in: Run_) -> None:
    remote.on("GET", "/submissions/sub-1/", submission("failed", failure=FAILURE), submission("scoring"))
    assert logged_in("results", "sub-1").exit_code == 5
    result = logged_in("results", "sub-1")
    assert result.exit_code == 2
    assert "no scores yet" in result.stderr
