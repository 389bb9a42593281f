"""Rules, doctor, compare and pull, against a real HTTP server."""

import hashlib
import json
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from click.testing import Result

from pastiche.transport import RETRY, Transport
from tests.pastiche.answers import ME, SCORES, run, submission
from tests.pastiche.conftest import Remote, problem
from tests.pastiche.test_local import DETAIL

Run_ = Callable[..., Result]


def serve_result(remote: Remote, name: str, style: float, suite: str = "s") -> None:
    """Answer with a scored submission of that name whose style value is known."""
    pairs = [{"id": f"p{n}", "values": {"style": style + n / 10}} for n in range(3)]
    scores = {"style": {"value": style, "low": None, "high": None}}
    made = submission("scored") | {"id": name, "run": run("scored") | {"id": f"run-{name}"}}
    result = SCORES | {"suite": suite, "scores": scores, "pairs": pairs}
    remote.on("GET", f"/submissions/{name}/", made)
    remote.on("GET", f"/runs/run-{name}/scores/", result)


def test_rules_show_limits_and_what_counts(remote: Remote, logged_in: Run_) -> None:
    closed = DETAIL | {"slug": "early", "state": "closed"}
    remote.on("GET", "/competitions/demo/phases/", {"results": [closed, DETAIL], "next_cursor": None})
    shown = logged_in("rules", "demo").stdout
    for word in ("memory_mb", "2000", "best", "99%", DETAIL["suite_digest"]):
        assert str(word) in shown
    assert json.loads(logged_in("rules", "demo", "--json").stdout)["slug"] == "main"
    assert json.loads(logged_in("rules", "demo", "--phase", "early", "--json").stdout)["state"] == "closed"
    assert logged_in("rules", "demo", "--phase", "none").exit_code == 2


def test_without_an_open_phase_the_next_one_matters(remote: Remote, logged_in: Run_) -> None:
    def phase(slug: str, opens: int, state: str) -> dict[str, object]:
        window = {"opens_at": f"{opens}-01-01T00:00:00Z", "closes_at": f"{opens}-12-31T00:00:00Z"}
        return DETAIL | {"slug": slug, "state": state} | window

    past = [phase("oldest", 2001, "closed"), phase("older", 2002, "closed")]
    future = [phase("late", 2999, "upcoming"), phase("soon", 2998, "upcoming")]
    for rows, expected in ((past + future, "soon"), (past, "older"), ([*future, DETAIL, *past], "main")):
        remote.on("GET", "/competitions/demo/phases/", {"results": rows, "next_cursor": None})
        assert json.loads(logged_in("rules", "demo", "--json").stdout)["slug"] == expected


def test_compare_sets_two_runs_beside_each_other(remote: Remote, logged_in: Run_) -> None:
    serve_result(remote, "a", 0.5)
    serve_result(remote, "b", 0.75)
    (row,) = json.loads(logged_in("compare", "a", "b", "--json").stdout)
    assert row == {
        "metric": "style", "first": 0.5, "second": 0.75, "difference": 0.25, "n_larger": 3, "n_pairs": 3,
    }  # fmt: skip
    assert "3 / 3" in logged_in("compare", "a", "b").stdout


def test_runs_of_two_suites_are_not_compared(remote: Remote, logged_in: Run_) -> None:
    serve_result(remote, "a", 0.5)
    serve_result(remote, "b", 0.75, suite="other")
    refused = logged_in("compare", "a", "b", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (2, "SUITES_DIFFER")


def test_pull_fetches_pictures_and_says_what_they_are(
    remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    serve_result(remote, "a", 0.5)
    outputs = [{"id": "p0", "seconds": 0.5, "output_url": "/images/runs/1/"}]
    remote.on("GET", "/runs/run-a/outputs/", {"results": outputs, "next_cursor": None})
    remote.answers["GET", "/images/runs/1/"] = [(200, b"a picture")]
    out = tmp_path / "out"
    assert logged_in("pull", "a", "--out", str(out)).exit_code == 0
    assert (out / "p0.png").read_bytes() == b"a picture"
    told = json.loads((out / "run.json").read_text())
    assert told["sha256"] == {"p0.png": hashlib.sha256(b"a picture").hexdigest()}
    assert told["scores"]["scores"]["style"]["value"] == 0.5
    assert logged_in("pull", "a", "--out", str(out)).exit_code == 2


def test_pull_leaves_nothing_where_a_picture_is_refused(
    remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    serve_result(remote, "a", 0.5)
    outputs = [{"id": "p0", "output_url": "/images/runs/1/"}]
    remote.on("GET", "/runs/run-a/outputs/", {"results": outputs, "next_cursor": None})
    assert logged_in("pull", "a", "--out", str(tmp_path / "out")).exit_code == 2
    assert not (tmp_path / "out").exists()


def findings(result: Result) -> dict[str, bool]:
    return {row["name"]: row["ok"] for row in json.loads(result.stdout)}


def test_doctor_finds_everything_well(remote: Remote, logged_in: Run_) -> None:
    remote.on("GET", "/competitions/", {"results": [], "next_cursor": None})
    remote.on("GET", "/me/", ME)
    remote.on("GET", "/uploads/room/", {"limit": 10**9, "used": 0, "left": 10**9, "largest": 10**8})
    result = logged_in("doctor", "--json")
    assert result.exit_code == 0
    assert findings(result) == dict.fromkeys(
        ("settings", "server", "clock", "login", "uploads", "evaluation"), True
    )
    assert "✓ login: ada" in logged_in("doctor").stdout


def test_doctor_ends_with_the_status_of_the_first_trouble(remote: Remote, logged_in: Run_) -> None:
    remote.on("GET", "/competitions/", {"results": [], "next_cursor": None})
    remote.on("GET", "/me/", (401, problem("NOT_SIGNED_IN", "Expired.", "Log in again.")))
    remote.on("GET", "/uploads/room/", (401, problem("NOT_SIGNED_IN", "Expired.")))
    result = logged_in("doctor", "--json")
    assert result.exit_code == 3
    assert [name for name, ok in findings(result).items() if not ok] == ["login", "uploads"]
    assert "Log in again." in logged_in("doctor").stdout


def test_doctor_without_a_server_says_how_to_log_in(pastiche: Run_) -> None:
    result = pastiche("doctor")
    assert result.exit_code == 3
    assert "pastiche login" in result.stdout


def test_doctor_sees_a_clock_that_is_wrong(
    remote: Remote, logged_in: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.on("GET", "/competitions/", {"results": [], "next_cursor": None})
    remote.on("GET", "/me/", ME)
    remote.on("GET", "/uploads/room/", {"limit": 9, "used": 0, "left": 9, "largest": 9})
    remote.date = formatdate(0, usegmt=True)
    result = logged_in("doctor", "--json")
    assert result.exit_code == 2
    assert findings(result)["clock"] is False


def test_clock_of_a_server_that_does_not_tell_is_unknown(remote: Remote) -> None:
    remote.on("GET", "/competitions/", {"results": [], "next_cursor": None})
    remote.date = "no date"
    assert Transport(remote.url, "", RETRY).clock_ahead("/competitions/") is None
