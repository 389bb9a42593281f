"""Check, submit and cancel as a participant meets them, against a real HTTP server."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from evaluation.archive import inspect_archive
from tests.attacks.builders import good_entries
from tests.attacks.zip_writer import file, write_zip
from tests.pastiche.answers import FAILURE, run, submission
from tests.pastiche.conftest import Remote, problem

Run_ = Callable[..., Result]


@pytest.fixture
def archive(tmp_path: Path, remote: Remote) -> Path:
    path = tmp_path / "good.zip"
    path.write_bytes(write_zip(good_entries()))
    remote.take_uploads(path.stat().st_size, inspect_archive(path).sha256)
    return path


def test_check_accepts_a_good_archive_without_a_server(pastiche: Run_, archive: Path) -> None:
    result = pastiche("check", str(archive))
    assert result.exit_code == 0
    assert result.stdout.endswith("accepted\n")
    assert json.loads(pastiche("check", str(archive), "--json").stdout)["ok"] is True


def test_check_and_submit_name_the_broken_rule_with_status_4(
    remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(write_zip(good_entries(file("../x", b"x"))))
    for arguments in (("check", str(bad)), ("submit", str(bad), "--competition", "demo")):
        result = logged_in(*arguments)
        assert result.exit_code == 4
        assert "PATH_TRAVERSAL" in result.stderr
        assert json.loads(logged_in(*arguments, "--json").stdout)["error"]["code"] == "PATH_TRAVERSAL"
    assert remote.calls == []


def test_submit_sends_what_was_asked_and_shows_the_ids(
    remote: Remote, logged_in: Run_, archive: Path
) -> None:
    remote.on("POST", "/submissions/", submission(queue_place=3), status=201)
    result = logged_in("submit", str(archive), "--competition", "demo", "--team", "loom", "--note", "first")
    assert result.exit_code == 0
    assert result.stdout == (
        f"submission sub-1\nrun        run-1\npage       {remote.url}/s/sub-1/\n"
        "queued · place 3 in the queue\n"
    )
    assert json.loads(remote.sent("/submissions/").body) == {
        "competition": "demo", "team": "loom", "note": "first", "again": False, "upload": "up-1",
    }  # fmt: skip
    announced = json.loads(remote.sent("/uploads/").body)
    info = inspect_archive(archive)
    assert (announced["sha256"], announced["size"]) == (info.sha256, info.size)
    assert announced["manifest"]["schema"] == 1
    assert remote.sent("/uploads/up-1/parts/0/").body == archive.read_bytes()


def test_submit_again_is_told_to_the_server(remote: Remote, logged_in: Run_, archive: Path) -> None:
    remote.on("POST", "/submissions/", submission(), status=201)
    result = logged_in("submit", str(archive), "--competition", "demo", "--again", "--json")
    assert json.loads(result.stdout)["id"] == "sub-1"
    assert json.loads(remote.sent("/submissions/").body)["again"] is True


def test_repeated_submission_is_named(remote: Remote, logged_in: Run_, archive: Path) -> None:
    sha256 = inspect_archive(archive).sha256
    rows = [
        submission() | {"archive_sha256": "0" * 64, "id": "other"},
        submission() | {"archive_sha256": sha256},
    ]
    remote.on("POST", "/submissions/", problem("DUPLICATE_SUBMISSION", "Already there."), status=409)
    remote.on("GET", "/submissions/", {"results": rows, "next_cursor": None})
    result = logged_in("submit", str(archive), "--competition", "demo")
    assert result.exit_code == 2
    assert "Already there. It is submission sub-1." in result.stderr
    assert "--again" in result.stderr


def test_quota_message_of_the_server_is_shown(remote: Remote, logged_in: Run_, archive: Path) -> None:
    refusal = problem("QUOTA_EXCEEDED", "The team has used up its runs.", "Come back tomorrow.")
    remote.on("POST", "/submissions/", refusal, status=429)
    result = logged_in("submit", str(archive), "--competition", "demo")
    assert result.exit_code == 2
    assert result.stderr == "error: The team has used up its runs. [QUOTA_EXCEEDED]\n  Come back tomorrow.\n"


def test_lost_connection_ends_with_status_6(remote: Remote, logged_in: Run_, archive: Path) -> None:
    remote.on("POST", "/submissions/", (0, b""))
    result = logged_in("submit", str(archive), "--competition", "demo", "--json")
    assert result.exit_code == 6
    assert json.loads(result.stdout)["error"]["code"] == "NETWORK"


@pytest.mark.parametrize(
    ("status", "code"), [(409, "DUPLICATE_SUBMISSION"), (429, "QUOTA_EXCEEDED"), (403, "PHASE_CLOSED")]
)
def test_what_would_be_refused_is_refused_before_a_byte_is_sent(
    remote: Remote, logged_in: Run_, archive: Path, status: int, code: str
) -> None:
    remote.on("GET", "/competitions/demo/admission/", problem(code, "No.", "Wait."), status=status)
    remote.on("GET", "/submissions/", {"results": [], "next_cursor": None})
    result = logged_in("submit", str(archive), "--competition", "demo", "--team", "loom", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == code
    assert remote.count("/uploads/") == 0
    sha256 = inspect_archive(archive).sha256
    assert remote.sent("/competitions/demo/admission/").query == f"team=loom&sha256={sha256}"


def test_retry_shows_where_the_new_run_stands(remote: Remote, logged_in: Run_) -> None:
    remote.on("POST", "/submissions/sub-1/retry/", submission(queue_place=2), status=201)
    assert logged_in("retry", "sub-1").stdout == "plain-copy: queued · place 2 in the queue\n"
    assert "Idempotency-Key" in remote.sent("/submissions/sub-1/retry/").headers


def test_a_choice_is_made_and_taken_back(remote: Remote, logged_in: Run_) -> None:
    remote.on("POST", "/submissions/sub-1/final/", submission("scored") | {"is_final": True})
    assert logged_in("select", "sub-1").stdout == "plain-copy is a final choice.\n"
    remote.on("DELETE", "/submissions/sub-1/final/", {}, status=204)
    remote.on("GET", "/submissions/sub-1/", submission("scored"))
    assert logged_in("select", "sub-1", "--not-final").stdout == "plain-copy is no final choice.\n"
    assert json.loads(logged_in("select", "sub-1", "--json").stdout)["is_final"] is True


def test_a_choice_that_is_refused_says_why(remote: Remote, logged_in: Run_) -> None:
    refusal = problem("TOO_MANY_FINALS", "One is chosen.", "Take it back first.")
    remote.on("POST", "/submissions/sub-1/final/", refusal, status=409)
    result = logged_in("select", "sub-1")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: One is chosen. [TOO_MANY_FINALS]\n  Take it back first.\n",
    )


def test_cancel_shows_the_new_state(remote: Remote, logged_in: Run_) -> None:
    remote.on("POST", "/submissions/sub-1/cancel/", submission("cancelled"))
    assert logged_in("cancel", "sub-1").stdout == "plain-copy: cancelled\n"


def test_wrong_usage_ends_with_status_2(pastiche: Run_, tmp_path: Path) -> None:
    assert pastiche("submit", str(tmp_path / "none.zip"), "--competition", "x").exit_code == 2
    assert pastiche("nonsense").exit_code == 2
    assert pastiche("results", "x", "--csv", "--json").exit_code == 2


def test_submit_and_watch_in_one_go(remote: Remote, logged_in: Run_, archive: Path) -> None:
    remote.on("POST", "/submissions/", submission(), status=201)
    remote.on("GET", "/runs/run-1/", run("failed", failure=FAILURE | {"charged": False}))
    result = logged_in("submit", str(archive), "--competition", "demo", "--watch")
    assert result.exit_code == 5
    assert "It used up no run." in result.stderr
