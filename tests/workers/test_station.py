"""A worker's station: which driver may run what, one slot a process, and telling why not."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from competitions.queueing import Needs
from competitions.selectors.status import status, waiting_for
from competitions.selectors.work import Assignment, PairFile
from competitions.services.workers import Ability, forget_worker, register_worker
from evaluation.errors import SandboxUnavailable
from evaluation.generation.driver import Limits
from evaluation.generation.process import ProcessDriver
from workers.drivers import Drivers
from workers.scorer import ScorerProcess
from workers.slots import take_slot
from workers.station import Station

ROOT = Path(__file__).resolve().parents[2]


def work(*, is_shipped: bool, split: str = "hidden") -> Assignment:
    """Make an assignment with one pair."""
    pair = PairFile("p", split, "0", "1", "f", "c", "k")
    run_id = uuid4()
    return Assignment(
        run_id=run_id,
        phase_id=1,
        is_competing=True,
        is_deterministic=True,
        outputs_of=run_id,
        archive_sha256="0" * 64,
        is_shipped=is_shipped,
        dataset_digest="1" * 64,
        size=64,
        pairs=(pair,),
        suite_document="{}",
        limits=Limits(),
    )


@pytest.fixture
def bare(tmp_path: Path) -> Station:
    """A station without a sandbox."""
    drivers = Drivers(None, ProcessDriver(), "bubblewrap is missing", "Install it.")
    return Station("bare", 0, drivers, ScorerProcess(threads=1, cache_dir=tmp_path))


def test_without_a_sandbox_only_shipped_archives_run(bare: Station) -> None:
    assert bare.driver_for(work(is_shipped=True)).name == "process"
    with pytest.raises(SandboxUnavailable, match="bubblewrap is missing"):
        bare.driver_for(work(is_shipped=False))
    assert not bare.can_run_untrusted


def test_the_process_driver_for_all_is_a_setting_and_never_serves_hidden_pairs(
    bare: Station, settings: Settings
) -> None:
    settings.ALLOW_PROCESS_DRIVER = True
    assert bare.driver_for(work(is_shipped=False, split="public")).name == "process"
    with pytest.raises(SandboxUnavailable):
        bare.driver_for(work(is_shipped=False, split="hidden"))


@pytest.mark.django_db
def test_the_status_says_why_strangers_entries_wait() -> None:
    assert "No worker" in waiting_for(Needs(needs_sandbox=False)).reason
    register_worker(
        name="bare", ability=Ability("process", False, reason="bubblewrap is missing", advice="Install it.")
    )
    assert waiting_for(Needs(needs_sandbox=False)).reason == ""
    assert waiting_for(Needs()).reason == "bubblewrap is missing"
    assert status().waiting.advice == "Install it."
    register_worker(name="good", ability=Ability("bubblewrap", True))
    assert waiting_for(Needs()).reason == ""
    forget_worker(name="good")
    assert [worker.name for worker in status().workers] == ["bare"]


def test_two_processes_never_share_a_slot() -> None:
    slot, lock = take_slot(700)
    try:
        code = "from workers.slots import take_slot; print(take_slot(700)[0])"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert int(done.stdout) == slot + 1
    finally:
        lock.release()
