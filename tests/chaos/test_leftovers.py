"""What a day leaves behind is found: by home, by user, by name, by place."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.leftovers import age_unfinished, find_leftovers, find_mounts


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """An empty folder of a house."""
    (tmp_path / "house").mkdir()
    return tmp_path / "house"


def look(folder: Path) -> list[str]:
    """Find what is left below a folder whose services had no processes."""
    return find_leftovers(folder, workers=4, pids={2**22 + 1}, patience=0)


def test_a_clean_house_shows_nothing(house: Path) -> None:
    for name in ("tmp", "data/uploads", "worker-0/runs", "worker-0/files"):
        (house / name).mkdir(parents=True)
    (house / "worker-0" / "files" / "kept").write_text("a cache is no leftover")
    assert look(house) == find_mounts(house) == []


def test_a_process_is_known_by_its_home(house: Path) -> None:
    code = "import time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], env={"HOME": str(house / "home")})
    try:
        time.sleep(0.2)
        (sentence,) = look(house)
    finally:
        process.kill()
        process.wait()
    assert sentence.startswith(f"process {process.pid} of parent {os.getpid()}")


def test_what_lies_in_the_wrong_places_is_named(house: Path) -> None:
    left = ("tmp/pastiche-stage-1-x", "worker-1/runs/abc", "data/artifacts/incoming/tmp1", "data/uploads/a")
    for name in (*left, "worker-2/files/digest.unfinished"):
        (house / name).mkdir(parents=True)
    sentences = "\n".join(look(house))
    for name in (*left, "worker-2/files/digest.unfinished"):
        assert Path(name).name in sentences


def test_the_empty_folder_of_a_killed_pool_is_nobodys_fault_but_a_full_one_is(house: Path) -> None:
    (house / "tmp" / "pymp-empty").mkdir(parents=True)
    assert look(house) == []
    (house / "tmp" / "pymp-empty" / "file").write_text("content")
    assert len(look(house)) == 1


def test_unfinished_files_are_made_old(house: Path) -> None:
    file = house / "incoming" / "tmp1"
    file.parent.mkdir()
    file.write_text("half of it")
    age_unfinished(house)
    assert time.time() - file.stat().st_mtime > 600
