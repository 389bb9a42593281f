"""The organizers' commands: files are checked before anything is sent, and an export never falls on other files."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from evaluation.intake.example import example_zip
from pastiche.organizing import zipped
from tests.pastiche.conftest import Remote

Run_ = Callable[..., Result]
DIGEST = "a" * 64
TOML = f"""schema = 1

[competition]
slug = "waves"
title = "Waves"

[task]
suite = "sts-demo-2"

[data]
digest = "{DIGEST}"
"""
CHANGE = {"field": "limits.memory_mb", "before": "512", "after": "1024", "freedom": "told"}
SAME = {"slug": "waves", "is_new": False, "is_published": True, "changes": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a competition in it."""
    place = tmp_path / "waves"
    with zipfile.ZipFile(io.BytesIO(example_zip())) as packed:
        packed.extractall(place / "data")
    (place / "competition.toml").write_text(TOML, encoding="utf-8")
    (place / ".git").mkdir()
    (place / ".git" / "config").write_text("secret", encoding="utf-8")
    (place / "notes.md").write_text("for us", encoding="utf-8")
    return place


def takes_upload(remote: Remote) -> None:
    """Take any upload of one part."""
    upload = {"id": "up-1", "state": "open", "size": 1, "sha256": "0" * 64, "part_bytes": 8 * 2**20}
    remote.take_uploads(1, "0" * 64)
    remote.on("POST", "/uploads/", upload | {"received": 0, "missing": [0]}, status=201)


def sent_names(remote: Remote) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(remote.sent("/uploads/up-1/parts/0/").body)) as packed:
        return packed.namelist()


def test_diff_shows_what_would_change(remote: Remote, logged_in: Run_, folder: Path) -> None:
    remote.on("POST", "/competitions/waves/file/diff/", SAME | {"changes": [CHANGE]})
    shown = logged_in("competition", "diff", str(folder))
    assert shown.exit_code == 0
    assert all(text in shown.stdout for text in CHANGE.values())
    assert json.loads(remote.sent("/competitions/waves/file/diff/").body) == {"text": TOML}
    told = json.loads(logged_in("competition", "diff", str(folder), "--json").stdout)
    assert told["changes"] == [CHANGE]


def test_import_sends_pictures_only_where_the_server_has_others(
    remote: Remote, logged_in: Run_, folder: Path
) -> None:
    takes_upload(remote)
    other = {"field": "data.digest", "before": None, "after": DIGEST, "freedom": ""}
    remote.on("POST", "/competitions/waves/file/diff/", SAME)
    remote.on("POST", "/competitions/waves/file/", SAME)
    assert logged_in("competition", "import", str(folder)).exit_code == 0
    assert sent_names(remote) == ["competition.toml"]
    assert json.loads(remote.sent("/uploads/").body)["kind"] == "competition"
    assert "manifest" not in json.loads(remote.sent("/uploads/").body)
    remote.on("POST", "/competitions/waves/file/diff/", SAME | {"changes": [other]})
    assert logged_in("competition", "import", str(folder)).exit_code == 0
    names = sent_names(remote)
    assert "data/hidden/contents/shapes/1.png" in names
    assert not [name for name in names if "git" in name or "notes" in name]


def test_import_of_locked_changes_sends_nothing(remote: Remote, logged_in: Run_, folder: Path) -> None:
    locked = CHANGE | {"field": "task.suite", "freedom": "locked"}
    remote.on("POST", "/competitions/waves/file/diff/", SAME | {"changes": [locked]})
    shown = logged_in("competition", "import", str(folder), "--json")
    assert shown.exit_code == 2
    assert json.loads(shown.stdout)["error"]["code"] == "LOCKED_SINCE_PUBLISHED"
    assert remote.count("/uploads/") == 0


def test_a_wrong_file_is_told_with_its_line_and_nothing_is_sent(
    remote: Remote, logged_in: Run_, folder: Path
) -> None:
    (folder / "competition.toml").write_text(TOML.replace("title =", "titel ="), encoding="utf-8")
    shown = logged_in("competition", "import", str(folder), "--json")
    assert shown.exit_code == 4
    error = json.loads(shown.stdout)["error"]
    assert error["code"] == "INVALID_COMPETITION_FILE"
    assert error["fields"]["competition.titel"].startswith("line 5: this field is not known here")
    (folder / "competition.toml").unlink()
    assert logged_in("competition", "diff", str(folder)).exit_code == 2
    assert remote.calls == []


