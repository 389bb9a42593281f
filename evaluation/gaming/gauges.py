"""The scorers that judge an entry: as the board has it, under all jitters, and through the audit network."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluation.jitters import JITTERS
from evaluation.pairs import Pair
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite


class Gauges:
    """Three scorers of one dataset; they compute only what the ranking rests on."""

    def __init__(
        self, suite: MetricSuite, audit: MetricSuite, pairs: Sequence[Pair], cache: Path | None = None
    ) -> None:
        """Open the scorers; raises what the constructor of `Scorer` raises."""
        lean = replace(suite, columns=(), set_columns=())
        self.pairs = tuple(pairs)
        self.official = Scorer(lean, pairs, cache_dir=cache)
        self.jittered = Scorer(replace(lean, jitters=tuple(JITTERS)), pairs, cache_dir=cache)
        self.audit = Scorer(replace(audit, columns=(), set_columns=()), pairs, cache_dir=cache)
