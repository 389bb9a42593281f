"""Score baselines as the platform scores entries: export, run, measure."""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from safetensors import safe_open

from baselines.export import export_baseline
from baselines.strips import write_strips
from evaluation.archive import unpack_archive
from evaluation.demo.dataset import write_demo_dataset
from evaluation.generation.driver import Limits
from evaluation.generation.generate import Generation, generate
from evaluation.generation.process import ProcessDriver
from evaluation.pairs import Pair, read_pairs
from evaluation.report import Report
from evaluation.score_outputs import score_folder
from evaluation.scoring import Scorer
from evaluation.spec import load_suite
from evaluation.statistics.design import design_of
from evaluation.statistics.slices import pair_labels, slice_scores

SUITE = "sts-demo-2"
PAIR_SECONDS = 300.0  # a busy laptop is no reason to fail

Progress = Callable[[str, int, int], None]  # called with name, pairs done and pairs in all


@dataclass(frozen=True)
class Score:
    """One line of the table: scores in [0, 1], higher is better; `headline_ci` is the 95 % interval.

    `parameters` counts the numbers in the archive's weights; `peak_memory_mb` is None where it is not known.
    `by_culture` is the headline on the pairs of each culture alone.
    """

    name: str
    headline: float
    headline_ci: tuple[float, float] | None
    content: float
    style: float
    seconds_per_image: float
    parameters: int
    peak_memory_mb: float | None
    by_culture: dict[str, float] = field(default_factory=dict)


def evaluate(
    names: Sequence[str],
    *,
    folder: Path | None = None,
    split: str | None = None,
    outputs: Path | None = None,
    strips: Path | None = None,
    threads: int | None = None,
    report: Progress = lambda name, done, total: None,
) -> list[Score]:
    """Score baselines on a dataset.

    Args:
        names: of baselines with weights.
        folder: of the dataset; None for the demo dataset with seed 0.
        split: public or hidden; None for all pairs.
        outputs: folder that keeps the pictures, one subfolder a name; None throws them away.
        strips: folder that gets one small picture a name for the README.
        threads: of generator and scorer.
        report: progress.

    Raises:
        EvaluationError: no such baseline, no weights, no pairs, or a generator failed.
    """
    with tempfile.TemporaryDirectory(prefix="pastiche-evaluate-") as temporary:
        work = Path(temporary)
        if folder is None:
            folder = work / "demo"
            folder.mkdir()
            write_demo_dataset(folder)
        pairs = read_pairs(folder, split)
        scorer = Scorer(load_suite(SUITE), pairs, threads=threads)
        limits = Limits(
            pair_seconds=PAIR_SECONDS, run_seconds=PAIR_SECONDS * len(pairs), cpu_threads=threads or 2
        )
        scores = []
        for name in names:
            pictures = (outputs or work / "outputs") / name
            generation = _generate(name, work / name, pictures, pairs, limits=limits, report=report)
            parameters = count_parameters(work / name / "bundle")
            scores.append(_score(name, scorer, pictures, generation, parameters))
            if strips is not None:
                write_strips(strips, name, pairs, pictures)
        return scores


def count_parameters(bundle: Path) -> int:
    """Count the numbers in all .safetensors files of an unpacked archive."""
    total = 0
    for path in sorted(bundle.rglob("*.safetensors")):
        with safe_open(path, "np") as file:
            total += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    return total


def _generate(
    name: str, work: Path, pictures: Path, pairs: tuple[Pair, ...], *, limits: Limits, report: Progress
) -> Generation:
    bundle = work / "bundle"
    bundle.mkdir(parents=True)
    info = unpack_archive(export_baseline(name, work).path, bundle)
    return generate(
        bundle,
        info.manifest,
        pairs,
        pictures,
        driver=ProcessDriver(),
        limits=limits,
        log=lambda chunk: None,
        progress=partial(report, name),
    )


def _score(name: str, scorer: Scorer, pictures: Path, generation: Generation, parameters: int) -> Score:
    report = score_folder(scorer, pictures, lambda done, total: None).report
    rows = {row.metric: row for row in report.rows if not row.split}
    low, high = rows["headline"].low, rows["headline"].high
    seconds = [pair.seconds for pair in generation.pairs]
    memory = generation.peak_memory_mb
    return Score(
        name=name,
        headline=round(rows["headline"].value, 4),
        headline_ci=None if low is None or high is None else (round(low, 4), round(high, 4)),
        content=round(rows["content"].value, 4),
        style=round(rows["style"].value, 4),
        seconds_per_image=round(sum(seconds) / len(seconds), 4),
        parameters=parameters,
        peak_memory_mb=None if memory is None else round(memory),
        by_culture=_by_culture(scorer.pairs, report),
    )


def _by_culture(pairs: Sequence[Pair], report: Report) -> dict[str, float]:
    found = {score.pair_id: score.values.get("headline", 0.0) for score in report.pairs}
    values = np.array([[found[pair.id] for pair in pairs]])  # (1, P)
    slices = slice_scores(values, design_of(pairs), pair_labels(pairs, "culture"), seed=0)
    return {part.label: round(part.scores[0].value or 0.0, 4) for part in slices}