def test_export_makes_a_folder_renews_it_and_leaves_other_folders_alone(
    remote: Remote, logged_in: Run_, folder: Path, tmp_path: Path
) -> None:
    with zipped([("competition.toml", b"schema = 1\n"), ("data/pairs.json", b"{}")]) as path:
        remote.on("GET", "/competitions/waves/file/", path.read_bytes())
    for out in (tmp_path / "new" / "waves", folder):
        assert logged_in("competition", "export", "waves", "--out", str(out)).exit_code == 0
        assert (out / "competition.toml").read_bytes() == b"schema = 1\n"
        assert [path.name for path in (out / "data").iterdir()] == ["pairs.json"]
    assert (folder / "notes.md").exists()
    assert sorted(path.name for path in folder.iterdir()) == [".git", "competition.toml", "data", "notes.md"]
    home = tmp_path / "home"
    home.mkdir()
    (home / "diary.txt").write_text("mine", encoding="utf-8")
    assert logged_in("competition", "export", "waves", "--out", str(home)).exit_code == 2
    assert [path.name for path in home.iterdir()] == ["diary.txt"]
    assert logged_in("competition", "export", "waves", "--out", str(tmp_path / "w.zip")).exit_code == 0
    assert zipfile.is_zipfile(tmp_path / "w.zip")
    for name in ("none", "none.zip"):
        assert logged_in("competition", "export", "other", "--out", str(tmp_path / name)).exit_code == 2
        assert not (tmp_path / name).exists()


def test_an_export_that_leaves_its_folder_is_refused(remote: Remote, logged_in: Run_, tmp_path: Path) -> None:
    with zipped([("competition.toml", b""), ("../evil.txt", b"x")]) as path:
        remote.on("GET", "/competitions/waves/file/", path.read_bytes())
    assert logged_in("competition", "export", "waves", "--out", str(tmp_path / "out" / "in")).exit_code == 4
    assert not list(tmp_path.rglob("evil.txt"))


def test_the_same_folder_makes_the_same_zip_so_that_uploads_go_on() -> None:
    files = [("a", b"1"), ("b", b"2")]
    with zipped(files) as first, zipped(files) as second:
        assert first.read_bytes() == second.read_bytes()


def dry_run(state: str, **more: object) -> dict[str, object]:
    """A dry run of one baseline as the server tells it."""
    trial = {"submission_id": "s-1", "run_id": "r-1", "name": "identity", "state": state}
    counts = {"pairs_done": 4, "pairs_total": 4}
    ends = {"is_current": True, "is_live": state == "queued", "is_scored": state == "scored"}
    return ends | {"trials": [trial | counts | more]}


def test_a_dry_run_is_waited_for_and_one_under_way_is_not_started_again(
    remote: Remote, logged_in: Run_
) -> None:
    place, scores = "/competitions/waves/dry-run/", {"headline": {"value": 0.25, "low": 0.2, "high": 0.3}}
    scored = dry_run("scored", scores=scores)
    remote.on("GET", place, {**dry_run("failed"), "trials": []}, dry_run("queued"), scored)
    remote.on("POST", place, dry_run("queued"), status=201)
    shown = logged_in("competition", "dry-run", "waves", "--every", "0.05")
    assert (shown.exit_code, "0.25" in shown.stdout) == (0, True)
    remote.on("GET", place, dry_run("queued"), dry_run("failed", failure_code="OOM_GEN"))
    failed = logged_in("competition", "dry-run", "waves", "--every", "0.05")
    assert (failed.exit_code, "OOM_GEN" in failed.stdout) == (5, True)
    assert sum(call.method == "POST" for call in remote.calls) == 1


def test_publishing_hands_over_the_reason(remote: Remote, logged_in: Run_) -> None:
    remote.on("POST", "/competitions/waves/publish/", {"slug": "waves", "title": "Waves"})
    shown = logged_in("competition", "publish", "waves", "--reason", "Tried last year.")
    assert (shown.exit_code, "waves" in shown.stdout) == (0, True)
    assert json.loads(remote.sent("/competitions/waves/publish/").body) == {"reason": "Tried last year."}
