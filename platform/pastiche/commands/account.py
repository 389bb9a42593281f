"""Log in, and say who is logged in."""

import os
import platform
import sys
from collections.abc import Sequence

import click
from rich.text import Text

from pastiche.client import SCOPES, Client
from pastiche.command import Command, connect, make_console, print_json, read_config
from pastiche.config import Config, check_server, check_token, config_path, save_config
from pastiche.errors import PasticheError
from pastiche.language import say
from pastiche.text import plain

DEFAULT_SERVER = "http://localhost:8000"


@click.command(cls=Command)
@click.option("--server", help="Address of the server, e.g. https://pastiche.example.org.")
@click.option("--username", help="Your user name.")
@click.option(
    "--with-token", is_flag=True, help="Read a token made on the web page from stdin, not a password."
)
@click.option(
    "--organize", is_flag=True, help="Let the token set up and run competitions, too (with a password)."
)
def login(server: str | None, username: str | None, with_token: bool, organize: bool, as_json: bool) -> None:
    """Get a token and keep it in a file that only you can read."""
    address = check_server(server or click.prompt(say("Server"), default=_known_server(), err=True))
    scopes = (*SCOPES, "organize") if organize else SCOPES
    token = sys.stdin.readline() if with_token else _ask_for_token(address, username, scopes)
    key = check_token(token.strip())
    with Client(address, key) as client:
        me = client.me()
    save_config(Config(address, key), config_path())
    if as_json:
        print_json(me)
    else:
        make_console().print(
            Text(say("Logged in at {server} as {name}.", server=address, name=plain(me.username)))
        )
    if os.environ.get("PASTICHE_TOKEN") or os.environ.get("PASTICHE_URL"):
        click.echo(say("PASTICHE_URL or PASTICHE_TOKEN is set and wins over this login."), err=True)


@click.command(cls=Command)
def whoami(as_json: bool) -> None:
    """Show the server, your user name and your teams."""
    with connect() as client:
        me = client.me()
    if as_json:
        print_json(me)
        return
    console = make_console()
    console.print(Text(say("{name} at {server}", name=plain(me.username), server=read_config().server)))
    for team in me.teams:
        console.print(Text(f"  {say('team')} {plain(team.slug)}: {plain(team.name)}"))


def _known_server() -> str:
    try:
        return read_config().server
    except PasticheError:
        return DEFAULT_SERVER


def _read_password() -> str:
    """Read without echo from a terminal, and a line from stdin where a program types."""
    if sys.stdin.isatty():
        password: str = click.prompt(say("Password"), hide_input=True, err=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _ask_for_token(server: str, username: str | None, scopes: Sequence[str]) -> str:
    name = username or click.prompt(say("User name"), err=True)
    password = _read_password()
    with Client(server) as client:
        title = f"pastiche on {platform.node() or 'this machine'}"[:100]
        return client.create_token(name, password, title, scopes).token
