"""Show a few pairs again to a fresh copy of the generator: does it remember, does it throw dice?"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from competitions.rules import fault_of
from competitions.services.flags import RaisedFlag
from evaluation.errors import GenerationError
from evaluation.failures import Fault
from evaluation.images import read_rgb
from workers.attempt import Attempt

# Mean difference in levels of 0..255 up to which two pictures are the same: another machine may round otherwise.
SAME_LEVELS = 0.5
# A generator that throws dice differs from itself; one that remembers differs by more than that.
TIMES_ITS_OWN = 3.0

Pictures = Mapping[str, np.ndarray]


def choose(pairs: Sequence[str], count: int) -> list[str]:
    """Draw the pairs to show again, in an order that nobody can foresee."""
    return random.SystemRandom().sample(list(pairs), min(count, len(pairs)))


def agrees(this: Attempt, pairs: Sequence[str], kept: Mapping[str, Path]) -> bool:
    """Say whether the generator, freshly loaded, makes the same pictures as are kept.

    Raises:
        GenerationError: it fails.
        StaleFence, Draining: the run must not go on.
    """
    return _distance(_again(this, pairs), _read(kept, pairs)) <= SAME_LEVELS


def look_twice(this: Attempt, pairs: Sequence[str], kept: Mapping[str, Path]) -> RaisedFlag | None:
    """Replay pairs once, and again where pictures differ; say what that shows, None where they agree.

    Two fresh copies see the same pairs in the same order. Where they agree with each other but not with the run,
    its pictures depend on what was shown earlier; where they disagree, the generator throws dice.

    Raises:
        StaleFence, Draining: the run must not go on.
    """
    try:
        first = _again(this, pairs)
        changed = _distance(first, _read(kept, pairs))
        if changed <= SAME_LEVELS:
            return None
        own = _distance(first, _again(this, pairs))
    except GenerationError as error:
        if fault_of(error.code) is Fault.PLATFORM:
            raise
        return RaisedFlag(
            "NONDETERMINISTIC", 1.0, 0.0, f"Shown {len(pairs)} pairs again, it failed: {error.code}."
        )
    if changed > TIMES_ITS_OWN * own:
        return RaisedFlag("STATEFUL", changed, SAME_LEVELS, _sentence(pairs, changed, own))
    if this.work.is_deterministic:
        return RaisedFlag("NONDETERMINISTIC", own, SAME_LEVELS, _sentence(pairs, changed, own))
    return None


def _sentence(pairs: Sequence[str], changed: float, own: float) -> str:
    return (
        f"On {len(pairs)} pairs that were shown again to fresh copies, pictures differ from those of the run by "
        f"{changed:.1f} levels of 255 on average, and between the copies by {own:.1f}."
    )


def _again(this: Attempt, pairs: Sequence[str]) -> Pictures:
    this.generator.load(shows_log=False)  # a log tells of its pairs once
    made = {pair: this.generator.stylize(this.pairs[pair]).stylized for pair in pairs}
    this.generator.abort()
    return made


def _read(kept: Mapping[str, Path], pairs: Sequence[str]) -> Pictures:
    return {pair: read_rgb(kept[pair]) for pair in pairs}


def _distance(some: Pictures, others: Pictures) -> float:
    """Return the largest mean difference of a pair, in levels."""
    return max(float(np.abs(some[pair].astype(int) - others[pair].astype(int)).mean()) for pair in some)
