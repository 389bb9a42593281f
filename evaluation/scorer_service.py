"""A scorer that stays warm: JSON lines on stdin and stdout, one answer per request, nothing else printed.

Requests are `{"op": ...}` with the fields named in `ScorerService`; every answer has `"ok"`, and a
request's `"id"` comes back in its answer. The process ends when its input ends.
"""

import contextlib
import hashlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import numpy as np

from evaluation.collected_files import read_collected, write_collected
from evaluation.errors import EvaluationError
from evaluation.gaming.flag import Flag
from evaluation.gaming.flags import review_outputs
from evaluation.images import read_rgb
from evaluation.output_sets import Collected
from evaluation.pairs import Pair, dataset_digest, read_pairs
from evaluation.recent import Recent
from evaluation.report import PairScore
from evaluation.scorer_requests import (
    BadRequest,
    Fields,
    encode_answer,
    parse_request,
    read_count,
    read_numbers,
    read_object,
    read_optional_number,
    read_optional_text,
    read_scores,
    read_text,
)
from evaluation.scoring import Scorer
from evaluation.spec import parse_suite

OPEN_LIMIT = 4


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
            "export": self._export,
            "import": self._import,
            "review": self._review,
        }

    def answer(self, line: bytes) -> bytes:
        """Answer one request line with one line; an internal error is told on stderr and survived."""
        request: Fields = {}
        try:
            request = parse_request(line)
            return encode_answer(request, {"ok": True, **self._dispatch(request)})
        except EvaluationError as error:
            failure = {"code": error.code, "message": str(error)}
        except Exception:
            traceback.print_exc(file=sys.stderr)
            failure = {"code": "INTERNAL", "message": "The scorer failed; its log tells why."}
        return encode_answer(request, {"ok": False, "error": failure})

    def _dispatch(self, request: Fields) -> Fields:
        operation = self._operations.get(read_text(request, "op"))
        if operation is None:
            raise BadRequest(f"Unknown op; known are {', '.join(self._operations)}.")
        return operation(request)

    def _ping(self, request: Fields) -> Fields:
        return {"pid": os.getpid()}

    def _open(self, request: Fields) -> Fields:
        """Open `pairs` (a folder), `split` (or null for all) under `suite` (JSON text), caching in `cache`."""
        suite = parse_suite(read_text(request, "suite"))
        split, cache = read_optional_text(request, "split"), read_optional_text(request, "cache")
        pairs = read_pairs(Path(read_text(request, "pairs")), split)
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

        is_warm = self._scorers.get(key) is not None
        scorer = self._scorers.get_or_make(key, make)
        return {"key": key, "n": len(scorer.pairs), "warm": is_warm}

    def _score(self, request: Fields) -> Fields:
        """Score the picture `output` as the answer to `pair_id` in `run`; `seconds` is optional."""
        scorer = self._opened(request)
        score = scorer.score_pair(
            read_text(request, "pair_id"),
            _picture(scorer, read_text(request, "output")),
            read_optional_number(request, "seconds"),
            collected=self._collected_of(read_text(request, "run")),
        )
        return {"values": dict(score.values)}

    def _score_sets(self, request: Fields) -> Fields:
        """Compute the set-level metrics of `run` from `outputs`, which maps pair ids to paths, and `values`.

        Outputs that this process has neither scored nor imported are looked at again.
        """
        scorer = self._opened(request)
        kept = self._collect(scorer, read_text(request, "run"), read_object(request, "outputs"))
        found = scorer.score_sets(read_scores(request), kept)
        return {
            "splits": {
                split: {name: asdict(score) for name, score in by_name.items()}
                for split, by_name in found.items()
            }
        }

    def _export(self, request: Fields) -> Fields:
        """Write what was collected in `run` to the file `path`: of `outputs` only, where they are named.

        Of those, the ones that this process has neither scored nor imported are looked at again.
        """
        scorer, run = self._opened(request), read_text(request, "run")
        is_chosen = request.get("outputs") is not None
        outputs = read_object(request, "outputs") if is_chosen else dict.fromkeys(self._collected_of(run))
        write_collected(self._collect(scorer, run, outputs), Path(read_text(request, "path")))
        return {}

    def _import(self, request: Fields) -> Fields:
        """Add what an export wrote to `path` to what was collected in `run`."""
        self._opened(request)
        self._collected_of(read_text(request, "run")).update(read_collected(Path(read_text(request, "path"))))
        return {}

    def _review(self, request: Fields) -> Fields:
        """Look for signs of gaming in `outputs` and their `values`; answer with the flags that are raised.

        `usual` maps pair ids to the style score that entries usually have there, or is null; `most` pairs, drawn
        with `seed`, are compared pixel by pixel.
        """
        scorer, scores = self._opened(request), read_scores(request)
        chosen = {score.pair_id: score for score in scores}
        outputs = {
            pair_id: _picture(scorer, str(path))
            for pair_id, path in read_object(request, "outputs").items()
            if pair_id in chosen
        }
        if not outputs:
            return {"flags": []}
        flags = review_outputs(
            scorer.pairs,
            outputs,
            scores,
            usual=_usual(request, chosen),
            most=read_count(request, "most"),
            seed=read_count(request, "seed"),
        )
        return {"flags": [_told(flag) for flag in flags if flag.is_raised]}

    def _collect(self, scorer: Scorer, run: str, outputs: Fields) -> Collected:
        """Return what set-level metrics read of these outputs of a run, in the order of the pair ids."""
        if not scorer.suite.set_columns:
            return {}
        collected = self._collected_of(run)
        for pair_id in sorted(outputs.keys() - collected.keys()):
            scorer.score_pair(pair_id, _picture(scorer, str(outputs[pair_id])), collected=collected)
        return {pair_id: collected[pair_id] for pair_id in sorted(outputs)}

    def _collected_of(self, run: str) -> Collected:
        return self._collected.get_or_make(run, dict)

    def _opened(self, request: Fields) -> Scorer:
        scorer = self._scorers.get(read_text(request, "key"))
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


def _picture(scorer: Scorer, path: str) -> np.ndarray:
    return read_rgb(Path(path), size=scorer.suite.size)


def _usual(request: Fields, scores: Mapping[str, PairScore]) -> dict[str, float] | None:
    """Read `usual`; where no other entry has an answer, this one is no better than usual."""
    if request.get("usual") is None:
        return None
    return {pair_id: score.values["style"] for pair_id, score in scores.items()} | read_numbers(
        request, "usual"
    )


def _told(flag: Flag) -> Fields:
    return {
        "code": flag.code,
        "strength": flag.strength,
        "threshold": flag.threshold,
        "sentence": flag.sentence,
    }


def _key(suite_digest: str, pairs: tuple[Pair, ...]) -> str:
    return hashlib.sha256(f"{suite_digest} {dataset_digest(pairs)}".encode()).hexdigest()
