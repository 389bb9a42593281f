"""The participants' command line: `pastiche COMMAND`."""

import click

from pastiche.commands.account import login, whoami
from pastiche.commands.competitions import board, info, list_competitions, pairs
from pastiche.commands.runs import logs, results, watch
from pastiche.commands.submissions import cancel, check, submit

HELP = """Take part in style-transfer competitions.

Exit status: 0 good, 2 wrong usage or refused, 3 not logged in, 4 the archive fails the check,
5 the run failed, 6 the server cannot be reached (the command can be repeated safely).
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Hold the commands together."""


for command in (
    login,
    whoami,
    list_competitions,
    info,
    pairs,
    check,
    submit,
    watch,
    logs,
    results,
    board,
    cancel,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    cli()
