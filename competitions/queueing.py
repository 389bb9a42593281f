"""How the queue shares workers among teams, and when a run may start: decisions that need no database."""

import heapq
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from evaluation.manifest import RUNTIMES

DEVICES = ("cpu", "cuda")  # a worker that offers one of them offers those before it too
LEAST_SHARE_LEFT = 0.1  # of the usual duration, for a run that already takes longer


@dataclass(frozen=True)
class Needs:
    """What a run asks of a worker; by default what most ask."""

    device: str = "cpu"
    memory_mb: int = 0
    runtime: str = RUNTIMES[0]
    needs_sandbox: bool = True


class Offer(Protocol):
    """What a worker offers to runs."""

    @property
    def devices(self) -> Collection[str]:
        """Return the kinds of device."""

    @property
    def memory_mb(self) -> int:
        """Return the most memory that a generator can have."""

    @property
    def runtimes(self) -> Collection[str]:
        """Return the runtimes that are installed."""

    @property
    def can_run_untrusted(self) -> bool:
        """Say whether strangers' generators can run."""


@dataclass(frozen=True)
class LeastOffer:
    """Just enough for a run and no more."""

    devices: tuple[str, ...]
    memory_mb: int
    runtimes: tuple[str, ...]
    can_run_untrusted: bool


@dataclass(frozen=True)
class Backlog:
    """Some runs that are served earlier, and how long one of them takes."""

    n: int
    seconds: float


def suffices(offer: Offer, needs: Needs) -> bool:
    """Say whether a worker can do a run."""
    return (
        needs.device in offer.devices
        and needs.memory_mb <= offer.memory_mb
        and needs.runtime in offer.runtimes
        and (offer.can_run_untrusted or not needs.needs_sandbox)
    )


def least_offer(needs: Needs) -> LeastOffer:
    """Describe the smallest worker for a run: what that one can do, every worker can that can do this run."""
    devices = DEVICES[: DEVICES.index(needs.device) + 1]
    return LeastOffer(devices, needs.memory_mb, (needs.runtime,), needs.needs_sandbox)


def next_turn(*, clock: int, served: int | None, waiting: int | None) -> int:
    """Return the turn of a lane's next run, by start-time fair queueing (Goyal, Vin, Cheng 1996).

    A lane is a team in a phase. Runs of one priority are served by turn, and by arrival within a turn; every
    run counts as one. Runs of a lane get rising turns. A lane with nothing waiting enters at the turn that is
    being served, or at the one after it if it has had that one: it neither saves up turns while it is idle,
    nor has to catch up with anybody.

    Why a flood delays another team's first run by at most one run: `clock` is no higher than the turn of any run
    that waits and asks for no more, so a lane's first run gets a turn no higher than that of the flood's next run.
    The flood's other runs have higher turns, and so has what it adds later. So one run of the flood at most is
    served before the first run, besides those that had started already.

    This holds for floods that ask for no more than the first run does, which are all that every worker for it could
    do as well. Runs that ask for more and fell behind, because few workers can do them, have low turns: workers
    that can do both serve them first, and leave the others to the rest.

    Args:
        clock: the turn being served, or the lowest one that waits and asks for no more, if that is lower.
        served: the highest turn of the lane's runs that have started; None where none has.
        waiting: the highest turn of the lane's runs that wait; None where none does.
    """
    entry = clock if served is None or served < clock else clock + 1
    return entry if waiting is None else max(entry, waiting + 1)


def usual_seconds(measured: Sequence[float]) -> float:
    """Return the median of measured durations; infinity where nothing was measured."""
    return median(measured) if measured else math.inf


def seconds_left(*, usual: float, elapsed: float, share_done: float) -> float:
    """Estimate how long a run goes on: at its own pace once it has one, else until it took as long as usual."""
    if share_done > 0:
        return elapsed * (1 - share_done) / share_done
    return max(usual - elapsed, usual * LEAST_SHARE_LEFT)


def seconds_until_start(free_in: Iterable[float], ahead: Sequence[Backlog]) -> float:
    """Estimate when a run starts: whichever worker gets free takes the next one of those ahead, then this one.

    What lies ahead counts with its mean duration. Runs that arrive later but are served earlier are not
    foreseen. Infinity where there is no worker, or where a duration that matters is unknown.

    Args:
        free_in: for each worker that can do the run, in how many seconds it is free.
        ahead: the runs that are served earlier.
    """
    workers = sorted(free_in)
    n = sum(part.n for part in ahead)
    mean = sum(part.n * part.seconds for part in ahead) / n if n else 0.0
    for _ in range(n if workers else 0):
        heapq.heapreplace(workers, workers[0] + mean)
    return workers[0] if workers else math.inf
