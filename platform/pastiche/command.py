"""What all commands have in common: `--json`, errors with an exit status, the connection, the console."""

import copy
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import cleandoc

import click
from pydantic import BaseModel
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from pastiche.client import Client
from pastiche.config import Config, config_path, load_config
from pastiche.errors import LoginNeeded, PasticheError
from pastiche.language import say
from pastiche.text import coded, plain

WIDE = 200  # columns where the output is no terminal, so that no table is cut


class Command(click.Command):
    """A command that takes `--json` (`as_json`) and ends with the exit status of its error."""

    def __init__(self, *args: object, **options: object) -> None:
        """Add the option `--json`."""
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."))

    def get_help(self, context: click.Context) -> str:
        """Write the help in the user's language."""
        told = copy.copy(self)
        told.help = say(cleandoc(self.help or ""))
        told.params = [_translated(parameter) for parameter in self.params]
        return super(Command, told).get_help(context)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Write the first sentence of the help in the user's language."""
        told = copy.copy(self)
        told.help = say(cleandoc(self.help or ""))
        return super(Command, told).get_short_help_str(limit)

    def invoke(self, context: click.Context) -> object:
        """Run the command; show an expected error and set the exit status."""
        try:
            return super().invoke(context)
        except PasticheError as error:
            show_error(error, as_json=bool(context.params.get("as_json")))
            context.exit(error.exit_code)


class Commands(click.Group):
    """A group whose help is in the user's language."""

    def get_help(self, context: click.Context) -> str:
        """Write the help."""
        told = copy.copy(self)
        told.help = say(cleandoc(self.help or ""))
        return super(Commands, told).get_help(context)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Write the first sentence of the help in the user's language."""
        told = copy.copy(self)
        told.help = say(cleandoc(self.help or ""))
        return super(Commands, told).get_short_help_str(limit)


def show_error(error: PasticheError, *, as_json: bool) -> None:
    """Print an error: as JSON on stdout for programs, as lines on stderr for people."""
    if as_json:
        told = {"code": error.code, "message": error.message, "fix": error.fix, "fields": error.fields}
        click.echo(json.dumps({"error": told}))
        return
    console = make_console(stderr=True)
    line = plain(coded(error.message, error.code, error.fields))
    console.print(Text(f"{say('error')}: ", style="bold red") + Text(line), soft_wrap=True)
    if error.fix:
        console.print(Text(f"  {plain(error.fix)}"), soft_wrap=True)


def make_console(*, stderr: bool = False) -> Console:
    """Return a console: colour on a terminal only, and wide enough for tables elsewhere."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = WIDE
    return console


def read_config() -> Config:
    """Read server and token from environment and file."""
    return load_config(os.environ, config_path())


@contextmanager
def connect(*, login: bool = True) -> Iterator[Client]:
    """Open a connection to the configured server.

    Raises:
        LoginNeeded: `login` is asked for, and there is no token.
    """
    config = read_config()
    if login and not config.token:
        raise LoginNeeded(
            say("You are not logged in at {server}.", server=config.server), fix=say("Run `pastiche login`.")
        )
    with Client(config.server, config.token) as client:
        yield client


def print_json(value: BaseModel | Sequence[BaseModel]) -> None:
    """Print an answer of the server as JSON."""
    if isinstance(value, BaseModel):
        click.echo(value.model_dump_json(indent=2))
    else:
        click.echo(json.dumps([item.model_dump(mode="json") for item in value], indent=2))


@contextmanager
def working(title: str, *, show: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, and yield what moves it: how much of how much is done."""
    console = make_console(stderr=True)
    with Progress(console=console, disable=not (show and console.is_terminal), transient=True) as progress:
        bar = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def _translated(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    told = copy.copy(parameter)
    told.help = say(parameter.help)
    return told
