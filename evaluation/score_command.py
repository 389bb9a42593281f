"""The command `score`: a folder of stylized images in, a table, JSON, CSV or an HTML page out."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from evaluation.aggregate import coverage
from evaluation.files import write_atomic
from evaluation.html_report import Extras, render_html
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.number_text import interval_text, number_text, unit_text
from evaluation.pairs import Pair, read_pairs
from evaluation.problems import Problem, list_problems, problem_lines
from evaluation.provenance import describe_machine
from evaluation.report import Report
from evaluation.report_pictures import picture_examples, worst_and_best
from evaluation.score_outputs import ScoredFolder, score_folder
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite
from evaluation.suite_choice import change_loss_weights, open_suite
from evaluation.tables import print_table


@dataclass(frozen=True)
class ScoreOptions:
    """What to score with, and what to write; `form` is what goes to standard output: table, json or csv."""

    suite: str
    trust: tuple[Path, ...] = ()
    split: str = "all"
    form: str = "table"
    out: Path | None = None
    html: Path | None = None
    cache: Path | None = None
    weights: Path | None = None
    device: str = "cpu"
    threads: int | None = None
    loss_weights: tuple[float, float, float] | None = None
    discriminators: Path | None = None


def run_score(outputs: Path, folder: Path, options: ScoreOptions) -> int:
    """Score `outputs` and print the result; the report also goes to the files that the options name.

    Returns:
        The exit status: 0, or 2 when a file is missing, refused or not of this dataset.

    Raises:
        EvaluationError: suite, weights, pairs or folder cannot be read.
    """
    _check_options(options)
    suite = open_suite(options.suite, options.trust)
    if options.loss_weights is not None:
        suite = change_loss_weights(suite, options.loss_weights)
    every = read_pairs(folder)
    elsewhere = {pair.id for pair in every if options.split not in ("all", pair.split)}
    scorer, scored = _score(outputs, [pair for pair in every if pair.id not in elsewhere], suite, options)
    problems = list_problems(
        missing=scored.missing,
        extra=scored.extra,
        refused=scored.refused,
        size=suite.size,
        elsewhere=elsewhere,
    )
    if options.out is not None:
        write_atomic(options.out, scored.report.to_json().encode() + b"\n")
    if options.html is not None:
        page = _page(scored.report, scorer, outputs, options=options, problems=problems)
        write_atomic(options.html, page.encode())
    for line in problem_lines(problems):
        click.echo(line, err=True)
    _print(scored.report, scorer, options.form)
    return 2 if problems else 0


def _score(
    outputs: Path, pairs: list[Pair], suite: MetricSuite, options: ScoreOptions
) -> tuple[Scorer, ScoredFolder]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Measuring the dataset", total=None)
        scorer = Scorer(
            suite,
            pairs,
            cache_dir=options.cache,
            weights_dir=options.weights,
            threads=options.threads,
            device=options.device,
            discriminators=options.discriminators,
        )
        progress.update(task, description="Scoring")
        scored = score_folder(
            scorer, outputs, lambda done, total: progress.update(task, completed=done, total=total)
        )
    return scorer, scored


def _page(
    report: Report, scorer: Scorer, outputs: Path, *, options: ScoreOptions, problems: tuple[Problem, ...]
) -> str:
    worst, best = (picture_examples(scores, scorer.pairs, outputs) for scores in worst_and_best(report))
    extras = Extras(
        name=outputs.resolve().name,
        worst=worst,
        best=best,
        problems=problems,
        provenance={"Pairs": options.split} | describe_machine(options.device),
    )
    return render_html(report, scorer.suite, extras)


def _print(report: Report, scorer: Scorer, form: str) -> None:
    if form == "json":
        click.echo(report.to_json())
    elif form == "csv":
        click.echo(_csv(report), nl=False)
    else:
        _print_table(report, scorer)


def _print_table(report: Report, scorer: Scorer) -> None:
    suite = scorer.suite
    table = Table(title=f"{suite.title} ({suite.id}): {report.n_valid} of {len(report.pairs)} pairs valid")
    for heading in ("metric", "value", "95 % interval", "unit", "better", "n", "pairs", "id"):
        table.add_column(heading, justify="right" if heading in ("value", "n") else "left", overflow="fold")
    for row in report.rows:
        spec = METRIC_SPECS[row.metric]
        written = (number_text(row.metric, row.value), interval_text(row), unit_text(spec))
        table.add_row(spec.title, *written, spec.direction, str(row.n), row.split or "all", row.id)
    print_table(table)
    if suite.is_demo:
        click.echo("These are demo scores: they stand beside no official score and decide no ranking.")
    counted = coverage(report.pairs, scorer.pairs, suite.max_invalid_share)
    if not counted.is_enough:
        click.echo(
            f"Not ranked: {counted.n_invalid} of {counted.n} pairs have no valid output, "
            f"{suite.max_invalid_share:.0%} are allowed."
        )


def _csv(report: Report) -> str:
    names = [name for name in METRIC_SPECS if any(name in pair.values for pair in report.pairs)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["pair_id", "invalid", *names])
    for pair in report.pairs:
        writer.writerow([pair.pair_id, pair.invalid, *(pair.values.get(name, "") for name in names)])
    return buffer.getvalue()


def _check_options(options: ScoreOptions) -> None:
    """Refuse before the long work what would fail after it."""
    for path in (options.out, options.html):
        if path is not None and not path.absolute().parent.is_dir():
            raise click.UsageError(f"There is no folder {path.parent} to write {path.name} into.")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise click.UsageError("This machine has no CUDA device that torch can use; leave out --device.")
