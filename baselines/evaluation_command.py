"""The command `evaluate`: progress on the way, a table or JSON at the end."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from baselines.evaluation import Score, evaluate
from baselines.readme import write_readme
from baselines.strips import STRIPS
from evaluation.tables import print_table


@dataclass(frozen=True)
class EvaluateOptions:
    """What was asked for on the command line; `is_table`: renew the table of the README."""

    folder: Path | None = None
    split: str | None = None
    outputs: Path | None = None
    threads: int | None = None
    is_table: bool = False
    is_json: bool = False


def run_evaluate(names: Sequence[str], options: EvaluateOptions) -> None:
    """Score baselines and print one line for each.

    Raises:
        EvaluationError: no such baseline, no weights, no pairs, or a generator failed.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks = {name: progress.add_task(name, total=None) for name in names}

        def report(name: str, done: int, total: int) -> None:
            progress.update(tasks[name], completed=done, total=total)

        scores = evaluate(
            names,
            folder=options.folder,
            split=options.split,
            outputs=options.outputs,
            strips=STRIPS if options.is_table else None,
            threads=options.threads,
            report=report,
        )
    if options.is_table:
        write_readme(scores)
    if options.is_json:
        click.echo(json.dumps([asdict(score) for score in scores], indent=1))
    else:
        _print(scores)


def _print(scores: list[Score]) -> None:
    table = Table(title="Demo scores: 0 to 1, higher is better")
    for heading in ("name", "headline", "95 % interval", "content", "style", "s/image", "parameters", "MB"):
        table.add_column(heading, justify="left" if heading == "name" else "right")
    for score in sorted(scores, key=lambda score: -score.headline):
        interval = "" if score.headline_ci is None else "{:.3f} to {:.3f}".format(*score.headline_ci)
        figures = (f"{score.headline:.3f}", interval, f"{score.content:.3f}", f"{score.style:.3f}")
        memory = "" if score.peak_memory_mb is None else f"{score.peak_memory_mb:.0f}"
        table.add_row(score.name, *figures, f"{score.seconds_per_image:.2f}", f"{score.parameters:,}", memory)
    print_table(table)
