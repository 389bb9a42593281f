"""For organizers: competitions as files."""

import json
from pathlib import Path

import click
from rich.text import Text

from evaluation.files import replacing
from pastiche.command import Command, Commands, connect, make_console, print_json, working
from pastiche.errors import Refused
from pastiche.language import say
from pastiche.organizers import Difference
from pastiche.organizing import competition_files, read_competition, room_for_export, zipped
from pastiche.tables import change_table

PATH = click.argument("path", type=click.Path(exists=True, path_type=Path))


@click.group(cls=Commands)
def competition() -> None:
    """Export, compare and import competitions as files (organizers)."""


@competition.command(cls=Command)
@click.argument("slug")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder to make or to renew, or a .zip file.",
)
def export(slug: str, out: Path, as_json: bool) -> None:
    """Write a competition as competition.toml and the folder data; hidden pictures are among them."""
    with (
        connect() as client,
        replacing(out) if out.suffix == ".zip" else room_for_export(out) as packed,
        working(say("download"), show=not as_json) as notice,
    ):
        client.organizing.export(slug, packed, notice)
        size = packed.stat().st_size
    if as_json:
        click.echo(json.dumps({"path": str(out), "bytes": size}))
    else:
        make_console().print(
            Text(say("{path}: keep it where only organizers read.", path=out)), soft_wrap=True
        )


@competition.command(cls=Command)
@PATH
def diff(path: Path, as_json: bool) -> None:
    """Show what an import of PATH, a folder or a .zip file, would change, and what of it is locked."""
    file, text = read_competition(path)
    with connect() as client:
        found = client.organizing.diff(file.competition.slug, text)
    _tell(found, as_json=as_json)


@competition.command("import", cls=Command)
@PATH
def import_competition(path: Path, as_json: bool) -> None:
    """Make the competition of PATH, a folder or a .zip file, or change it to that; wholly or not at all."""
    file, text = read_competition(path)
    slug = file.competition.slug
    with connect() as client:
        planned = client.organizing.diff(slug, text)
        locked = {
            row.field: f"{row.before} -> {row.after}" for row in planned.changes if row.freedom == "locked"
        }
        if locked:
            raise Refused(
                say("Locked since the competition was published: {fields}.", fields=", ".join(locked)),
                fix=say("Take these changes back, or choose another slug for a new competition."),
                code="LOCKED_SINCE_PUBLISHED",
                fields=locked,
            )
        is_known = file.data is not None and file.data.digest is not None
        is_known = is_known and "data.digest" not in {row.field for row in planned.changes}
        with (
            zipped(competition_files(path, has_data=not is_known)) as packed,
            working(say("upload"), show=not as_json) as notice,
        ):
            found = client.organizing.import_zip(slug, packed, notice)
    _tell(found, as_json=as_json)


def _tell(found: Difference, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    console = make_console()
    if found.is_new:
        console.print(Text(say("{slug} is a new competition.", slug=found.slug)))
    elif not found.changes:
        console.print(Text(say("{slug} is as the file says.", slug=found.slug)))
    if found.changes:
        console.print(change_table(found))
