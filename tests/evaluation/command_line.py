"""Call the command line in this process, sign small suites, and make reports by hand."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

import numpy as np

from evaluation.cli import main
from evaluation.metrics.registry import metric_id
from evaluation.pairs import dataset_digest
from evaluation.report import PairLabel, PairScore, Report, ReportRow
from evaluation.report_pairs import pairs_of_report
from evaluation.signatures import new_key_pair
from evaluation.spec import MetricSuite, load_suite
from evaluation.suite_files import write_suite


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


def call(*arguments: object) -> Answer:
    """Run `python -m evaluation` with these arguments."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    argv = ["evaluation", *(str(argument) for argument in arguments)]
    with patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


def small_suite(**changes: object) -> MetricSuite:
    """The audit suite at 64 pixels, for quick scoring."""
    return replace(load_suite("sts-demo-1"), name="sts-test", size=64, **changes)


def sign_small_suite(folder: Path, **changes: object) -> tuple[Path, Path]:
    """Sign the small suite with a new key; return the paths of suite and public key."""
    private, public = new_key_pair()
    key = folder / "organizer.pem"
    key.write_bytes(public)
    return write_suite(small_suite(**changes), private, folder), key


def make_report(
    *, seed: int = 0, contents: int = 4, styles: int = 12, shift: float = 0.0, invalid: tuple[str, ...] = ()
) -> Report:
    """Make a report of a crossed dataset with random scores; equal designs have equal datasets."""
    rng, suite = np.random.default_rng(seed), small_suite()
    pairs, labels = [], []
    for number in range(contents * styles):
        content, style = number % contents, number // contents
        c, s = np.clip(rng.normal((0.6, 0.4 + shift), 0.08), 0, 1).tolist()
        pair_id = f"p{number:03}"
        values = {"headline": (c * s) ** 0.5, "content": c, "style": s, "gram": float(rng.gamma(2.0))}
        reason = f"{pair_id}.png is damaged" if pair_id in invalid else ""
        pairs.append(PairScore(pair_id, {} if reason else values, invalid=reason))
        labels.append(
            PairLabel(
                pair_id,
                split="hidden" if style % 2 else "public",
                content=sha256(b"c%d" % content).hexdigest(),
                style=sha256(b"s%d" % style).hexdigest(),
                culture=f"culture-{style % 2}",
                style_family=f"family-{style % 4}",
                content_kind=f"kind-{content % 2}",
            )
        )
    rows = [
        _row(suite, name, [pair.values[name] for pair in pairs if not pair.invalid])
        for name in ("headline", "content", "style", "gram")
        if len(invalid) < len(pairs)
    ]
    report = Report(
        suite_id=suite.id,
        suite_digest=suite.digest,
        backbone=suite.backbone,
        backbone_digest=suite.backbone_digest,
        dataset_digest="",
        pairs=tuple(pairs),
        rows=tuple(rows),
        labels=tuple(labels),
        is_demo=suite.is_demo,
    )
    return replace(report, dataset_digest=dataset_digest(pairs_of_report(report)))


def _row(suite: MetricSuite, name: str, values: list[float]) -> ReportRow:
    mean = float(np.mean(values))
    return ReportRow(name, metric_id(suite, name), mean, mean - 0.03, mean + 0.03, len(values))
