"""The starter kit, `check` and `evaluate` on this machine, with the pairs and limits of a real HTTP server."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from evaluation.archive import inspect_archive
from evaluation.generation.driver import Limits
from evaluation.images import encode_png, read_rgb
from evaluation.pairs import read_pairs
from evaluation.spec import load_suite
from pastiche.trying import run_generator
from tests.conftest import python_archive, smooth_image
from tests.pastiche.answers import PHASE, PYTHONPATH
from tests.pastiche.conftest import Remote

Run_ = Callable[..., Result]
SUITE = load_suite("sts-demo-2")
LIMITS = {"archive_mb": 5, "memory_mb": 2000, "load_seconds": 60, "pair_seconds": 10, "run_seconds": 100}
DETAIL = PHASE | {
    "limits": LIMITS,
    "runs_total": 50,
    "required_coverage": 0.99,
    "counting": "best",
    "suite": SUITE.id,
    "suite_digest": SUITE.digest,
    "n_public": 3,
    "n_hidden": 48,
}
BLEND = """
class Model:
    def __init__(self, bundle_dir, device):
        pass

    def stylize(self, content, style):
        {body}
"""


@pytest.fixture
def server(remote: Remote, logged_in: Run_) -> Remote:
    """A server with one competition of three public pairs of the suite's size."""
    words = {"style_family": "ink", "culture": "edo", "content_kind": "face"}
    rows: list[dict[str, Any]] = []
    for n in range(3):
        addresses = {"content_url": f"/images/{n}/c/", "style_url": f"/images/{n}/s/"}
        rows.append({"id": f"p{n}"} | addresses | words)
        for k, side in enumerate("cs"):
            image = encode_png(smooth_image(2 * n + k, SUITE.size))
            remote.answers["GET", f"/images/{n}/{side}/"] = [(200, image)]
    remote.on("GET", "/competitions/demo/pairs/", {"results": rows, "next_cursor": None})
    remote.on("GET", "/competitions/demo/phases/", {"results": [DETAIL], "next_cursor": None})
    return remote


def blend(folder: Path, body: str, **changes: object) -> str:
    """Pack a generator and return where it lies."""
    return str(python_archive(folder / "blend.zip", BLEND.format(body=body), **changes))


