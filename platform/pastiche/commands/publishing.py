"""For organizers: try a competition out, and publish it."""

import time

import click
from rich.text import Text

from pastiche.command import Command, connect, make_console, print_json, working
from pastiche.errors import RunFailed
from pastiche.following import PAUSE
from pastiche.language import say
from pastiche.tables import trial_table
from pastiche.text import plain

SLUG = click.argument("slug")


@click.command("dry-run", cls=Command)
@SLUG
@click.option("--every", default=PAUSE, type=click.FloatRange(0.05, 3600), help="Seconds between two looks.")
def dry_run(slug: str, every: float, as_json: bool) -> None:
    """Send two baselines through the whole line, and wait for their scores; one under way is waited for."""
    with connect() as client, working(say("dry run"), show=not as_json) as notice:
        found = client.organizing.dry_run(slug)
        if not found.is_live:
            found = client.organizing.start_dry_run(slug)
        while found.is_live:
            notice(sum(t.pairs_done for t in found.trials), sum(t.pairs_total for t in found.trials))
            time.sleep(every)
            found = client.organizing.dry_run(slug)
    if as_json:
        print_json(found)
    else:
        make_console().print(trial_table(found))
    if not found.is_scored:
        raise RunFailed(
            say("Not every baseline was scored."),
            fix=say("`pastiche logs ID` of its submission tells why; mend that, then try again."),
            code="NOT_SCORED",
            fields={trial.name: trial.submission_id for trial in found.trials if trial.state != "scored"},
        )


@click.command(cls=Command)
@SLUG
@click.option("--reason", default="", help="Why no dry run is needed, where there was none; it is kept.")
def publish(slug: str, reason: str, as_json: bool) -> None:
    """Show a competition to everybody; this cannot be taken back."""
    with connect() as client:
        made = client.organizing.publish(slug, reason)
    if as_json:
        print_json(made)
    else:
        make_console().print(Text(say("{slug} is published.", slug=plain(made.slug))))
