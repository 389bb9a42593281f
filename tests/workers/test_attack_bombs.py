"""Programs that take more than their share: each ends with its code and has reached nothing."""

from pathlib import Path

import pytest

from tests.attacks.attack import Attack
from tests.attacks.bombs import BOMBS
from tests.workers.attacked import assert_held, secrets
from tests.workers.sandboxes import driver, sandbox
from workers.sandbox.surroundings import SandboxDriver

__all__ = ["driver", "sandbox", "secrets"]
pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("attack", BOMBS, ids=lambda attack: attack.name)
def test_the_sandbox_holds_against(driver: SandboxDriver, tmp_path: Path, attack: Attack) -> None:
    assert_held(driver, attack, tmp_path)
