"""Carry an attack out on a sandbox and see that it ended as it must, reached nothing and left nothing."""

import platform
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from evaluation.failures import FAILURES
from tests.attacks import planted
from tests.attacks.attack import RUNS, Attack
from tests.attacks.running import carry_out
from workers.sandbox.surroundings import SandboxDriver

PATIENCE = 20.0
GROWTH = 60 << 20


@pytest.fixture(scope="module", autouse=True)
def secrets() -> Iterator[None]:
    """What the attacks look for; a change of it is an error."""
    with planted.plant():
        yield


def assert_held(driver: SandboxDriver, attack: Attack, folder: Path) -> None:
    """Carry one attack out; what it leaves behind is the fixture's to see."""
    if attack.needs and (find_spec(attack.needs) is None or driver.name == "docker"):
        pytest.skip(f"{attack.needs} is not installed where the attack would run")
    if "call(" in attack.name and platform.machine() != "x86_64":
        pytest.skip("its numbers are those of another processor")
    (folder / "attack.zip").write_bytes(attack.build())
    memory, started = psutil.Process().memory_info().rss, time.monotonic()
    ending = carry_out(
        driver,
        folder / "attack.zip",
        pairs=attack.pairs,
        side=attack.side,
        pause=attack.pause,
        limits=attack.limits,
    )
    said = ending.text + (ending.outcome.text if ending.outcome else "")
    is_own = attack.own_kernel and driver.surroundings.has_own_kernel
    assert ending.code in ({RUNS, *FAILURES} - {"INFRA"} if is_own else {attack.code}), said
    assert is_own or "REACHED" not in said, said
    assert is_own or attack.says in said, said
    assert ending.leaks == []
    assert time.monotonic() - started < PATIENCE + attack.limits.get("load_seconds", 0)
    assert psutil.Process().memory_info().rss - memory < GROWTH
    if ending.outcome is not None:
        assert len(ending.outcome.log) < 17 * 1024
