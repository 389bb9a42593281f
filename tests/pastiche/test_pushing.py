"""Pictures are checked, sent, and waited for: nothing is sent twice, and every end is told with what to do."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from pastiche.organizing import files_of, zipped
from pastiche.uploads import digest_of
from tests.pastiche.answers import PYTHONPATH
from tests.pastiche.conftest import TOKEN, Remote, problem
from tests.pastiche.test_organizing import folder, takes_upload  # noqa: F401

Run_ = Callable[..., Result]
PLACE = "/competitions/waves/data/"
NOTHING = {"report": None, "survey": None}
FEW = {"code": "SMALL_SLICE", "weight": "warning", "file": "waves", "sentence": "Few.", "advice": "More."}
COUNTS = {"size": 256, "n_files": 6, "n_usable": 6, "n_public": 1, "n_hidden": 4, "is_fatal": False}
NONE = {"code": "NO_PAIRS", "weight": "fatal", "sentence": "None.", "advice": "Some."}
REFUSAL = {"code": "INVALID_DATASET", "message": "It is broken.", "fix": "Pack it again."}


@pytest.fixture
def pictures(folder: Path) -> Path:  # noqa: F811
    """A folder with pictures."""
    return folder / "data"


@pytest.fixture
def sha256(pictures: Path) -> str:
    """The digest of the zip that is made of them."""
    with zipped(files_of(pictures)) as packed:
        return digest_of(packed)


@pytest.fixture
def push(remote: Remote, logged_in: Run_, pictures: Path) -> Run_:
    """Push the pictures to a server that takes uploads and has none yet."""
    takes_upload(remote)
    remote.on("GET", PLACE, NOTHING)
    return lambda *options: logged_in(
        "dataset", "push", str(pictures), "--competition", "waves", "--every", "0.05", *options
    )


def reported(sha256: str, **changes: object) -> dict[str, Any]:
    """What the server tells when it has looked at everything."""
    return NOTHING | {"report": COUNTS | {"sha256": sha256, "findings": [FEW]} | changes}


def surveyed(sha256: str, state: str = "running", **changes: object) -> dict[str, Any]:
    """What it tells while a worker is to look at the files, looks at them, or has refused them."""
    counts = {"files_done": 2, "files_total": 6, "n_before": 0, "seconds_silent": 0}
    signs = {"is_lost": False, "is_untaken": False, "problem": None}
    return NOTHING | {"survey": counts | signs | {"state": state, "sha256": sha256} | changes}


def deleted(remote: Remote) -> bool:
    return any(call.method == "DELETE" for call in remote.calls)


def test_pictures_are_checked_here_by_the_servers_rules(pastiche: Run_, pictures: Path) -> None:
    found = json.loads(pastiche("dataset", "check", str(pictures), "--suite", "sts-demo-2", "--json").stdout)
    assert (found["n_public"], found["n_hidden"], found["is_fatal"]) == (1, 4, False)
    assert "4" in pastiche("dataset", "check", str(pictures), "--size", "256").stdout
    assert pastiche("dataset", "check", str(pictures)).exit_code == 2
    assert pastiche("dataset", "check", str(pictures), "--suite", "sts-9").exit_code == 2
    for path in (pictures / "hidden").rglob("*.png"):
        path.unlink()
    bad = pastiche("dataset", "check", str(pictures), "--size", "256", "--json")
    assert bad.exit_code == 4
    assert json.loads(bad.stdout)["error"]["code"] == "NO_HIDDEN_PAIRS"


def test_few_pictures_are_reported_on_at_once(remote: Remote, push: Run_, sha256: str) -> None:
    remote.on("POST", PLACE, reported(sha256))
    shown = push()
    assert (shown.exit_code, "6 of 6" in shown.stdout, "SMALL_SLICE" in shown.stdout) == (0, True, True)
    assert json.loads(remote.sent("/uploads/").body)["kind"] == "dataset"
    assert deleted(remote)
    assert json.loads(push("--no-wait", "--json").stdout)["report"]["n_hidden"] == 4
    remote.on("POST", PLACE, reported(sha256, is_fatal=True, findings=[NONE]))
    assert push().exit_code == 4


def test_many_pictures_are_waited_for_and_their_upload_is_left_to_the_worker(
    remote: Remote, push: Run_, sha256: str
) -> None:
    remote.on("POST", PLACE, surveyed(sha256, "waiting"), status=202)
    remote.on("GET", PLACE, NOTHING, surveyed(sha256), surveyed(sha256, files_done=5), reported(sha256))
    shown = push()
    assert (shown.exit_code, "6 of 6" in shown.stdout) == (0, True)
    assert not deleted(remote)
    assert sum(call.path.endswith(PLACE) for call in remote.calls) == 5
    remote.on("GET", PLACE, NOTHING, surveyed(sha256), reported(sha256))
    assert json.loads(push("--json").stdout)["sha256"] == sha256


def test_waiting_survives_a_server_that_restarts(remote: Remote, push: Run_, sha256: str) -> None:
    remote.on("POST", PLACE, surveyed(sha256), status=202)
    remote.on("GET", PLACE, NOTHING, surveyed(sha256), (500, b""), (500, b""), reported(sha256))
    shown = push()
    assert (shown.exit_code, shown.stderr.count("Trying again.")) == (0, 1)


def test_a_refusal_by_the_worker_is_told_with_code_rule_and_fix(
    remote: Remote, push: Run_, sha256: str
) -> None:
    told = REFUSAL | {"fields": {"rule": "CORRUPT_DATA"}}
    remote.on("POST", PLACE, surveyed(sha256, "waiting"), status=202)
    remote.on("GET", PLACE, NOTHING, surveyed(sha256, "refused", problem=told))
    shown = push()
    assert shown.exit_code == 2
    assert shown.stderr == "error: It is broken. [INVALID_DATASET, CORRUPT_DATA]\n  Pack it again.\n"
    remote.on("GET", PLACE, NOTHING, surveyed(sha256, "refused", problem=told))
    assert json.loads(push("--json").stdout)["error"] == told


def test_a_refusal_of_the_request_is_told_alike_and_keeps_the_upload(remote: Remote, push: Run_) -> None:
    refused = problem("INVALID_DATASET", "It is broken.", "Pack it again.", rule="CORRUPT_DATA")
    remote.on("POST", PLACE, refused, status=422)
    assert "It is broken. [INVALID_DATASET, CORRUPT_DATA]" in push().stderr
    assert not deleted(remote)


@pytest.mark.parametrize("other", [NOTHING, reported("0" * 64), surveyed("0" * 64)])
def test_pictures_that_were_thrown_away_get_no_report_of_others(
    remote: Remote, push: Run_, sha256: str, other: dict[str, Any]
) -> None:
    remote.on("POST", PLACE, surveyed(sha256), status=202)
    remote.on("GET", PLACE, NOTHING, surveyed(sha256), other)
    shown = push("--json")
    assert shown.exit_code == 2
    assert json.loads(shown.stdout)["error"]["code"] == "THROWN_AWAY"


def test_the_same_pictures_again_send_nothing_and_replace_a_lost_worker(
    remote: Remote, push: Run_, sha256: str
) -> None:
    lost = surveyed(sha256, is_lost=True, seconds_silent=130)
    remote.on("POST", PLACE, surveyed(sha256), status=202)
    remote.on("GET", PLACE, NOTHING, lost)
    shown = push()
    assert (shown.exit_code, "no sign for 130 seconds" in shown.stderr) == (6, True)
    assert "WORKER_LOST" in shown.stderr
    sent = remote.count("/uploads/")
    remote.on("POST", f"{PLACE}survey/", surveyed(sha256, "waiting"), status=202)
    remote.on("GET", PLACE, lost, surveyed(sha256), reported(sha256))
    assert push().exit_code == 0
    remote.on("GET", PLACE, surveyed(sha256), surveyed(sha256), reported(sha256))
    assert push().exit_code == 0
    assert (remote.count("/uploads/"), remote.count(f"{PLACE}survey/")) == (sent, 1)


def test_it_is_told_once_that_no_worker_takes_the_pictures(remote: Remote, push: Run_, sha256: str) -> None:
    untaken = surveyed(sha256, "waiting", is_untaken=True, seconds_silent=40)
    remote.on("POST", PLACE, surveyed(sha256, "waiting"), status=202)
    remote.on("GET", PLACE, NOTHING, untaken, untaken, surveyed(sha256), reported(sha256))
    shown = push()
    assert (shown.exit_code, shown.stderr.count("tell the operator")) == (0, 1)


def test_who_does_not_wait_is_told_how_to_look(
    remote: Remote, push: Run_, logged_in: Run_, sha256: str
) -> None:
    remote.on("POST", PLACE, surveyed(sha256, "waiting", files_done=0, n_before=2), status=202)
    shown = push("--no-wait")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        "0 of 6 files looked at · place 3 in the queue",
        "`pastiche dataset status waves` tells how far it is.",
    ]
    assert json.loads(push("--no-wait", "--json").stdout)["survey"]["state"] == "waiting"
    assert not deleted(remote)


def test_status_tells_how_it_is(remote: Remote, logged_in: Run_, sha256: str) -> None:
    refused = surveyed(sha256, "refused", problem=REFUSAL | {"fields": {"rule": "CORRUPT_DATA"}})
    for answer, expected in (
        (NOTHING, "No pictures were handed in yet.\n"),
        (surveyed(sha256), "2 of 6 files looked at\n"),
        (refused, "refused: It is broken. [INVALID_DATASET, CORRUPT_DATA]\n  Pack it again.\n"),
        (surveyed(sha256, is_lost=True, seconds_silent=200), "no sign for 200 seconds"),
        (surveyed(sha256) | {"report": reported(sha256)["report"]}, "6 of 6 pictures are usable"),
        (reported(sha256, is_fatal=True, findings=[NONE]), "NO_PAIRS"),
    ):
        remote.on("GET", PLACE, answer)
        shown = logged_in("dataset", "status", "waves")
        assert (shown.exit_code, expected in shown.stdout) == (0, True), shown.stdout
        told = json.loads(logged_in("dataset", "status", "waves", "--json").stdout)
        assert (told["survey"] is None) == (answer["survey"] is None)


def test_pictures_under_way_can_be_thrown_away(remote: Remote, logged_in: Run_, sha256: str) -> None:
    remote.on("DELETE", f"{PLACE}survey/", {}, status=204)
    remote.on("GET", PLACE, reported(sha256))
    shown = logged_in("dataset", "stop", "waves")
    assert (shown.exit_code, "6 of 6" in shown.stdout, deleted(remote)) == (0, True, True)


def test_who_stops_waiting_is_told_that_the_server_goes_on(
    remote: Remote, push: Run_, pictures: Path, sha256: str, home: Path
) -> None:
    remote.on("POST", PLACE, surveyed(sha256), status=202)
    remote.on("GET", PLACE, NOTHING, surveyed(sha256))
    environment = {"PASTICHE_URL": remote.url, "PASTICHE_TOKEN": TOKEN, "PYTHONPATH": PYTHONPATH}
    command = [sys.executable, "-m", "pastiche", "dataset", "push", str(pictures), "--competition", "waves"]
    with subprocess.Popen(
        [*command, "--every", "0.05"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 30
        while remote.count(PLACE) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the server goes on" in told
    assert "`pastiche dataset status waves`" in told
    assert not deleted(remote)
