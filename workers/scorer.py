"""Keep one warm scorer process and talk to it in JSON lines; it is trusted, and holds no credentials."""

import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from competitions.ranking import SplitScore
from evaluation.report import PairScore

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
ANSWER_LIMIT = 2**24
ANSWER_SECONDS = (
    900  # reading a large dataset for the first time takes minutes; a scorer that hangs, for ever
)

T = TypeVar("T")


class ScorerFailed(RuntimeError):
    """The scorer ended or refused; a fault of the platform."""


class _Gone(Exception):
    """The scorer is not there any more, or has let the dataset go; asking again helps."""


@dataclass(frozen=True)
class Question:
    """What is scored: a suite, as its document, on the dataset of a folder."""

    suite_document: str
    pairs_folder: Path


@dataclass
class ScorerProcess:
    """The warm scorer of this worker, started at first use and again whenever it has ended."""

    threads: int
    cache_dir: Path
    weights_dir: Path | None = None
    _process: subprocess.Popen[str] | None = None
    _keys: dict[Question, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Guard the pipe: one question at a time."""
        self._lock = threading.RLock()

    def open(self, question: Question) -> None:
        """Load a dataset and a suite; warm if they were used lately."""
        self._persist(lambda: self._key(question))

    def score(self, question: Question, *, run: str, pair_id: str, output: Path, seconds: float) -> PairScore:
        """Score one stylized image of a run."""
        request = {"op": "score", "run": run, "pair_id": pair_id, "output": str(output), "seconds": seconds}
        answer = self._persist(lambda: self._ask(request | {"key": self._key(question)}))
        values = answer["values"]
        if not isinstance(values, dict):
            raise ScorerFailed("The scorer's answer has no values.")
        return PairScore(pair_id=pair_id, values=values, seconds=seconds)

    def score_sets(
        self, question: Question, *, run: str, outputs: Mapping[str, Path], scores: Sequence[PairScore]
    ) -> list[SplitScore]:
        """Compute what the suite measures on all outputs of a run together."""
        request = {
            "op": "sets",
            "run": run,
            "outputs": {pair_id: str(path) for pair_id, path in outputs.items()},
            "values": {score.pair_id: dict(score.values) for score in scores if not score.invalid},
        }
        answer = self._persist(lambda: self._ask(request | {"key": self._key(question)}))
        splits = answer["splits"]
        if not isinstance(splits, dict):
            raise ScorerFailed("The scorer's answer has no splits.")
        return [
            SplitScore(metric, split, found["value"], found["low"], found["high"], found["n"])
            for split, by_name in splits.items()
            for metric, found in by_name.items()
        ]

    def _persist(self, attempt: Callable[[], T]) -> T:
        """Try twice: questions change nothing, so a scorer that ended is started anew and asked again."""
        with self._lock:
            try:
                return attempt()
            except _Gone:
                logger.warning("the scorer is started anew")
                self.stop()
            try:
                return attempt()
            except _Gone as error:
                raise ScorerFailed("The scorer ended twice at one question.") from error

    def _key(self, question: Question) -> str:
        self._running()  # a new process knows no keys
        if question not in self._keys:
            request = {
                "op": "open",
                "suite": question.suite_document,
                "pairs": str(question.pairs_folder),
                "cache": str(self.cache_dir),
            }
            self._keys[question] = str(self._ask(request)["key"])
        return self._keys[question]

    def stop(self) -> None:
        """End the scorer: it leaves when its input closes, and is killed if it does not."""
        process, self._process = self._process, None
        self._keys.clear()
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # what it never read is still in our buffer
            process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _ask(self, request: Mapping[str, object]) -> dict[str, object]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            is_there, _, _ = select.select([process.stdout], [], [], ANSWER_SECONDS)
            line = process.stdout.readline(ANSWER_LIMIT) if is_there else ""
        except OSError as error:
            raise _Gone from error
        if not line.endswith("\n"):
            raise _Gone
        answer: dict[str, object] = json.loads(line)
        if answer.get("ok"):
            return answer
        refusal = answer.get("error")
        if isinstance(refusal, dict) and refusal.get("code") == "NOT_OPEN":
            raise _Gone
        raise ScorerFailed(f"The scorer refused: {refusal}")

    def _weights(self) -> list[str]:
        return ["--weights", str(self.weights_dir)] if self.weights_dir else []

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        logger.info("starting the scorer with %s threads", self.threads)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "evaluation", "scorer", "--threads", str(self.threads), *self._weights()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(self.threads),
        )
        return self._process


def _environment(threads: int) -> dict[str, str]:
    """Only what Python needs: no address, key or password of the platform."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ
    }
    # Waiting threads must sleep: the generator works at the same time on the same cores.
    return kept | {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
