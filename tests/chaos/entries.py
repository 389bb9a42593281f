"""What is submitted: generators that differ in one number, so that all scores differ, and some that crash."""

import random
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import python_archive

TEAMS = 40
PHASES = ("best", "latest")  # by their rule for which of a team's runs counts
CRASHING_SHARE = 0.05
LOWEST, HIGHEST = 0.2, 0.9

CODE = """
import os
import time


class Model:
    def __init__(self, bundle_dir, device):
        pass

    def stylize(self, content, style):
        time.sleep({pause})
        if int(content.sum()) == {crashes_on}:
            os._exit(3)
        return (content * {weight} + style * (1 - {weight})).round().astype("uint8")
"""


@dataclass(frozen=True)
class Entry:
    """One submission of a team to a phase; `weight` is how much of the content shows in its pictures."""

    number: int
    team: int
    phase: str
    weight: float
    crashes: bool

    @property
    def name(self) -> str:
        """Return the name under which it is submitted; no other has it."""
        return f"entry-{self.number:04d}"

    @property
    def expected_end(self) -> tuple[str, str]:
        """Return the state and the failure code with which its run has to end."""
        return ("failed", "CRASHED") if self.crashes else ("scored", "")


def draw_entries(count: int, *, seed: int) -> list[Entry]:
    """Draw all submissions in the order in which they are made."""
    dice = random.Random(seed)
    step = (HIGHEST - LOWEST) / max(1, count)
    weights = [round(LOWEST + step * number, 6) for number in range(count)]
    dice.shuffle(weights)
    crashing = set(dice.sample(range(count), max(1, round(count * CRASHING_SHARE))))
    return [
        Entry(
            number=number,
            team=dice.randrange(min(TEAMS, max(2, count // 4))),
            phase=dice.choice(PHASES),
            weight=weights[number],
            crashes=number in crashing,
        )
        for number in range(count)
    ]


def pack(entry: Entry, folder: Path, *, crashes_on: int, pause: float) -> Path:
    """Write the archive of an entry; one that crashes does so at the content image with that sum of levels."""
    code = CODE.format(pause=pause, weight=entry.weight, crashes_on=crashes_on if entry.crashes else -1)
    return python_archive(folder / f"{entry.name}.zip", code)
