"""Score pictures here by the suite of a phase: the evaluation library's own command, as a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import evaluation
from evaluation.errors import InvalidSuite
from evaluation.spec import load_suite
from pastiche.errors import EvaluationMissing, Refused, RunFailed
from pastiche.language import say
from pastiche.responses import Estimate, PairScore, PhaseDetail, Scores

SOURCE = Path(evaluation.__file__).parents[1]


def check_suite(phase: PhaseDetail) -> str:
    """Return the id of the phase's suite, which this program must know to the last digit.

    Raises:
        Refused: it does not ship with this version of the program.
    """
    try:
        digest = load_suite(phase.suite).digest
    except InvalidSuite:
        digest = ""
    if digest != phase.suite_digest:
        raise Refused(
            say("This program does not have the suite {suite} of the server.", suite=phase.suite),
            fix=say("Install the version of Pastiche that the server runs."),
            code="SUITE_UNKNOWN",
        )
    return phase.suite


def score_pictures(outputs: Path, pairs: Path, suite: str, *, device: str = "cpu") -> Scores:
    """Score `<pair id>.png` of a folder against the public pairs of a dataset folder.

    Raises:
        EvaluationMissing: torch is not installed.
        RunFailed: the pictures cannot be scored.
    """
    with tempfile.TemporaryDirectory(prefix="pastiche-report-") as name:
        report = Path(name) / "report.json"
        command = [sys.executable, "-m", "evaluation", "score", str(outputs), "--pairs", str(pairs)]
        command += ["--suite", suite, "--split", "public", "--device", device, "--out", str(report), "--json"]
        paths = [str(SOURCE), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not report.exists():
            if "No module named" in done.stderr:
                raise EvaluationMissing(fix=say("Run `pip install 'pastiche-platform[evaluation]'`."))
            raise RunFailed(done.stderr.strip()[-2000:], code="SCORING_FAILED")
        return _scores(json.loads(report.read_text(encoding="utf-8")))


def _scores(report: dict[str, Any]) -> Scores:
    """Bring a report into the shape of the server's results."""
    pairs = tuple(
        PairScore(id=row["pair_id"], invalid=row["invalid"], seconds=row["seconds"], values=row["values"])
        for row in report["pairs"]
    )
    rows = {
        row["metric"]: Estimate(value=row["value"], low=row["low"], high=row["high"])
        for row in report["rows"]
    }
    counts = {"n": report["n"], "n_valid": report["n_valid"]}
    return Scores(suite=report["suite_id"], scores=rows, pairs=pairs, **counts)
