"""Hand in a generator, and end its run."""

from pathlib import Path

import click
from rich.text import Text

from pastiche.bundle import inspect, packed
from pastiche.client import Client
from pastiche.command import Command, connect, make_console, print_json, working
from pastiche.commands.local import PATH
from pastiche.errors import Refused
from pastiche.language import say
from pastiche.responses import Submission
from pastiche.text import plain, stage
from pastiche.watching import watch_run


@click.command(cls=Command)
@PATH
@click.option("--competition", required=True, help="The competition's slug, as `pastiche list` shows it.")
@click.option("--phase", default="", help="Another phase than the open one.")
@click.option("--team", default="", help="The team's slug; without it you submit alone.")
@click.option("--note", default="", help="A note for yourself, at most 500 characters.")
@click.option("--again", is_flag=True, help="Submit even though the same archive was submitted before.")
@click.option("--watch", is_flag=True, help="Show the run until it ends.")
def submit(
    *,
    path: Path,
    competition: str,
    phase: str,
    team: str,
    note: str,
    again: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Check PATH, a .zip file or a generator's folder, and hand it in; an upload that broke off goes on."""
    choice = {"phase": phase, "team": team, "note": note}
    console = make_console()
    with connect() as client, packed(path) as archive:
        submission = _send(client, archive, competition, choice, again=again, show=not as_json)
        if as_json:
            print_json(submission)
        else:
            console.print(Text(say("submission {id}", id=submission.id)))
            console.print(Text(say("run        {id}", id=submission.run.id)))
            page = f"{client.server}/s/{submission.id}/"
            console.print(Text(say("page       {address}", address=page)), soft_wrap=True)
            console.print(Text(stage(submission.run)), soft_wrap=True)
        if watch:
            watch_run(client, submission.run.id, console=console, as_json=as_json)


@click.command(cls=Command)
@click.argument("submission_id", metavar="ID")
def cancel(submission_id: str, as_json: bool) -> None:
    """End the run of the submission with this ID."""
    with connect() as client:
        submission = client.cancel(submission_id)
    _show(submission, as_json=as_json)


@click.command(cls=Command)
@click.argument("submission_id", metavar="ID")
def retry(submission_id: str, as_json: bool) -> None:
    """Hand in the submission with this ID once more as it is, after it was cancelled or the platform broke its run."""
    with connect() as client:
        submission = client.retry(submission_id)
    _show(submission, as_json=as_json)


@click.command(cls=Command)
@click.argument("submission_id", metavar="ID")
@click.option("--final/--not-final", "is_final", default=True, help="Choose it, or take the choice back.")
def select(submission_id: str, is_final: bool, as_json: bool) -> None:
    """Have your team ranked by the submission with this ID, while its phase is open."""
    with connect() as client:
        submission = client.choose_final(submission_id, is_final=is_final)
    if as_json:
        print_json(submission)
        return
    name = plain(submission.name) or submission.id
    chosen = say("{name} is a final choice.", name=name)
    make_console().print(
        Text(chosen if submission.is_final else say("{name} is no final choice.", name=name))
    )


def _show(submission: Submission, *, as_json: bool) -> None:
    if as_json:
        print_json(submission)
    else:
        make_console().print(Text(f"{plain(submission.name) or submission.id}: {stage(submission.run)}"))


def _send(
    client: Client, archive: Path, competition: str, choice: dict[str, str], *, again: bool, show: bool
) -> Submission:
    sha256 = inspect(archive).sha256
    with working(say("upload"), show=show) as notice:
        try:
            return client.submit(archive, competition, again=again, progress=notice, **choice)
        except Refused as error:
            if error.code != "DUPLICATE_SUBMISSION":
                raise
            raise _named_duplicate(client, sha256, error) from error


def _named_duplicate(client: Client, sha256: str, error: Refused) -> Refused:
    """Say which submission it was, so that a repeat after a lost connection loses nothing."""
    earlier = [row for row in client.submissions() if row.archive_sha256 == sha256]
    if not earlier:
        return error
    return Refused(
        f"{error.message} {say('It is submission {id}.', id=earlier[0].id)}",
        fix=say("Run `pastiche watch {id}`, or submit with --again.", id=earlier[0].id),
        code=error.code,
        fields=error.fields,
    )
