"""The shape of the house: sizes, import weight, the `platform` trap, docstrings, and no traces of machines."""

import ast
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("platform", "competitions", "evaluation", "workers", "baselines", "frontend")
MAX_FUNCTION, MAX_CLASS, MAX_FILE, MAX_PARAMETERS = 40, 150, 300, 5
HEAVY = ("torch", "torchvision", "skimage", "onnxruntime")

SOURCES = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if "migrations" not in path.parts and "locale" not in path.parts
]
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(path: Path) -> Iterator[Definition]:
    """Yield every function and class of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Definition):
            yield node


def length(node: Definition) -> int:
    """Count the lines of a definition without its docstring, which may be as long as it needs."""
    end = node.end_lineno or node.lineno
    doc = node.body[0]
    if ast.get_docstring(node) is None:
        return end - node.lineno + 1
    return end - node.lineno + 1 - ((doc.end_lineno or doc.lineno) - doc.lineno + 1)


def test_platform_is_still_the_standard_librarys() -> None:
    assert Path(platform.__file__).parent == Path(sysconfig.get_path("stdlib"))
    assert not (ROOT / "platform" / "__init__.py").exists()


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_files_functions_and_classes_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE
    for node in definitions(path):
        assert length(node) <= (MAX_CLASS if isinstance(node, ast.ClassDef) else MAX_FUNCTION), node.name


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_functions_take_few_positional_parameters(path: Path) -> None:
    for node in definitions(path):
        if isinstance(node, ast.ClassDef):
            continue
        names = [a.arg for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls")]
        assert len(names) <= MAX_PARAMETERS, f"{node.name}({', '.join(names)})"


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_modules_and_public_definitions_say_what_they_are_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not tree.body:
        return
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize(
    "module",
    ["config.urls", "workers.tasks", "pastiche.cli", "competitions.ranking", "evaluation.generation.session"],
)
def test_the_light_half_loads_no_heavy_library(module: str) -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup();"
        f"import {module}; print([m for m in {HEAVY} if m in sys.modules])"
    )
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=path | {"PASTICHE_DATA_DIR": os.environ["PASTICHE_DATA_DIR"]},
    )
    assert done.stdout.strip() == "[]"


def test_torch_and_torchvision_fit_each_other() -> None:
    code = "import torch, torchvision; torchvision.ops.nms(torch.rand(2, 4), torch.rand(2), 0.5)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_lock_file_names_no_index_and_pins_every_line() -> None:
    lines = [
        line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")
    ]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][A-Za-z0-9._]*", line) for line in lines)
