"""The command `pairs`: a dataset folder from the public pairs of a server, whole or not at all."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from evaluation.images import encode_png, read_rgb
from evaluation.pairs import read_pairs
from tests.pastiche.answers import PYTHONPATH
from tests.pastiche.conftest import Remote

Run_ = Callable[..., Result]
LIST = "/competitions/demo/pairs/"


def picture(level: int, height: int = 16, width: int = 16) -> bytes:
    return encode_png(np.full((height, width, 3), level, dtype=np.uint8))


def row(number: int, content: str = "/images/c/", style: str = "/images/s/", **fields: Any) -> dict[str, Any]:
    words = {"style_family": "ink", "culture": "edo", "content_kind": "face"}
    return {"id": f"p{number}", "content_url": content, "style_url": style} | words | fields


def serve(remote: Remote, *rows: dict[str, Any], **images: bytes | tuple[int, bytes]) -> None:
    """Answer with these pairs, and below /images/ with the pictures of that name."""
    remote.on("GET", LIST, {"count": len(rows), "next_cursor": None, "results": rows})
    for name, data in images.items():
        remote.answers["GET", f"/images/{name}/"] = [data if isinstance(data, tuple) else (200, data)]


def state_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_folder_holds_pairs_and_pictures_as_the_server_has_them(
    remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    first, second = row(0, remote.url + "/images/c/"), row(1, "/images/d/", style_family="oil")
    remote.on("GET", LIST, {"results": [first], "next_cursor": "abc"}, {"results": [second]})
    for name, level in (("c", 10), ("d", 20), ("s", 30)):
        remote.answers["GET", f"/images/{name}/"] = [(200, picture(level))]
    result = logged_in("pairs", "demo", "--out", str(tmp_path / "new" / "pairs"), "--phase", "final")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{tmp_path}/new/pairs: 2 public pairs of 16 pixels, 3 images\n"
    pairs = read_pairs(tmp_path / "new" / "pairs", "public")
    assert [(p.id, p.style_family, p.culture, p.content_kind) for p in pairs] == [
        ("p0", "ink", "edo", "face"),
        ("p1", "oil", "edo", "face"),
    ]
    assert [(read_rgb(p.content)[0, 0, 0], read_rgb(p.style)[0, 0, 0]) for p in pairs] == [(10, 30), (20, 30)]
    assert all(p.content.name == f"{p.content_sha256}.png" for p in pairs)
    assert [call.query for call in remote.calls] == ["phase=final", "phase=final&cursor=abc", "", "", ""]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["pairs"]


def test_json_tells_what_was_written_and_equal_pictures_lie_there_once(
    remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    serve(remote, row(0), row(1, "/images/d/"), c=picture(1), d=picture(1), s=picture(2))
    out = str(tmp_path / "pairs")
    told = json.loads(logged_in("pairs", "demo", "--out", out, "--json").stdout)
    assert told == {"folder": out, "size": 16, "pairs": 2, "images": 2}
    assert len(list((tmp_path / "pairs").glob("*.png"))) == 2


def test_former_download_is_replaced(remote: Remote, logged_in: Run_, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    out.mkdir()
    serve(remote, row(0), c=picture(1), s=picture(2))
    assert logged_in("pairs", "demo", "--out", str(out)).exit_code == 0
    serve(remote, row(7), c=picture(3), s=picture(4))
    assert logged_in("pairs", "demo", "--out", str(out)).exit_code == 0
    assert [pair.id for pair in read_pairs(out)] == ["p7"]
    assert len(state_of(out)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["pairs"]


@pytest.mark.parametrize(
    "name", ["thesis.tex", "pairs.json", "pairs.json/x", "content/a.png", f"{'a' * 64}.png"]
)
def test_folder_with_something_else_is_left_as_it_is(
    name: str, remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_bytes(b"mine")
    serve(remote, row(0), c=picture(1), s=picture(2))
    result = logged_in("pairs", "demo", "--out", str(out), "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "FOLDER"
    assert state_of(out) == {name: b"mine"}
    assert remote.calls == []


def test_dataset_of_other_origin_is_left_as_it_is(remote: Remote, logged_in: Run_, tmp_path: Path) -> None:
    (tmp_path / "pairs.json").write_text("{}")
    (tmp_path / "credits.txt").write_text("mine")
    result = logged_in("pairs", "demo", "--out", str(tmp_path))
    assert (result.exit_code, "credits.txt" in result.stderr) == (2, True)
    assert (tmp_path / "credits.txt").read_text() == "mine"


def test_link_beside_a_former_download_is_kept(remote: Remote, logged_in: Run_, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    serve(remote, row(0), c=picture(1), s=picture(2))
    assert logged_in("pairs", "demo", "--out", str(out)).exit_code == 0
    (out / f"{'b' * 64}.png").symlink_to(tmp_path)
    assert logged_in("pairs", "demo", "--out", str(out)).exit_code == 2
    assert (out / f"{'b' * 64}.png").is_symlink()


def test_place_that_cannot_be_written_is_told(remote: Remote, logged_in: Run_, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    serve(remote, row(0), c=picture(1), s=picture(2))
    for out in ("file", "file/pairs"):
        result = logged_in("pairs", "demo", "--out", str(tmp_path / out))
        assert result.exit_code == 2
        assert result.stderr.strip()
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "address",
    [
        "http://elsewhere.invalid/images/s/",
        "//elsewhere.invalid/images/s/",
        "HERE@elsewhere.invalid/images/s/",
        "HERE.elsewhere.invalid/images/s/",
        "http://127.0.0.1:1/images/s/",
        "http://[/images/s/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
    ],
)
def test_image_on_another_host_is_not_fetched(
    address: str, remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    serve(remote, row(0, style=address.replace("HERE", remote.url)), c=picture(1), s=picture(2))
    result = logged_in("pairs", "demo", "--out", str(tmp_path / "pairs"), "--json")
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["code"]) == (6, "BAD_ANSWER")
    assert "another host" in error["message"]
    assert [call.path for call in remote.calls] == [f"/api/v1{LIST}", "/images/c/"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("style", "words"),
    [
        (b"<h1>hello</h1>", "not a PNG"),
        (picture(1)[:-5], "cut off"),
        (picture(1, 32, 32), "expected 16 x 16"),
        ((200, b""), "not a PNG"),
        ((404, b"gone"), "HTTP status 404"),
        ((302, b""), "elsewhere.invalid"),
        ((500, b""), "HTTP status 500"),
    ],
)
def test_bad_image_leaves_nothing_and_keeps_the_former_download(
    style: bytes | tuple[int, bytes], words: str, remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    serve(remote, row(0), c=picture(1), s=picture(2))
    assert logged_in("pairs", "demo", "--out", str(out)).exit_code == 0
    before = state_of(out)
    serve(remote, row(1), c=picture(3), s=style)
    result = logged_in("pairs", "demo", "--out", str(out))
    assert result.exit_code in (2, 6)
    assert words in result.stderr
    assert state_of(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["pairs"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(0), row(0)], "occur twice"),
        ([row(0, id="../p")], "pairs.0.id"),
        ([row(0, culture="")], "pairs.0.culture"),
        ([], "no public pairs"),
    ],
)
def test_list_that_is_no_dataset_leaves_nothing(
    rows: list[dict[str, Any]], words: str, remote: Remote, logged_in: Run_, tmp_path: Path
) -> None:
    serve(remote, *rows, c=picture(1), s=picture(2))
    result = logged_in("pairs", "demo", "--out", str(tmp_path / "pairs"))
    assert result.exit_code in (2, 6)
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_picture_that_is_not_square_is_refused(remote: Remote, logged_in: Run_, tmp_path: Path) -> None:
    serve(remote, row(0), c=picture(1, 16, 24), s=picture(2, 16, 24))
    result = logged_in("pairs", "demo", "--out", str(tmp_path / "pairs"))
    assert (result.exit_code, "24 x 16" in result.stderr) == (6, True)


def test_unknown_competition_makes_no_folder(remote: Remote, logged_in: Run_, tmp_path: Path) -> None:
    assert logged_in("pairs", "nowhere", "--out", str(tmp_path / "a" / "b")).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_terminal_shows_progress(remote: Remote, home: Path, tmp_path: Path) -> None:
    serve(remote, row(0), c=picture(1), s=picture(2))
    terminal, theirs = pty.openpty()
    environment = {
        "PASTICHE_URL": remote.url,
        "PYTHONPATH": PYTHONPATH,
        "TERM": "xterm",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pastiche", "pairs", "demo", "--out", str(tmp_path / "pairs")],
        env=environment,
        stdout=theirs,
        stderr=theirs,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    shown = os.read(terminal, 100_000)
    os.close(terminal)
    assert done.returncode == 0
    assert b"images" in shown
    assert b"100%" in shown
    assert b"1 public pairs" in shown.splitlines()[-1]
