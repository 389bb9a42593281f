"""What the sandbox tests share: the drivers that can run here, a slot of their own, and a clean end.

The docker driver is tested beside bubblewrap where an engine is named: PASTICHE_TEST_ENGINE is its socket,
PASTICHE_TEST_IMAGE an image by its digest, with Python 3 and numpy, and PASTICHE_TEST_RUNTIME runc or runsc.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from evaluation.errors import SandboxUnavailable
from tests.attacks.generators import remains
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.sandbox.docker import DockerDriver
from workers.sandbox.surroundings import FIRST_UID, SandboxDriver

ROOT = Path(__file__).parents[2]
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


def docker() -> DockerDriver:
    """Make a docker driver for the engine that the environment names."""
    return DockerDriver(
        image=os.environ["PASTICHE_TEST_IMAGE"],
        runtime=os.environ.get("PASTICHE_TEST_RUNTIME", "runsc"),
        slot=SLOT,
        address=Path(os.environ["PASTICHE_TEST_ENGINE"]),
    )


@pytest.fixture(params=["bubblewrap", *(["docker"] if "PASTICHE_TEST_ENGINE" in os.environ else [])])
def driver(request: pytest.FixtureRequest) -> Iterator[SandboxDriver]:
    """Every sandbox that can run here; afterwards nothing of it may be left."""
    if request.param == "bubblewrap":
        yield request.getfixturevalue("sandbox")
        return
    yield docker()
    left = remains(UID)
    assert not left, left


@pytest.fixture
def sandbox() -> Iterator[BubblewrapDriver]:
    """A bubblewrap driver with a slot of its own; afterwards nothing of it may be left."""
    if why_not():
        pytest.skip(f"no sandbox here: {why_not()}")
    yield BubblewrapDriver(slot=SLOT)
    left = remains(UID)
    assert not left, left


def as_nobody(folder: Path, code: str, *, before: str = "exec") -> str:
    """Run Python code as a user without rights and return what it prints.

    A private mount namespace opens the folders above the interpreter to that user. `before` is shell text
    in front of the interpreter.
    """
    folder.chmod(0o755)
    script = ["set -eu", "mount --make-rprivate /"]
    for number, path in enumerate(sorted({sys.base_prefix, sys.prefix, str(ROOT)})):
        closed = [p for p in reversed(Path(path).parents) if not p.stat().st_mode & 0o001]
        if closed:
            kept = folder / f"kept-{number}"
            kept.mkdir()
            script += [f"mount --bind {path} {kept}", f"mount -t tmpfs -o mode=0755 none {closed[0]}"]
            script += [f"mkdir -p {path}", f"mount --bind {kept} {path}"]
    script += [
        "cd /tmp",
        f"exec setpriv --reuid 65533 --regid 65533 --clear-groups -- sh -c '{before} \"$@\"' sh",
    ]
    script[-1] += ' "$@"'
    command = ["unshare", "--mount", "sh", "-c", "\n".join(script), "sh"]
    command += ["env", "HOME=/tmp", f"PYTHONPATH={ROOT}", sys.executable, "-B", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