def run_kit(kit: Path, *arguments: str) -> None:
    """Run one of the kit's programs as its owner does."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=kit, env={"PYTHONPATH": PYTHONPATH}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_starter_kit_passes_the_check_as_it_is(server: Remote, pastiche: Run_, tmp_path: Path) -> None:
    kit = tmp_path / "My Generator!"
    made = pastiche("init", str(kit))
    assert made.exit_code == 0, made.output
    assert sorted(path.name for path in kit.rglob("*") if path.is_file()) == [
        "README.md", "export.py", "manifest.json", "model.py", "train.py",
    ]  # fmt: skip
    result = pastiche("check", str(kit), "--competition", "demo", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["manifest"]["name"] == "my-generator"
    assert (told["tried"]["pairs"], told["tried"]["is_repeatable"]) == (2, True)
    assert server.count("/competitions/demo/pairs/") == 1
    fetched = {call.path for call in server.calls if call.path.startswith("/images/")}
    assert fetched == {f"/images/{n}/{side}/" for n in (0, 1) for side in "cs"}


def test_kit_is_not_written_over_other_files(pastiche: Run_, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = pastiche("init", str(tmp_path), "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (2, "FOLDER")
    assert pastiche("init", str(tmp_path / "new"), "--name", "Not Good").exit_code == 2
    assert [path.name for path in tmp_path.iterdir() if path.name != "config"] == ["notes.txt"]


@pytest.mark.slow
def test_trained_kit_is_accepted_in_both_formats(server: Remote, pastiche: Run_, tmp_path: Path) -> None:
    kit, pairs = tmp_path / "kit", tmp_path / "pairs"
    assert pastiche("init", str(kit)).exit_code == 0
    assert pastiche("pairs", "demo", "--out", str(pairs)).exit_code == 0
    run_kit(kit, "train.py", str(pairs), "--steps", "3")
    run_kit(kit, "export.py", "python")
    run_kit(kit, "export.py", "onnx")
    for form in ("python", "onnx"):
        path = kit / f"kit-{form}.zip"
        manifest = inspect_archive(path).manifest
        assert (manifest.format, len(manifest.weights)) == (form, 1)
        result = pastiche("check", str(path), "--pairs", str(pairs))
        assert result.exit_code == 0, result.output
        run_generator(path, read_pairs(pairs)[:1], tmp_path / form, limits=Limits())
    python, onnx = (read_rgb(tmp_path / form / "p0.png").astype(int) for form in ("python", "onnx"))
    assert abs(python - onnx).max() <= 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return content[:32]", "BAD_OUTPUT"),
        ("raise ValueError(1)", "CRASHED"),
        ("import os; return content * 0 + os.urandom(1)[0] // 2 + os.urandom(1)[0] // 2", "NONDETERMINISTIC"),
    ],
)
def test_check_fails_as_the_platform_would(
    server: Remote, pastiche: Run_, tmp_path: Path, body: str, code: str
) -> None:
    result = pastiche("check", blend(tmp_path, body), "--competition", "demo", "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["error"]["code"] == code


def test_check_holds_to_the_limits_of_the_competition(server: Remote, pastiche: Run_, tmp_path: Path) -> None:
    path = blend(tmp_path, "import time; time.sleep(5); return content")
    short = DETAIL | {"limits": LIMITS | {"pair_seconds": 1}}
    server.on("GET", "/competitions/demo/phases/", {"results": [short], "next_cursor": None})
    slow = pastiche("check", path, "--competition", "demo", "--json")
    assert (slow.exit_code, json.loads(slow.stdout)["error"]["code"]) == (4, "PAIR_TIMEOUT")
    tiny = DETAIL | {"limits": LIMITS | {"archive_mb": 0}}
    server.on("GET", "/competitions/demo/phases/", {"results": [tiny], "next_cursor": None})
    large = pastiche("check", path, "--competition", "demo", "--json")
    assert (large.exit_code, json.loads(large.stdout)["error"]["code"]) == (4, "TOO_LARGE")


def test_check_without_pairs_executes_nothing(pastiche: Run_, tmp_path: Path) -> None:
    result = pastiche("check", blend(tmp_path, "raise ValueError"))
    assert result.exit_code == 0
    assert "Nothing was executed" in result.stderr
    assert result.stdout.endswith("accepted\n")


@pytest.mark.slow
def test_evaluate_gives_the_numbers_of_the_evaluation_library(
    server: Remote, pastiche: Run_, tmp_path: Path
) -> None:
    out, pairs = tmp_path / "out", tmp_path / "pairs"
    path = blend(tmp_path, "return content // 2 + style // 2")
    assert pastiche("pairs", "demo", "--out", str(pairs)).exit_code == 0
    arguments = ("--competition", "demo", "--pairs", str(pairs), "--out", str(out), "--json")
    result = pastiche("evaluate", path, *arguments)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    command = [sys.executable, "-m", "evaluation", "score", str(out), "--pairs", str(pairs), "--json"]
    command += ["--suite", SUITE.id, "--split", "public"]
    done = subprocess.run(command, env={"PYTHONPATH": PYTHONPATH}, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert (told["suite"], told["n"], told["n_valid"]) == (SUITE.id, 3, 3)
    assert [pair["id"] for pair in told["pairs"]] == ["p0", "p1", "p2"]
    for ours, theirs in zip(told["pairs"], report["pairs"], strict=True):
        assert ours["values"] == pytest.approx(theirs["values"], abs=1e-6)
    assert told["scores"]["headline"]["value"] == pytest.approx(report["aggregates"]["headline"], abs=1e-6)


def test_evaluate_scores_by_no_other_suite_than_the_servers(
    server: Remote, pastiche: Run_, tmp_path: Path
) -> None:
    changed = DETAIL | {"suite_digest": "0" * 64}
    server.on("GET", "/competitions/demo/phases/", {"results": [changed], "next_cursor": None})
    result = pastiche("evaluate", blend(tmp_path, "return content"), "--competition", "demo", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (2, "SUITE_UNKNOWN")
