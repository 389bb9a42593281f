"""Watch a run, read its log and its results."""

import csv
import sys
from collections.abc import Iterable, Sequence

import click
from rich.text import Text

from pastiche.command import Command, connect, make_console, print_json
from pastiche.errors import Refused
from pastiche.following import PAUSE, find_run, read_whole_log
from pastiche.responses import Scores
from pastiche.tables import score_table
from pastiche.text import plain, stage
from pastiche.watching import require_scored, watch_run

ID = click.argument("any_id", metavar="ID")


@click.command(cls=Command)
@ID
@click.option("--every", default=PAUSE, type=click.FloatRange(0.05, 3600), help="Seconds between two looks.")
def watch(any_id: str, every: float, as_json: bool) -> None:
    """Show a run until it ends; ID is that of a run or of a submission."""
    with connect() as client:
        run = find_run(client, any_id)
        watch_run(client, run.id, console=make_console(), as_json=as_json, pause=every)


@click.command(cls=Command)
@ID
def logs(any_id: str, as_json: bool) -> None:
    """Print what the generator wrote; ID is that of a run or of a submission."""
    with connect() as client:
        log = read_whole_log(client, find_run(client, any_id).id)
    if as_json:
        print_json(log)
        return
    make_console().print(Text(plain(log.text)), end="", soft_wrap=True)
    if log.withheld:
        click.echo("Lines written while hidden pairs were in sight are withheld.", err=True)


@click.command(cls=Command)
@ID
@click.option("--csv", "as_csv", is_flag=True, help="Print the metrics as CSV, in full precision.")
@click.option("--pairs", is_flag=True, help="With --csv: the values of each public pair instead.")
def results(any_id: str, as_csv: bool, pairs: bool, as_json: bool) -> None:
    """Show the scores of a run; ID is that of a run or of a submission."""
    if pairs and not as_csv or as_csv and as_json:
        raise click.UsageError("--pairs goes with --csv, and --csv does not go with --json.")
    with connect(login=False) as client:
        run = find_run(client, any_id)
        require_scored(run)
        if not run.is_over:
            raise Refused(f"The run has no scores yet ({stage(run)}).", fix=f"Run `pastiche watch {run.id}`.")
        scores = client.scores(run.id)
    if as_json:
        print_json(scores)
    elif as_csv:
        _print_csv(_pair_rows(scores) if pairs else _score_rows(scores))
    else:
        make_console().print(score_table(scores))


def _score_rows(scores: Scores) -> list[Sequence[object]]:
    rows = [[name, score.value, score.low, score.high] for name, score in scores.scores.items()]
    return [["metric", "value", "low", "high"], *rows]


def _pair_rows(scores: Scores) -> list[Sequence[object]]:
    names = sorted({name for pair in scores.pairs for name in pair.values})
    rows = [
        [pair.id, pair.invalid, pair.seconds, *(pair.values.get(name) for name in names)]
        for pair in scores.pairs
    ]
    return [["pair", "invalid", "seconds", *names], *rows]


def _print_csv(rows: Iterable[Sequence[object]]) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
