"""Leave out comparisons with reference packages that are not installed."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

REFERENCES = ("cleanfid", "piq", "pytorch_msssim", "timm", "torchmetrics")
MISSING = [name for name in REFERENCES if find_spec(name) is None]
_NEEDS = re.compile(rf"^(?:from|import) (?:{'|'.join(MISSING)})\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Pass over a file whose references are missing: they are for development, the library needs none of them."""
    is_test = collection_path.name.startswith("test_reference_")
    return (
        True if MISSING and is_test and _NEEDS.search(collection_path.read_text(encoding="utf-8")) else None
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not compared with."""
    if MISSING:
        terminalreporter.write_line(f"Not installed, so not compared with: {', '.join(MISSING)}.")
