"""The command `score`: a folder of stylized images in, a table, JSON or CSV out."""

import csv
import io
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from evaluation.aggregate import coverage
from evaluation.files import write_atomic
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.pairs import read_pairs
from evaluation.report import Report
from evaluation.score_outputs import ScoredFolder, score_folder
from evaluation.scoring import Scorer
from evaluation.spec import Direction, MetricSuite, load_suite


def run_score(
    outputs: Path, folder: Path, *, suite_id: str, split: str, form: str, out: Path | None, cache: Path | None
) -> None:
    """Score `outputs` and print the result as "table", "json" or "csv"; the report also goes to `out`.

    Raises:
        EvaluationError: suite, pairs or folder cannot be read.
    """
    suite = load_suite(suite_id)
    pairs = read_pairs(folder, None if split == "all" else split)
    scorer = Scorer(suite, pairs, cache_dir=cache)
    scored = score_folder(scorer, outputs, _print_progress)
    if out is not None:
        write_atomic(out, scored.report.to_json().encode() + b"\n")
    _name_problems(scored)
    if form == "json":
        click.echo(scored.report.to_json())
    elif form == "csv":
        click.echo(_csv(scored.report), nl=False)
    else:
        _print_table(suite, scored.report)
        counted = coverage(scored.report.pairs, pairs, suite.max_invalid_share)
        if not counted.is_enough:
            click.echo(
                f"Not ranked: {counted.n_invalid} of {counted.n} pairs have no valid output, "
                f"{suite.max_invalid_share:.0%} are allowed."
            )


def _print_table(suite: MetricSuite, report: Report) -> None:
    table = Table(title=f"{suite.title} ({suite.id}): {report.n_valid} of {len(report.pairs)} pairs valid")
    for heading in ("metric", "name", "mean", "better", "unit"):
        table.add_column(heading, justify="right" if heading == "mean" else "left")
    for name, spec in METRIC_SPECS.items():
        if name in report.aggregates:
            better = "higher" if spec.direction is Direction.HIGHER else "lower"
            table.add_row(spec.title, name, f"{report.aggregates[name]:.4g}", better, spec.unit)
    Console().print(table)


def _csv(report: Report) -> str:
    names = [name for name in METRIC_SPECS if any(name in pair.values for pair in report.pairs)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["pair_id", "invalid", *names])
    for pair in report.pairs:
        writer.writerow([pair.pair_id, pair.invalid, *(pair.values.get(name, "") for name in names)])
    return buffer.getvalue()


def _name_problems(scored: ScoredFolder) -> None:
    if scored.missing:
        click.echo(f"missing: {_shortened(list(scored.missing))}", err=True)
    if scored.extra:
        click.echo(f"not of this dataset: {_shortened(list(scored.extra))}", err=True)
    for pair_id, reason in scored.refused.items():
        click.echo(f"refused: {pair_id}: {reason}", err=True)


def _shortened(names: list[str], limit: int = 10) -> str:
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def _print_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} pairs", err=True, nl=done == total)
