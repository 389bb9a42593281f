"""Keep one warm scorer process and ask it: scores, metrics of a whole set, signs of gaming, parts put together."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from competitions.ranking import SplitScore
from competitions.services.flags import RaisedFlag
from evaluation.report import PairScore
from workers import metrics
from workers.scorer_child import (
    Child,
    ScorerFailed,
    ScorerGone,
    ask_child,
    memory_mb_of,
    start_child,
    stop_child,
)

logger = logging.getLogger(__name__)

MOST_PAIRS = 24  # that a review compares pixel by pixel

Answer = dict[str, object]
T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """What is scored: a suite, as its document, on the dataset of a folder."""

    suite_document: str
    pairs_folder: Path


@dataclass
class ScorerProcess:
    """The warm scorer of this worker, started at first use and again whenever it has ended.

    `rest` starts it anew when it holds more than `memory_mb`. `opened_warm` counts how often a dataset was still
    open, `opened_cold` how often it had to be read, `restarts` how often the scorer was started again, for
    whatever reason.
    """

    threads: int
    cache_dir: Path
    weights_dir: Path | None = None
    memory_mb: int = 4096
    opened_warm: int = 0
    opened_cold: int = 0
    restarts: int = 0
    _child: Child | None = None
    _has_run: bool = False
    _keys: dict[Question, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Guard the pipe: one question at a time."""
        self._lock = threading.RLock()

    def open(self, question: Question) -> None:
        """Load a dataset and a suite; warm if they were used lately."""
        self._persist(lambda: self._open(question))

    def score(self, question: Question, *, run: str, pair_id: str, output: Path, seconds: float) -> PairScore:
        """Score one stylized image of a run."""
        request = {"op": "score", "run": run, "pair_id": pair_id, "output": str(output), "seconds": seconds}
        values = self._ask(question, request)["values"]
        if not isinstance(values, dict):
            raise ScorerFailed("The scorer's answer has no values.")
        return PairScore(pair_id=pair_id, values=values, seconds=seconds)

    def score_sets(
        self, question: Question, *, run: str, outputs: Mapping[str, Path], scores: Sequence[PairScore]
    ) -> list[SplitScore]:
        """Compute what the suite measures on all outputs of a run together."""
        request = {"op": "sets", "run": run, "outputs": _texts(outputs), "values": _values(scores)}
        splits = self._ask(question, request)["splits"]
        if not isinstance(splits, dict):
            raise ScorerFailed("The scorer's answer has no splits.")
        return [
            SplitScore(metric, split, found["value"], found["low"], found["high"], found["n"])
            for split, by_name in splits.items()
            for metric, found in by_name.items()
        ]

    def export_collected(
        self, question: Question, *, run: str, path: Path, outputs: Mapping[str, Path] | None = None
    ) -> None:
        """Write what set-level metrics read of a run's outputs to a file, for `import_collected` elsewhere.

        With `outputs`, exactly of these: also where the scorer was started anew after it had scored them.
        """
        chosen = None if outputs is None else _texts(outputs)
        self._ask(question, {"op": "export", "run": run, "path": str(path), "outputs": chosen})

    def import_collected(self, question: Question, *, run: str, path: Path) -> None:
        """Add such a file to a run, as if its outputs had been scored here."""
        self._ask(question, {"op": "import", "run": run, "path": str(path)})

    def review(
        self,
        question: Question,
        *,
        outputs: Mapping[str, Path],
        scores: Sequence[PairScore],
        usual: Mapping[str, float] | None = None,
        most: int = MOST_PAIRS,
        seed: int = 0,
    ) -> list[RaisedFlag]:
        """Return the signs of gaming in a run's outputs; `usual` are the style scores that entries have there."""
        request = {
            "op": "review",
            "outputs": _texts(outputs),
            "values": _values(scores),
            "usual": None if usual is None else dict(usual),
            "most": most,
            "seed": seed,
        }
        flags = self._ask(question, request)["flags"]
        if not isinstance(flags, list):
            raise ScorerFailed("The scorer's answer has no flags.")
        return [RaisedFlag(**flag) for flag in flags]

    def rest(self) -> None:
        """Start the scorer anew if its memory has grown beyond the limit; for the time between two runs."""
        with self._lock:
            if self._child is None or memory_mb_of(self._child) <= self.memory_mb:
                return
            logger.info("the scorer holds more than %s MB and is started anew", self.memory_mb)
            self.stop()
            self._start("memory")

    def stop(self) -> None:
        """End the scorer."""
        child, self._child = self._child, None
        self._keys.clear()  # a new process knows no keys
        if child is not None:
            stop_child(child)

    def _ask(self, question: Question, request: Mapping[str, object]) -> Answer:
        return self._persist(lambda: ask_child(self._running(), {**request, "key": self._key(question)}))

    def _persist(self, attempt: Callable[[], T]) -> T:
        """Try twice: questions can be repeated, so a scorer that ended is started anew and asked again."""
        with self._lock:
            try:
                return attempt()
            except ScorerGone:
                logger.warning("the scorer is started anew")
                self.stop()
            try:
                return attempt()
            except ScorerGone as error:
                raise ScorerFailed("The scorer ended twice at one question.") from error

    def _key(self, question: Question) -> str:
        return self._keys.get(question) or self._open(question)

    def _open(self, question: Question) -> str:
        request = {
            "op": "open",
            "suite": question.suite_document,
            "pairs": str(question.pairs_folder),
            "cache": str(self.cache_dir),
        }
        answer = ask_child(self._running(), request)
        is_warm = bool(answer["warm"])
        self.opened_warm += is_warm
        self.opened_cold += not is_warm
        metrics.scorer_asked(is_hit=is_warm)
        self._keys[question] = str(answer["key"])
        return self._keys[question]

    def _running(self) -> Child:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.stop()
        return self._start("ended")

    def _start(self, reason: str) -> Child:
        logger.info("starting the scorer with %s threads", self.threads)
        self._child = start_child(self.threads, self.weights_dir)
        if self._has_run:
            self.restarts += 1
            metrics.scorer_restarted(reason)
        self._has_run = True
        return self._child


def _texts(outputs: Mapping[str, Path]) -> dict[str, str]:
    return {pair_id: str(path) for pair_id, path in outputs.items()}


def _values(scores: Sequence[PairScore]) -> dict[str, dict[str, float]]:
    return {score.pair_id: dict(score.values) for score in scores if not score.invalid}
