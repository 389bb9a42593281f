"""The start script: an interrupted first start is healed by the next one, and a failure says what to do."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALLER_THAN_PIP = 200_000


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that holds the script, and a lock file with packages that no index can serve."""
    shutil.copy(ROOT / "run", tmp_path / "run")
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "requirements.lock").write_text("torch==0.0.0\ntorchvision==0.0.0\n")
    return tmp_path


def set_up(checkout: Path, *, largest_file: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run `./run setup` without an index; `largest_file` in bytes stops ensurepip in the middle."""

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    return subprocess.run(
        [sys.executable, "run", "setup"],
        cwd=checkout,
        env=os.environ | {"PIP_NO_INDEX": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )


def has_pip(checkout: Path) -> bool:
    """Say whether pip of the checkout's environment runs."""
    python = checkout / ".venv" / "bin" / "python"
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def test_an_environment_that_was_left_without_pip_is_made_anew(checkout: Path) -> None:
    broken = set_up(checkout, largest_file=SMALLER_THAN_PIP)
    assert broken.returncode != 0
    assert "python3-venv" in broken.stderr
    assert "Traceback" not in broken.stderr
    assert (checkout / ".venv" / "bin" / "python").exists()
    assert not has_pip(checkout)

    healed = set_up(checkout)
    assert has_pip(checkout)
    assert "python3-venv" not in healed.stderr
    assert "pip failed. Behind a mirror" in healed.stderr  # the packages themselves are on no index here


def test_a_whole_environment_is_kept(checkout: Path) -> None:
    set_up(checkout)
    mark = checkout / ".venv" / "mark"
    mark.touch()
    set_up(checkout)
    assert mark.exists()
