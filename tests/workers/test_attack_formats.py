"""Weights that run programs, and patches of what computes scores: they run, and reach nothing."""

from pathlib import Path

import pytest

from tests.attacks.attack import Attack
from tests.attacks.formats import FORMATS
from tests.workers.attacked import assert_held, secrets
from tests.workers.sandboxes import driver, sandbox
from workers.sandbox.surroundings import SandboxDriver

__all__ = ["driver", "sandbox", "secrets"]
pytestmark = pytest.mark.sandbox

CASES = [
    pytest.param(attack, marks=pytest.mark.slow if attack.needs == "torch" else (), id=attack.name)
    for attack in FORMATS
]


@pytest.mark.parametrize("attack", CASES)
def test_the_sandbox_holds_against(driver: SandboxDriver, tmp_path: Path, attack: Attack) -> None:
    assert_held(driver, attack, tmp_path)
