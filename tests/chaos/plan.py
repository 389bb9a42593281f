"""Which faults are caused, and when: drawn by a seed, so that a day of violence can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

STAGES = ("claimed", "loading", "generating", "scoring", "publishing", "scored")
ASSISTING = "assisting"  # a worker that has taken a shard of another worker's run
ANY = ""

# In which stage of a run the blow falls. A sandbox lives while a generator is loaded and asked, a scorer has
# something to do from the loading on; whatever is hit at ANY may be idle.
_AIMS: dict[str, tuple[str, ...]] = {
    "kill-parent": (*STAGES, ASSISTING, ANY),
    "kill-child": (*STAGES, ASSISTING, ANY),
    "kill-scorer": ("loading", "generating", "scoring", "publishing", ASSISTING, ANY),
    "kill-sandbox": ("loading", "generating", "generating", ASSISTING),
    "drain": ("claimed", "generating", "publishing", ASSISTING, ANY),
    "freeze": ("claimed", "generating", "publishing", ASSISTING),
    "fill-disk": ("generating", ANY),
    "kill-scheduler": (ANY, ANY),
    "flush-redis": (ANY, ANY, ANY),
    "restart-redis": (ANY, ANY, ANY),
    "restart-postgres-fast": ("generating", "publishing", ANY),
    "restart-postgres-immediate": ("generating", "publishing", ANY),
    "duplicate-nudges": (ANY, ANY),
    "delay-nudges": (ANY, ANY),
}
KINDS = tuple(_AIMS)


@dataclass(frozen=True)
class Fault:
    """One blow: it is due when `after` runs have ended.

    `aim` is the stage in which a run is awaited, whose worker is then hit `delay` seconds later; without an aim it
    is the worker of that number. `seconds` is how long it lasts, or the pause before what was stopped comes back.
    """

    kind: str
    after: int
    aim: str
    worker: int
    delay: float
    seconds: float


def draw_faults(
    count: int, *, runs: int, workers: int, seed: int, kinds: Sequence[str] = KINDS
) -> list[Fault]:
    """Draw faults of all kinds, spread evenly over the runs: first each kind once, then each with each aim."""
    dice = random.Random(seed)
    first = [(kind, dice.choice(_AIMS[kind])) for kind in kinds]
    dice.shuffle(first)
    dealt = first
    while len(dealt) < count:
        deck = [(kind, aim) for kind in kinds for aim in _AIMS[kind]]
        dice.shuffle(deck)
        dealt = dealt + deck
    return [
        Fault(
            kind=kind,
            after=runs * number // (count + 1),
            aim=aim,
            worker=dice.randrange(workers),
            delay=dice.choice((0.0, dice.uniform(0.0, 0.5))),
            seconds=dice.uniform(0.5, 3.0),
        )
        for number, (kind, aim) in enumerate(dealt[:count], start=1)
    ]
