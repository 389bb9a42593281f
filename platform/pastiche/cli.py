"""The command line of participants and organizers: `pastiche COMMAND`."""

import click

from pastiche.command import Commands
from pastiche.commands.account import login, whoami
from pastiche.commands.competitions import board, info, list_competitions, pairs, rules
from pastiche.commands.datasets import dataset
from pastiche.commands.doctor import doctor
from pastiche.commands.kit import init
from pastiche.commands.local import check, evaluate
from pastiche.commands.organizing import competition
from pastiche.commands.publishing import dry_run, publish
from pastiche.commands.runs import compare, logs, pull, results, watch
from pastiche.commands.submissions import cancel, retry, select, submit

HELP = """Take part in style-transfer competitions.

Exit status: 0 good, 2 wrong usage or refused, 3 not logged in, 4 the archive fails the check,
5 the run failed, 6 the server cannot be reached (the command can be repeated safely),
130 you stopped watching.
"""


@click.group(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Hold the commands together."""


for command in (
    login,
    whoami,
    doctor,
    list_competitions,
    info,
    rules,
    pairs,
    init,
    check,
    evaluate,
    submit,
    watch,
    logs,
    cancel,
    retry,
    select,
    results,
    compare,
    board,
    pull,
    competition,
    dataset,
):
    cli.add_command(command)
for command in (dry_run, publish):
    competition.add_command(command)


def main() -> None:
    """Run the command line."""
    cli()
