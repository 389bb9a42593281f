"""Who ended a sandbox: a generator that ends itself has crashed; one that was ended from outside is our failure."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from evaluation.errors import GenerationError
from evaluation.generation.driver import Session
from evaluation.manifest import parse_manifest
from tests.attacks.generators import LIMITS, images, model, run, write_bundle
from tests.workers.sandboxes import sandbox
from workers.sandbox.bubblewrap import BubblewrapDriver

__all__ = ["sandbox"]
pytestmark = pytest.mark.sandbox

SUICIDE = """import signal
for n in {1, os.getppid(), os.getpid()} - {0}:
    os.kill(n, signal.SIGKILL)
return content"""


def test_a_sandbox_that_was_killed_from_outside_is_a_fault_of_the_platform(
    sandbox: BubblewrapDriver, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "b", model())
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    seen: list[Session] = []
    session = sandbox.start(bundle, manifest, LIMITS, lambda chunk: None, on_launch=seen.append)
    try:
        (child,) = [c for c in psutil.Process().children() if c.name() == "bwrap"]
        child.send_signal(signal.SIGKILL)
        while child.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        ((content, style),) = images(1, 16)
        with pytest.raises(GenerationError) as failure:
            session.predict(content, style)
        assert failure.value.code == "INFRA"
    finally:
        session.abort()


def test_a_generator_cannot_pass_its_own_end_off_as_ours(sandbox: BubblewrapDriver, tmp_path: Path) -> None:
    outcome = run(sandbox, write_bundle(tmp_path / "b", model(pair=SUICIDE)), pairs=1)
    assert outcome.failure is not None
    assert outcome.failure.code == "CRASHED"
