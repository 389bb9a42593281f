"""The list of attacks as a whole, and the further archives of a folder that the environment names."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from evaluation.archive import ArchiveLimits
from evaluation.failures import FAILURES
from tests.attacks.attack import RUNS, archive, program
from tests.attacks.catalog import ATTACKS, PROGRAMS, REFUSED, table
from tests.attacks.running import FOLDER_VARIABLE, carry_out, further_archives
from tests.workers.attacked import PATIENCE, secrets
from tests.workers.sandboxes import UID, driver, sandbox
from workers.sandbox.surroundings import SandboxDriver
from workers.sandbox.unpacking import unpack_as

__all__ = ["driver", "sandbox", "secrets"]

LIMITS = {"load_seconds": PATIENCE, "pair_seconds": PATIENCE, "run_seconds": PATIENCE, "memory_mb": 2048}


def test_every_attack_says_what_it_tries_what_stops_it_and_how_it_ends() -> None:
    assert len(REFUSED) >= 60
    assert len(PROGRAMS) >= 60
    for attack in ATTACKS:
        assert attack.name
        assert attack.tries
        assert attack.stopped_by
        assert attack.code == RUNS or attack.code in FAILURES
    twice = [name for name, count in Counter(attack.name for attack in ATTACKS).items() if count > 1]
    assert twice == []


def test_the_table_has_a_row_for_each_and_a_sum() -> None:
    lines = table().splitlines()
    assert len(lines) == len(ATTACKS) + 4
    assert lines[-1].startswith(f"{len(ATTACKS)} attacks: ")


@pytest.mark.sandbox
def test_a_further_archive_is_carried_out_in_the_same_way(
    driver: SandboxDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in (("good.zip", archive(program())), ("bad.zip", b"no archive")):
        (tmp_path / "more").mkdir(exist_ok=True)
        (tmp_path / "more" / name).write_bytes(data)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "more"))
    codes = {path.name: assert_contained(driver, path, tmp_path / path.stem) for path in further_archives()}
    assert codes == {"bad.zip": "INVALID_BUNDLE", "good.zip": RUNS}


@pytest.mark.sandbox
@pytest.mark.parametrize("further", further_archives(), ids=lambda path: path.name)
def test_the_archive_of_the_folder_reaches_nothing(
    driver: SandboxDriver, tmp_path: Path, further: Path
) -> None:
    assert_contained(driver, further, tmp_path / "run")


def assert_contained(driver: SandboxDriver, further: Path, folder: Path) -> str:
    """Carry out an archive of which nothing is known: it ends with a code, and carries nothing out."""
    folder.mkdir()
    copy = folder / "archive.zip"
    copy.write_bytes(further.read_bytes())
    ending = carry_out(driver, copy, unpack=partial(_unpack, limits=ArchiveLimits()), limits=LIMITS)
    assert ending.code == RUNS or ending.code in FAILURES
    assert ending.code != "INFRA", ending.text
    assert ending.leaks == []
    return ending.code


def _unpack(path: Path, folder: Path, limits: ArchiveLimits) -> None:
    unpack_as(UID, path, folder, limits)
