"""The command `weights`, with a catalog of files that the test publishes."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from evaluation.backbones.weight_files import CATALOG, WeightFile
from evaluation.cli import cli
from evaluation.errors import WeightsMissing
from evaluation.weights_command import weights

NAMES = ("first", "second")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, WeightFile]:
    """Two published files, and torch's own folder out of the way."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "server").mkdir()
    files = {}
    for value, name in enumerate(NAMES):
        path = tmp_path / "server" / f"{name}.pth"
        torch.save({"weight": torch.full((4,), float(value))}, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files[name] = WeightFile(name, path.name, digest, path.as_uri(), "CC0-1.0", path.stat().st_size)
    return files


def run(catalog: dict[str, WeightFile], *arguments: object) -> Result:
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(weights, words, obj=catalog, catch_exceptions=False)


def test_files_are_fetched_then_listed_and_right(catalog: dict[str, WeightFile], tmp_path: Path) -> None:
    folder = tmp_path / "here"
    path = str(folder / "first.pth")
    assert json.loads(run(catalog, "fetch", "first", "--dir", folder, "--json").stdout) == {"first": path}
    listed = run(catalog, "list", "--dir", folder).stdout
    assert f"first: {path}" in listed
    assert "second: missing" in listed
    rows = json.loads(run(catalog, "list", "--dir", folder, "--json").stdout)
    assert [row["path"] for row in rows] == [path, None]
    result = run(catalog, "verify", "--dir", folder)
    assert (result.exit_code, result.stdout) == (0, f"first: right {path}\nsecond: missing\n")


def test_verify_fails_for_a_corrupt_file_and_for_a_named_one_that_is_missing(
    catalog: dict[str, WeightFile], tmp_path: Path
) -> None:
    (tmp_path / "first.pth").write_bytes(b"half a download")
    result = run(catalog, "verify", "--dir", tmp_path, "--json")
    assert result.exit_code == 1
    assert [row["state"] for row in json.loads(result.stdout)] == ["corrupt", "missing"]
    assert run(catalog, "verify", "second", "--dir", tmp_path).exit_code == 1


def test_a_file_is_added(catalog: dict[str, WeightFile], tmp_path: Path) -> None:
    result = run(catalog, "add", tmp_path / "server" / "second.pth", "--dir", tmp_path / "here")
    assert result.stdout == f"second: {tmp_path / 'here' / 'second.pth'}\n"
    assert run(catalog, "verify", "second", "--dir", tmp_path / "here").exit_code == 0


def test_fetch_wants_known_names(catalog: dict[str, WeightFile]) -> None:
    nothing = CliRunner().invoke(weights, ["fetch"], obj=catalog)
    assert nothing.exit_code == 2
    assert "Name at least one: first, second." in nothing.stderr
    with pytest.raises(WeightsMissing, match="Known names: first, second"):
        run(catalog, "fetch", "third")


def test_the_main_command_line_hands_everything_over() -> None:
    result = CliRunner().invoke(cli, ["weights", "list", "--json"], catch_exceptions=False)
    assert [row["name"] for row in json.loads(result.stdout)] == list(CATALOG)
    assert "Copy FILE" in CliRunner().invoke(cli, ["weights", "add", "--help"]).stdout
    assert CliRunner().invoke(cli, ["weights"]).exit_code == 2
