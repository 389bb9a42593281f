"""Check an archive and hand it in."""

import json
from pathlib import Path

import click
from rich.progress import Progress
from rich.text import Text

from evaluation.archive import ArchiveInfo, inspect_archive
from evaluation.archive_report import accepted_fields, accepted_text
from evaluation.errors import InvalidArchive
from pastiche.client import Client
from pastiche.command import Command, connect, make_console, print_json
from pastiche.errors import CheckFailed, Refused
from pastiche.responses import Submission
from pastiche.text import plain, stage
from pastiche.watching import watch_run

ARCHIVE = click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command(cls=Command)
@ARCHIVE
def check(archive: Path, as_json: bool) -> None:
    """Check an ARCHIVE as the server does, without sending it and without executing anything in it."""
    info = _inspect(archive)
    click.echo(json.dumps(accepted_fields(info), indent=2) if as_json else f"{accepted_text(info)}\naccepted")


@click.command(cls=Command)
@ARCHIVE
@click.option("--competition", required=True, help="The competition's slug, as `pastiche list` shows it.")
@click.option("--phase", default="", help="Another phase than the open one.")
@click.option("--team", default="", help="The team's slug; without it you submit alone.")
@click.option("--note", default="", help="A note for yourself, at most 500 characters.")
@click.option("--again", is_flag=True, help="Submit even though the same archive was submitted before.")
@click.option("--watch", is_flag=True, help="Show the run until it ends.")
def submit(
    *,
    archive: Path,
    competition: str,
    phase: str,
    team: str,
    note: str,
    again: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Check an ARCHIVE, then hand it in."""
    info = _inspect(archive)
    fields = {"competition": competition, "phase": phase, "team": team, "note": note}
    fields |= {"again": "true"} if again else {}
    fields = {name: value for name, value in fields.items() if value}
    console = make_console()
    with connect() as client:
        submission = _send(client, archive, fields, info, show=console.is_terminal and not as_json)
        if as_json:
            print_json(submission)
        else:
            console.print(Text(f"submission {submission.id}\nrun        {submission.run.id}"))
            console.print(Text(stage(submission.run)))
        if watch:
            watch_run(client, submission.run.id, console=console, as_json=as_json)


@click.command(cls=Command)
@click.argument("submission_id", metavar="ID")
def cancel(submission_id: str, as_json: bool) -> None:
    """End the run of the submission with this ID."""
    with connect() as client:
        submission = client.cancel(submission_id)
    if as_json:
        print_json(submission)
    else:
        make_console().print(Text(f"{plain(submission.name) or submission.id}: {stage(submission.run)}"))


def _inspect(archive: Path) -> ArchiveInfo:
    try:
        return inspect_archive(archive)
    except InvalidArchive as error:
        raise CheckFailed(error.message, fix=error.fix, code=error.reason) from error


def _send(
    client: Client, archive: Path, fields: dict[str, str], info: ArchiveInfo, *, show: bool
) -> Submission:
    with Progress(disable=not show, transient=True) as progress:
        bar = progress.add_task("upload", total=info.size)
        try:
            return client.submit(archive, fields, lambda sent: progress.update(bar, completed=sent))
        except Refused as error:
            if error.code != "DUPLICATE_SUBMISSION":
                raise
            raise _named_duplicate(client, info.sha256, error) from error


def _named_duplicate(client: Client, sha256: str, error: Refused) -> Refused:
    """Say which submission it was, so that a repeat after a lost connection loses nothing."""
    earlier = [row for row in client.submissions() if row.archive_sha256 == sha256]
    if not earlier:
        return error
    return Refused(
        f"{error.message} It is submission {earlier[0].id}.",
        fix=f"Run `pastiche watch {earlier[0].id}`, or submit with --again.",
        code=error.code,
        fields=error.fields,
    )
