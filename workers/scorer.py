"""Keep one warm scorer process and talk to it in JSON lines; it is trusted, and holds no credentials."""

import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from evaluation.report import PairScore

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
ANSWER_LIMIT = 2**24


class ScorerFailed(RuntimeError):
    """The scorer ended or refused; a fault of the platform."""


@dataclass
class ScorerProcess:
    """The warm scorer of this worker, started at first use and again whenever it has ended."""

    threads: int
    cache_dir: Path
    _process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        """Guard the pipe: one question at a time."""
        self._lock = threading.Lock()

    def open(self, *, suite_document: str, pairs_folder: Path) -> str:
        """Load a dataset and a suite (warm if they were used lately) and return the key that `score` wants."""
        question: dict[str, object] = {
            "op": "open",
            "suite": suite_document,
            "pairs": str(pairs_folder),
            "cache": str(self.cache_dir),
        }
        return str(self._ask(question)["key"])

    def score(self, *, key: str, pair_id: str, output: Path, seconds: float) -> PairScore:
        """Score one stylized image."""
        answer = self._ask(
            {"op": "score", "key": key, "pair_id": pair_id, "output": str(output), "seconds": seconds}
        )
        values = answer["values"]
        if not isinstance(values, dict):
            raise ScorerFailed("The scorer's answer has no values.")
        return PairScore(pair_id=pair_id, values=values, seconds=seconds)

    def stop(self) -> None:
        """End the scorer: it leaves when its input closes, and is killed if it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _ask(self, question: dict[str, object]) -> dict[str, object]:
        with self._lock:
            process = self._running()
            assert process.stdin is not None and process.stdout is not None
            try:
                process.stdin.write(json.dumps(question) + "\n")
                process.stdin.flush()
                line = process.stdout.readline(ANSWER_LIMIT)
            except OSError as error:
                self.stop()
                raise ScorerFailed("The scorer ended.") from error
            if not line.endswith("\n"):
                self.stop()
                raise ScorerFailed("The scorer ended in the middle of an answer.")
        answer: dict[str, object] = json.loads(line)
        if not answer.get("ok"):
            raise ScorerFailed(f"The scorer refused: {answer.get('error')}")
        return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        logger.info("starting the scorer with %s threads", self.threads)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "evaluation", "scorer", "--threads", str(self.threads)],
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
    return kept | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
