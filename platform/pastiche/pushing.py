"""Wait for the report on pictures that were pushed, while a worker looks at them."""

import click

from pastiche.client import Client
from pastiche.command import working
from pastiche.errors import NetworkError, Refused, Stopped
from pastiche.following import PAUSE, follow_data
from pastiche.language import say
from pastiche.organizers import Data, Report, Survey
from pastiche.watching import tell_trouble


def wait_for_worker(
    client: Client, slug: str, sha256: str, *, pause: float = PAUSE, show: bool = False
) -> Data:
    """Return what came of the zip with that digest once no worker is at it any more; `show` draws a bar meanwhile.

    Raises:
        NetworkError: the worker is lost, or the server was away for too long; pushing the same again goes on.
        Stopped: Ctrl-C was pressed.
    """
    is_told = False
    try:
        with working(say("looked at"), show=show) as notice:
            for found in follow_data(client, slug, sha256, pause=pause, notice=tell_trouble):
                if found.survey is None or not found.is_under_way(sha256):
                    continue
                notice(found.survey.files_done, found.survey.files_total)
                _check_worker(found.survey)
                if found.survey.is_untaken and not is_told:
                    is_told = True
                    click.echo(untaken(found.survey), err=True)
    except KeyboardInterrupt:
        raise Stopped(
            say("You stopped waiting; the server goes on."),
            fix=say("`pastiche dataset status {slug}` tells how far it is.", slug=slug),
        ) from None
    return found


def report_on(sha256: str, found: Data) -> Report:
    """Return the report on the zip with that digest.

    Raises:
        Refused: the zip breaks a rule, or was thrown away.
    """
    survey = found.survey
    if survey is not None and survey.problem is not None and survey.sha256 == sha256:
        told = survey.problem
        raise Refused(told.message, fix=told.fix, code=told.code, fields=told.fields)
    if found.report is None or found.report.sha256 != sha256:
        raise Refused(
            say("The pictures were thrown away before their report was there."),
            fix=say("Ask the other organizers, then push them again."),
            code="THROWN_AWAY",
        )
    return found.report


def untaken(survey: Survey) -> str:
    """Say that no worker takes the pictures."""
    return say(
        "No worker has taken the pictures for {seconds} seconds, and none is busy: tell the operator that the "
        "service intake does not seem to run. They are kept for two days.",
        seconds=survey.seconds_silent,
    )


def lost(survey: Survey) -> str:
    """Say that the worker gives no sign."""
    return say(
        "The worker has given no sign for {seconds} seconds: it is probably lost.",
        seconds=survey.seconds_silent,
    )


def _check_worker(survey: Survey) -> None:
    if survey.is_lost:
        raise NetworkError(
            lost(survey),
            fix=say("Push the same pictures again: another worker gets them, and nothing is sent twice."),
            code="WORKER_LOST",
        )
