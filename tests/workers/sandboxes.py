"""What the sandbox tests share: whether a sandbox can be had here, a slot of their own, and a clean end."""

import os
from collections.abc import Iterator
from functools import cache

import pytest

from evaluation.errors import SandboxUnavailable
from tests.attacks.generators import remains
from workers.sandbox.bubblewrap import FIRST_UID, BubblewrapDriver

SLOT = 1000 + os.getpid() % 3000
UID = FIRST_UID + SLOT if os.geteuid() == 0 else None


@cache
def why_not() -> str:
    """Return why there is no sandbox here, or nothing."""
    try:
        BubblewrapDriver(slot=SLOT)
    except SandboxUnavailable as error:
        return str(error)
    return ""


@pytest.fixture
def sandbox() -> Iterator[BubblewrapDriver]:
    """A bubblewrap driver with a slot of its own; afterwards nothing of it may be left."""
    if why_not():
        pytest.skip(f"no sandbox here: {why_not()}")
    yield BubblewrapDriver(slot=SLOT)
    left = remains(UID)
    assert not left, left
