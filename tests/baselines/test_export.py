"""Exports are archives like any other: readable, the same each time, self-contained, and they run."""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from baselines.cli import cli
from baselines.export import (
    NoSuchFormat,
    UnknownBaseline,
    Variant,
    changed_digests,
    export_baseline,
    ready_names,
    write_digests,
)
from baselines.registry import BASELINES
from evaluation.archive import inspect_archive, unpack_archive
from evaluation.demo.dataset import write_demo_dataset
from evaluation.errors import WeightsMissing
from evaluation.generation.driver import Limits
from evaluation.generation.generate import generate
from evaluation.generation.process import ProcessDriver
from evaluation.images import read_rgb
from evaluation.pairs import Pair, read_pairs
from evaluation.shipped import shipped_digests

NAMES = ready_names()


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    for name in NAMES:
        export_baseline(name, folder)
    return folder


@pytest.fixture(scope="module")
def public_pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, ...]:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_dataset(folder, size=64)
    return read_pairs(folder, "public")[:2]


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_a_good_archive_that_names_the_baseline(archives: Path, name: str) -> None:
    manifest = inspect_archive(archives / f"{name}.zip").manifest
    assert (manifest.name, manifest.title) == (name.replace("_", "-"), BASELINES[name].title)
    assert "model.py" in manifest.sha256
    assert manifest.deterministic


@pytest.mark.parametrize("name", NAMES)
def test_model_py_is_the_source_file_byte_for_byte(archives: Path, name: str) -> None:
    source = inspect.getsourcefile(importlib.import_module(BASELINES[name].code))
    assert source is not None
    with zipfile.ZipFile(archives / f"{name}.zip") as archive:
        assert archive.read("model.py") == Path(source).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_code_imports_nothing_of_this_project(name: str) -> None:
    tree = ast.parse(BASELINES[name].bundle_files()["model.py"])
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & {"baselines", "evaluation"}


@pytest.mark.parametrize("name", NAMES)
def test_a_second_export_has_the_same_digest(archives: Path, tmp_path: Path, name: str) -> None:
    again = export_baseline(name, tmp_path)
    assert again.sha256 == inspect_archive(archives / f"{name}.zip").sha256


def test_the_shipped_list_holds_exactly_these_digests(archives: Path) -> None:
    exported = {inspect_archive(archives / f"{name}.zip").sha256 for name in NAMES}
    assert shipped_digests() == exported, "run: python -m baselines digests --write"


@pytest.mark.parametrize("name", NAMES)
def test_an_export_runs_on_two_pairs_twice_with_one_result(
    archives: Path, public_pairs: tuple[Pair, ...], tmp_path: Path, name: str
) -> None:
    info = unpack_archive(archives / f"{name}.zip", tmp_path / "bundle")
    is_trivial = BASELINES[name].kind == "trivial"
    outs = [tmp_path / "first"] if is_trivial else [tmp_path / "first", tmp_path / "second"]
    for out in outs:
        generate(
            tmp_path / "bundle",
            info.manifest,
            public_pairs,
            out,
            driver=ProcessDriver(),
            limits=Limits(pair_seconds=60),
            log=lambda chunk: None,
            progress=lambda done, total: None,
        )
    for pair in public_pairs:
        pictures = [read_rgb(out / f"{pair.id}.png", 64) for out in outs]
        assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
        differs = {
            "content": not np.array_equal(pictures[0], read_rgb(pair.content)),
            "style": not np.array_equal(pictures[0], read_rgb(pair.style)),
        }
        assert differs == {"content": name != "identity", "style": name != "style_copy"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("height", "width"), [(50, 77), (200, 311), (64, 64)])
def test_odd_sizes_work_and_keep_the_size_of_the_content(
    load, picture, name: str, height: int, width: int
) -> None:
    stylized = load(name).stylize(picture(height, width, seed=1), picture(height, width, seed=2))
    assert (stylized.shape, stylized.dtype) == ((height, width, 3), np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_does_not_depend_on_the_pair_before(load, picture, name: str) -> None:
    model, pair = load(name), (picture(48, 48, seed=1), picture(48, 48, seed=2))
    first = model.stylize(*pair).copy()
    model.stylize(picture(48, 48, seed=3), picture(48, 48, seed=4))
    assert np.array_equal(model.stylize(*pair), first)


def test_color_transfers_start_without_torch() -> None:
    modules = [baseline.code for baseline in BASELINES.values() if baseline.kind == "trivial"]
    code = f"import sys, {', '.join(modules)}, baselines.export; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_change_of_the_code_shows_in_the_digest_list(tmp_path: Path) -> None:
    path = tmp_path / "shipped.json"
    digests = write_digests(path)
    assert changed_digests(path) == []
    path.write_text(json.dumps(digests | {"identity": "0" * 64, "gone": "1" * 64}))
    assert changed_digests(path) == ["gone", "identity"]


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownBaseline, match="Known baselines: identity, style_copy"):
        export_baseline("nonesuch", tmp_path)


def test_a_baseline_without_training_has_no_other_format_or_strength(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFormat, match="gatys is no trained network"):
        export_baseline("gatys", tmp_path, Variant(form="onnx"))


def test_a_learned_baseline_without_weights_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="python -m baselines train adain"):
        export_baseline("adain", tmp_path, Variant(run=tmp_path))


def test_the_command_line_lists_exports_and_checks(tmp_path: Path) -> None:
    runner = CliRunner()
    listed = json.loads(runner.invoke(cli, ["list", "--json"]).output)
    assert [row["name"] for row in listed] == list(BASELINES)
    assert "gatys" in runner.invoke(cli, ["list"]).output
    result = runner.invoke(cli, ["export", "--all", "--out", str(tmp_path), "--json"])
    rows = json.loads(result.output)
    assert {row["name"]: row["sha256"] for row in rows} == {
        name: inspect_archive(tmp_path / f"{name}.zip").sha256 for name in NAMES
    }
    assert runner.invoke(cli, ["digests", "--check"]).exit_code == 0
    assert runner.invoke(cli, ["export", "--out", str(tmp_path)]).exit_code == 2
