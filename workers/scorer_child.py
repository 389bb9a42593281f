"""The process of the warm scorer: start it, ask it in JSON lines, end it. It is trusted, and holds no credentials."""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
ANSWER_LIMIT = 2**24
ANSWER_SECONDS = (
    900  # reading a large dataset for the first time takes minutes; a scorer that hangs, for ever
)

Child = subprocess.Popen[str]


class ScorerFailed(RuntimeError):
    """The scorer ended or refused; a fault of the platform."""


class ScorerGone(Exception):
    """The scorer is not there any more, or has let the dataset go; asking again helps."""


def start_child(threads: int, weights_dir: Path | None) -> Child:
    """Start a scorer with that many threads."""
    weights = ["--weights", str(weights_dir)] if weights_dir else []
    return subprocess.Popen(
        [sys.executable, "-m", "evaluation", "scorer", "--threads", str(threads), *weights],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=_environment(threads),
    )


def ask_child(child: Child, request: Mapping[str, object]) -> dict[str, object]:
    """Send one request and return its answer.

    Raises:
        ScorerGone: it has ended, or hangs.
        ScorerFailed: it refused.
    """
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        is_there, _, _ = select.select([child.stdout], [], [], ANSWER_SECONDS)
        line = child.stdout.readline(ANSWER_LIMIT) if is_there else ""
    except OSError as error:
        raise ScorerGone from error
    if not line.endswith("\n"):
        raise ScorerGone
    answer: dict[str, object] = json.loads(line)
    if answer.get("ok"):
        return answer
    refusal = answer.get("error")
    if isinstance(refusal, dict) and refusal.get("code") == "NOT_OPEN":
        raise ScorerGone
    raise ScorerFailed(f"The scorer refused: {refusal}")


def memory_mb_of(child: Child) -> float:
    """Return how much memory it holds; none once it has ended."""
    try:
        return psutil.Process(child.pid).memory_info().rss / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def stop_child(child: Child) -> None:
    """End it: it leaves when its input closes, and is killed if it does not."""
    assert child.stdin is not None and child.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # what it never read is still in our buffer
        child.stdin.close()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()


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
