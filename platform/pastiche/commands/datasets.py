"""For organizers: check the pictures of a competition, send them, and see what becomes of them."""

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from pastiche.command import Command, Commands, connect, make_console, print_json, working
from pastiche.commands.organizing import PATH
from pastiche.errors import CheckFailed, Refused
from pastiche.following import PAUSE
from pastiche.language import say
from pastiche.organizers import Data, Report, Survey
from pastiche.organizing import files_of, zipped
from pastiche.pushing import lost, report_on, untaken, wait_for_worker
from pastiche.tables import finding_table
from pastiche.text import coded, plain
from pastiche.uploads import digest_of

SLUG = click.argument("slug")


@click.group(cls=Commands)
def dataset() -> None:
    """Check pictures here, and send them to a competition (organizers)."""


@dataset.command(cls=Command)
@PATH
@click.option("--suite", default="", help="The metric suite that says how large pictures have to be.")
@click.option("--size", type=click.IntRange(16, 4096), help="Side of the pictures in pixels.")
def check(path: Path, suite: str, size: int | None, as_json: bool) -> None:
    """Look at the pictures of PATH, a folder or a .zip file, as the server does; nothing is sent."""
    from evaluation.errors import InvalidSuite
    from evaluation.intake.survey import survey  # numpy and Pillow, which no other command waits for
    from evaluation.spec import load_suite

    try:
        side = load_suite(suite).size if suite else size
    except InvalidSuite as error:
        raise Refused(error.message, fix=error.fix, code=error.code) from error
    if side is None:
        raise Refused(say("How large are the pictures?"), fix=say("Name --suite or --size."), code="USAGE")
    found = survey(files_of(path), side).report
    rows = [
        {
            "code": one.code,
            "weight": one.kind.weight.value,
            "file": one.file,
            "detail": one.detail,
            "sentence": one.kind.sentence,
            "advice": one.kind.advice,
        }
        for one in found.findings
    ]
    counts = {name: getattr(found, name) for name in ("size", "n_files", "n_usable", "n_public", "n_hidden")}
    _report(Report.model_validate(counts | {"is_fatal": found.is_fatal, "findings": rows}), as_json=as_json)


@dataset.command(cls=Command)
@PATH
@click.option(
    "--competition", "slug", required=True, help="The competition's slug, as `pastiche list` shows it."
)
@click.option("--wait/--no-wait", "is_waiting", default=True, help="Wait for the report, or end at once.")
@click.option("--every", default=PAUSE, type=click.FloatRange(0.05, 3600), help="Seconds between two looks.")
def push(path: Path, slug: str, is_waiting: bool, every: float, as_json: bool) -> None:
    """Send the pictures of PATH, a folder or a .zip file, and wait for the report; what broke off goes on."""
    with connect() as client:
        with zipped(files_of(path)) as packed, working(say("upload"), show=not as_json) as notice:
            sha256 = digest_of(packed)
            found = client.organizing.push(slug, packed, notice)
        if is_waiting and found.is_under_way(sha256):
            found = wait_for_worker(client, slug, sha256, pause=every, show=not as_json)
    if is_waiting:
        _report(report_on(sha256, found), as_json=as_json)
        return
    _show(found, as_json=as_json)
    if found.is_under_way(sha256) and not as_json:
        line = say("`pastiche dataset status {slug}` tells how far it is.", slug=slug)
        make_console().print(Text(line), soft_wrap=True)


@dataset.command(cls=Command)
@SLUG
def status(slug: str, as_json: bool) -> None:
    """Show what was found in the pictures of a competition, and how far a worker is with new ones."""
    with connect() as client:
        found = client.organizing.data(slug)
    _show(found, as_json=as_json)


@dataset.command(cls=Command)
@SLUG
def stop(slug: str, as_json: bool) -> None:
    """Throw pictures away that wait or are looked at; those that the competition has stay."""
    with connect() as client:
        client.organizing.stop(slug)
        found = client.organizing.data(slug)
    _show(found, as_json=as_json)


def _show(found: Data, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    console = make_console()
    if found.survey is not None:
        console.print(Text(_stage(found.survey)), soft_wrap=True)
    if found.report is not None:
        _print_report(console, found.report)
    elif found.survey is None:
        console.print(Text(say("No pictures were handed in yet.")))


def _stage(survey: Survey) -> str:
    if survey.problem is not None:
        told = survey.problem
        line = f"{say('refused')}: {coded(told.message, told.code, told.fields)}"
        return plain(f"{line}\n  {told.fix}".rstrip())
    words = [say("{done} of {total} files looked at", done=survey.files_done, total=survey.files_total)]
    if survey.n_before:
        words.append(say("place {place} in the queue", place=survey.n_before + 1))
    if survey.is_lost:
        words.append(lost(survey))
    if survey.is_untaken:
        words.append(untaken(survey))
    return " · ".join(words)


def _report(found: Report, *, as_json: bool) -> None:
    """Print a report; one that makes no dataset ends the command with the status of a failed check."""
    if found.is_fatal:
        fatal = [row for row in found.findings if row.weight == "fatal"]
        told = {row.code: f"{row.file} {row.detail}".strip() for row in found.findings}
        raise CheckFailed(
            plain(fatal[0].sentence), fix=plain(fatal[0].advice), code=fatal[0].code, fields=told
        )
    if as_json:
        print_json(found)
    else:
        _print_report(make_console(), found)


def _print_report(console: Console, found: Report) -> None:
    counts = {
        "usable": found.n_usable,
        "files": found.n_files,
        "public": found.n_public,
        "hidden": found.n_hidden,
    }
    line = say(
        "{usable} of {files} pictures are usable; {public} public pairs, {hidden} hidden ones.", **counts
    )
    console.print(Text(line))
    if found.findings:
        console.print(finding_table(found))
