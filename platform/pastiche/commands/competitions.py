"""Look at competitions and their boards."""

import click
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
