"""A scorer that stays warm: JSON lines on stdin and stdout, one answer per request, nothing else printed.

Requests are `{"op": ...}` with the fields named in `ScorerService`; every answer has `"ok"`, and a
request's `"id"` comes back in its answer. The process ends when its input ends.
"""

import contextlib
import hashlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from evaluation.errors import EvaluationError
from evaluation.images import read_rgb
from evaluation.output_sets import Collected
from evaluation.pairs import Pair, dataset_digest, read_pairs
from evaluation.recent import Recent
from evaluation.report import PairScore
from evaluation.scoring import Scorer
from evaluation.spec import parse_suite

OPEN_LIMIT = 4
Fields = dict[str, object]


class BadRequest(EvaluationError):
    """The request is not a JSON object with the fields of its operation."""

    code = "BAD_REQUEST"


class NotOpen(EvaluationError):
    """No opened dataset has this key; open it again."""

    code = "NOT_OPEN"


class ScorerService:
    """Answer requests, keeping the datasets opened last warm."""

    def __init__(
        self, *, threads: int | None = None, device: str = "cpu", weights_dir: Path | None = None
    ) -> None:
        """Start with nothing open."""
        self._weights_dir = weights_dir
        self._threads = threads
        self._device = device
        self._scorers: Recent[str, Scorer] = Recent(OPEN_LIMIT)
        self._collected: Recent[str, Collected] = Recent(OPEN_LIMIT)
        self._operations: dict[str, Callable[[Fields], Fields]] = {
            "ping": self._ping,
            "open": self._open,
            "score": self._score,
            "sets": self._score_sets,
        }

    def answer(self, line: bytes) -> bytes:
        """Answer one request line with one line; an internal error is told on stderr and survived."""
        request: Fields = {}
        try:
            request = _parse(line)
            return _encode(request, {"ok": True, **self._dispatch(request)})
        except EvaluationError as error:
            failure = {"code": error.code, "message": str(error)}
        except Exception:
            traceback.print_exc(file=sys.stderr)
            failure = {"code": "INTERNAL", "message": "The scorer failed; its log tells why."}
        return _encode(request, {"ok": False, "error": failure})

    def _dispatch(self, request: Fields) -> Fields:
        operation = self._operations.get(_text(request, "op"))
        if operation is None:
            raise BadRequest(f"Unknown op; known are {', '.join(self._operations)}.")
        return operation(request)

    def _ping(self, request: Fields) -> Fields:
        return {"pid": os.getpid()}

    def _open(self, request: Fields) -> Fields:
        """Open `pairs` (a folder), `split` (or null for all) under `suite` (JSON text), caching in `cache`."""
        suite = parse_suite(_text(request, "suite"))
        split, cache = _optional_text(request, "split"), _optional_text(request, "cache")
        pairs = read_pairs(Path(_text(request, "pairs")), split)
        key = _key(suite.digest, pairs)

        def make() -> Scorer:
            folder = Path(cache) if cache else None
            return Scorer(
                suite,
                pairs,
                cache_dir=folder,
                weights_dir=self._weights_dir,
                threads=self._threads,
                device=self._device,
            )

        scorer = self._scorers.get_or_make(key, make)
        return {"key": key, "n": len(scorer.pairs)}

    def _score(self, request: Fields) -> Fields:
        """Score the picture `output` as the answer to `pair_id` in `run`; `seconds` is optional."""
        scorer = self._opened(request)
        pair_id, seconds = _text(request, "pair_id"), request.get("seconds")
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
            raise BadRequest("seconds must be a number or null.")
        stylized = read_rgb(Path(_text(request, "output")), size=scorer.suite.size)
        score = scorer.score_pair(
            pair_id,
            stylized,
            None if seconds is None else float(seconds),
            collected=self._collected_of(_text(request, "run")),
        )
        return {"values": dict(score.values)}

    def _score_sets(self, request: Fields) -> Fields:
        """Compute the set-level metrics of `run` from `outputs`, which maps pair ids to paths, and `values`.

        Outputs that this process has not scored, because it was started anew, are looked at again.
        """
        scorer, collected = self._opened(request), self._collected_of(_text(request, "run"))
        outputs, values = _object(request, "outputs"), _object(request, "values")
        if scorer.suite.set_columns:
            for pair_id in outputs.keys() - collected.keys():
                stylized = read_rgb(Path(str(outputs[pair_id])), size=scorer.suite.size)
                scorer.score_pair(pair_id, stylized, collected=collected)
        scores = [PairScore(pair_id, row) for pair_id, row in values.items() if isinstance(row, dict)]
        kept = {pair_id: collected[pair_id] for pair_id in outputs if pair_id in collected}
        found = scorer.score_sets(scores, kept)
        return {
            "splits": {
                split: {name: asdict(score) for name, score in by_name.items()}
                for split, by_name in found.items()
            }
        }

    def _collected_of(self, run: str) -> Collected:
        return self._collected.get_or_make(run, dict)

    def _opened(self, request: Fields) -> Scorer:
        scorer = self._scorers.get(_text(request, "key"))
        if scorer is None:
            raise NotOpen()
        return scorer


def serve(*, threads: int | None = None, device: str = "cpu", weights_dir: Path | None = None) -> None:
    """Answer the requests of standard input until it ends.

    Standard output belongs to the answers alone: whatever else prints there goes to stderr.
    """
    # whoever asked may be gone before the answer is
    with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        service = ScorerService(threads=threads, device=device, weights_dir=weights_dir)
        _loop(service, sys.stdin.buffer, answers)


def _loop(service: ScorerService, requests: BinaryIO, answers: BinaryIO) -> None:
    for line in requests:
        if line.strip():
            answers.write(service.answer(line))
            answers.flush()


def _encode(request: Fields, answer: Fields) -> bytes:
    if "id" in request:
        answer["id"] = request["id"]
    return json.dumps(answer, allow_nan=False).encode() + b"\n"


def _parse(line: bytes) -> Fields:
    try:
        request = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The request is not JSON.") from error
    if not isinstance(request, dict):
        raise BadRequest()
    return request


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _text(request: Fields, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} must be a text.")
    return value


def _object(request: Fields, name: str) -> Fields:
    value = request.get(name)
    if not isinstance(value, dict):
        raise BadRequest(f"{name} must be an object.")
    return value


def _optional_text(request: Fields, name: str) -> str | None:
    return _text(request, name) if request.get(name) is not None else None


def _key(suite_digest: str, pairs: tuple[Pair, ...]) -> str:
    return hashlib.sha256(f"{suite_digest} {dataset_digest(pairs)}".encode()).hexdigest()
