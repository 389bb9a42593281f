"""Watch a run, read its log and its results, compare two, and fetch what one has made."""

import csv
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.text import Text

from pastiche.client import Client
from pastiche.command import Command, connect, make_console, print_json, working
from pastiche.comparison import compare_scores
from pastiche.errors import FolderError, Refused
from pastiche.following import PAUSE, find_run, read_whole_log
from pastiche.language import say
from pastiche.responses import Scores
from pastiche.tables import difference_table, score_table
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
        click.echo(say("Lines written while hidden pairs were in sight are withheld."), err=True)


@click.command(cls=Command)
@ID
@click.option("--csv", "as_csv", is_flag=True, help="Print the metrics as CSV, in full precision.")
@click.option("--pairs", is_flag=True, help="With --csv: the values of each public pair instead.")
def results(any_id: str, as_csv: bool, pairs: bool, as_json: bool) -> None:
    """Show the scores of a run; ID is that of a run or of a submission."""
    if pairs and not as_csv or as_csv and as_json:
        raise click.UsageError(say("--pairs goes with --csv, and --csv does not go with --json."))
    with connect(login=False) as client:
        scores = _scores(client, any_id)
    if as_json:
        print_json(scores)
    elif as_csv:
        _print_csv(_pair_rows(scores) if pairs else _score_rows(scores))
    else:
        make_console().print(score_table(scores))


@click.command(cls=Command)
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
def compare(first: str, second: str, as_json: bool) -> None:
    """Set the scores of two runs beside each other; each ID is that of a run or of a submission."""
    with connect(login=False) as client:
        found = compare_scores(_scores(client, first), _scores(client, second))
    if as_json:
        click.echo(json.dumps([asdict(row) for row in found], indent=2))
    else:
        make_console().print(difference_table(found))


@click.command(cls=Command)
@ID
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to make."
)
def pull(any_id: str, out: Path, as_json: bool) -> None:
    """Fetch the pictures that a run made for public pairs, and run.json: what they are and what they scored."""
    if out.exists() and any(out.iterdir()):
        raise FolderError(
            say("{folder} is not empty.", folder=out), fix=say("Name a new or an empty folder.")
        )
    with connect(login=False) as client, working(say("images"), show=not as_json) as notice:
        run = find_run(client, any_id)
        outputs = client.outputs(run.id)
        pictures: dict[str, bytes] = {}
        for output in outputs:
            pictures[f"{Path(output.id).name}.png"] = client.image(output.output_url)
            notice(len(pictures), len(outputs))
        scores = client.scores(run.id).model_dump(mode="json") if run.state == "scored" else None
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in pictures.items()}
    told = {"server": client.server, "run": run.model_dump(mode="json"), "scores": scores, "sha256": digests}
    _write_files(out, pictures | {"run.json": json.dumps(told, indent=2).encode() + b"\n"})
    if as_json:
        click.echo(json.dumps({"folder": str(out), "images": len(digests)}))
    else:
        make_console().print(Text(say("{folder}: {n} images", folder=plain(str(out)), n=len(digests))))


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise FolderError(
            say("{folder} cannot be written: {reason}.", folder=folder, reason=error.strerror),
            fix=say("Name another folder with --out."),
        ) from error


def _scores(client: Client, any_id: str) -> Scores:
    run = find_run(client, any_id)
    require_scored(run)
    if not run.is_over:
        raise Refused(
            say("The run has no scores yet ({stage}).", stage=stage(run)),
            fix=say("Run `pastiche watch {id}`.", id=run.id),
        )
    return client.scores(run.id)


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
