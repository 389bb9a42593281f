"""Look at competitions and their boards."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import Progress
from rich.text import Text

from pastiche.command import Command, connect, make_console, print_json
from pastiche.tables import board_table, competition_table, metric_table, phase_table
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
        make_console().print("There is no competition yet.")


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
        console.print(Text(f"\nRuns today: {found.quota.left} of {found.quota.limit} left."))


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
        make_console().print("Nothing has been scored in this phase yet.")


@click.command(cls=Command)
@click.argument("slug")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to make."
)
@click.option("--phase", default="", help="Another phase than the one that matters now.")
def pairs(slug: str, out: Path, phase: str, as_json: bool) -> None:
    """Download the public pairs of a competition, for `python -m evaluation generate` and `score`."""
    from pastiche.downloading import download_pairs  # numpy and Pillow, which no other command waits for

    console = make_console()
    with (
        connect(login=False) as client,
        Progress(disable=as_json or not console.is_terminal, transient=True) as progress,
    ):
        bar = progress.add_task("images", total=None)
        found = download_pairs(
            client,
            slug,
            out,
            phase=phase,
            notice=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        told = f"{found.folder}: {found.pairs} public pairs of {found.size} pixels, {found.images} images"
        console.print(Text(plain(told)), soft_wrap=True)
