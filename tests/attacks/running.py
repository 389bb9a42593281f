"""Carry an attack out: unpack the archive, run the generator on a driver, and say how it ended."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.archive import unpack_archive
from evaluation.errors import InvalidArchive
from evaluation.generation.driver import Driver
from tests.attacks.attack import RUNS
from tests.attacks.generators import Outcome, run
from tests.attacks.planted import SECRET, VARIABLE

FOLDER_VARIABLE = "PASTICHE_ATTACKS"


@dataclass(frozen=True)
class Ending:
    """How an archive ended: a failure code or "", the broken rule, and all that was said."""

    code: str
    reason: str
    text: str
    outcome: Outcome | None = None

    @property
    def leaks(self) -> list[str]:
        """List what it found of what was planted; the name of the variable is known to it."""
        found = self.text if self.outcome is None else self.text + self.outcome.text
        pictures = (
            b"" if self.outcome is None else b"".join(p.stylized.tobytes() for p in self.outcome.predictions)
        )
        return [name for name in (SECRET, f"{VARIABLE}=") if name in found or name.encode() in pictures]


def carry_out(
    driver: Driver,
    archive: Path,
    *,
    unpack: Callable[[Path, Path], object] = unpack_archive,
    pairs: int = 2,
    side: int = 16,
    pause: float = 0.0,
    limits: Mapping[str, float] | None = None,
) -> Ending:
    """Run one archive as a worker does, beside which its bundle is unpacked."""
    bundle = archive.with_name("bundle")
    try:
        unpack(archive, bundle)
    except InvalidArchive as error:
        return Ending("INVALID_BUNDLE", error.reason, error.message)
    outcome = run(driver, bundle, pairs=pairs, side=side, pause=pause, **(limits or {}))
    failure = outcome.failure
    if failure is None:
        return Ending(RUNS, "", "", outcome)
    return Ending(failure.code, "", failure.message, outcome)


def further_archives() -> list[Path]:
    """List the archives of the folder that the environment names."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return sorted(path for path in Path(folder).iterdir() if path.is_file()) if folder else []
