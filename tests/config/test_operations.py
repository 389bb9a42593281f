"""The operators' manual: every setting stands in it with its default, and every command that it names is there."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.config.processes import ROOT

MANUAL = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ((?:`PASTICHE_\w+`(?:, )?)+) \| ([^|]*) \| ([^|]+) \|$", re.M)
# Read before there are settings, by the scripts that start everything.
BY_SCRIPTS = {"PASTICHE_HOST", "PASTICHE_PORT", "PASTICHE_PACKAGE_INDEX"}


def described() -> dict[str, str]:
    """Return the default that the manual names for each variable."""
    names = [(name, row[2]) for row in ROW.finditer(MANUAL) for name in re.findall(r"\w+", row[1])]
    assert len(names) == len(dict(names))
    return dict(names)


def read_by_settings() -> dict[str, ast.expr | None]:
    """Return each variable that the settings read, with its default where that stands there."""
    tree = ast.parse((ROOT / "platform" / "config" / "settings.py").read_text(encoding="utf-8"))
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            texts = [*node.args, *(word.value for word in node.keywords)]
            for number, part in enumerate(texts):
                if isinstance(part, ast.Constant) and re.fullmatch(r"PASTICHE_[A-Z_]+", str(part.value)):
                    default = node.args[1] if number == 0 and len(node.args) > 1 else None
                    found[str(part.value)] = found.get(str(part.value)) or default
    return found


def test_the_manual_describes_every_setting_and_no_other() -> None:
    assert set(described()) == set(read_by_settings()) | BY_SCRIPTS


@pytest.mark.parametrize(("name", "default"), sorted(read_by_settings().items(), key=lambda item: item[0]))
def test_the_manual_names_the_default(name: str, default: ast.expr | None) -> None:
    if not isinstance(default, ast.Constant) or name == "PASTICHE_DATABASE_URL":
        return
    text = str(default.value).lower() if isinstance(default.value, bool) else str(default.value)
    cell = described()[name]
    assert cell.startswith(f"`{text}`") if text else "`" not in cell


def test_commands_that_the_manual_names_are_there() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", MANUAL))
    assert {"check", "migrate", "runs", "verify_files"} <= named
    assert named <= set(get_commands())


def test_files_that_the_manual_names_are_there() -> None:
    for name in (
        "docker-compose.yml",
        ".env.example",
        "deploy/pastiche-worker.service",
        "docs/architecture.md",
    ):
        assert Path(name).name in MANUAL
        assert (ROOT / name).is_file()


def test_lines_that_the_manual_quotes_are_written_by_the_code() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for room in ("platform/config", "workers", "competitions")
        for path in (ROOT / room).rglob("*.py")
    )
    for line in ("cannot start without its", "waiting for the", "no sandbox, so no untrusted generators"):
        assert line in MANUAL
        assert line in code
