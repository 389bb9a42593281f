"""Look at competitions and their boards."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.text import Text

from pastiche.command import Command, connect, make_console, print_json, working
from pastiche.commands.local import find_phase
from pastiche.language import say
from pastiche.tables import board_table, competition_table, metric_table, phase_table, rule_table
from pastiche.text import plain


@click.command("list", cls=Command)
def list_competitions(as_json: bool) -> None:
    """List the competitions."""
    with connect(login=False) as client:
        found = client.competitions()
    if as_json:
        print_json(found)
    elif found:
        make_console().print(competition_table(found))
    else:
        make_console().print(say("There is no competition yet."))


@click.command(cls=Command)
@click.argument("slug")
def info(slug: str, as_json: bool) -> None:
    """Show one competition: description, phases, limits, metrics, your quota."""
    with connect(login=False) as client:
        found = client.competition(slug)
    if as_json:
        print_json(found)
        return
    console = make_console()
    console.print(Text(plain(found.title), style="bold"))
    for text in (found.summary, found.description):
        console.print(Text(plain(text)))
    console.print(phase_table(found))
    console.print()
    console.print(metric_table(found))
    if found.quota:
        console.print(
            Text(say("Runs today: {left} of {limit} left.", left=found.quota.left, limit=found.quota.limit))
        )


@click.command(cls=Command)
@click.argument("slug")
@click.option("--phase", default="", help="Another phase than the one that matters now.")
def rules(slug: str, phase: str, as_json: bool) -> None:
    """Show what a competition allows: window, quota, limits of a run, what counts, the suite."""
    with connect(login=False) as client:
        found = find_phase(client, slug, phase)
    if as_json:
        print_json(found)
    else:
        make_console().print(rule_table(found))


@click.command(cls=Command)
@click.argument("slug")
@click.option("--phase", default="", help="Another phase than the one that matters now.")
def board(slug: str, phase: str, as_json: bool) -> None:
    """Show the leaderboard of a competition."""
    with connect(login=False) as client:
        found = client.leaderboard(slug, phase)
    if as_json:
        print_json(found)
    elif found.rows:
        make_console().print(board_table(found))
    else:
        make_console().print(say("Nothing has been scored in this phase yet."))


@click.command(cls=Command)
@click.argument("slug")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to make."
)
@click.option("--phase", default="", help="Another phase than the one that matters now.")
def pairs(slug: str, out: Path, phase: str, as_json: bool) -> None:
    """Download the public pairs of a competition, for `check`, `evaluate` and trainings."""
    from pastiche.downloading import download_pairs  # numpy and Pillow, which no other command waits for

    with (
        connect(login=False) as client,
        working(say("images"), show=not as_json) as notice,
    ):
        found = download_pairs(client, slug, out, phase=phase, notice=notice)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        told = say("{folder}: {pairs} public pairs of {size} pixels, {images} images", **asdict(found))
        make_console().print(Text(plain(told)), soft_wrap=True)
