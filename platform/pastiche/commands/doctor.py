"""Look at all that a participant's machine needs, and say what to do about what is missing."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec

import click
from rich.text import Text

from evaluation.zips.rules import MEGABYTE
from pastiche.client import Client
from pastiche.command import Command, connect, make_console, read_config
from pastiche.errors import PasticheError
from pastiche.language import say
from pastiche.text import plain

MOST_SECONDS_OFF = 60
NEEDED = ("torch", "torchvision", "safetensors", "scipy", "skimage")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `exit_code` is that of the error where it is not well."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    exit_code: int = 0


@click.command(cls=Command)
def doctor(as_json: bool) -> None:
    """Check settings, server, login, clock, room for uploads, and what local evaluation needs."""
    findings = [_look("settings", _settings)]
    if findings[0].ok:
        with connect(login=False) as client:
            for name, look in (("server", _server), ("clock", _clock), ("login", _login), ("uploads", _room)):
                findings.append(_look(name, look, client))
    findings.append(_evaluation())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    click.get_current_context().exit(next((row.exit_code for row in findings if row.exit_code), 0))


def _look(name: str, look: Callable[..., Finding | str], *arguments: object) -> Finding:
    try:
        found = look(*arguments)
    except PasticheError as error:
        return Finding(name, False, error.message, error.fix, error.exit_code)
    return found if isinstance(found, Finding) else Finding(name, True, found)


def _settings() -> str:
    return read_config().server


def _server(client: Client) -> str:
    return say("{n} competitions", n=len(client.competitions()))


def _clock(client: Client) -> Finding | str:
    ahead = client.clock_ahead() or 0.0
    told = say("{seconds} s ahead of the server", seconds=round(ahead))
    if abs(ahead) > MOST_SECONDS_OFF:
        return Finding("clock", False, told, say("Set the clock: deadlines are told by the server's."), 2)
    return told


def _login(client: Client) -> str:
    with connect():  # says what to do where there is no token
        return client.me().username


def _room(client: Client) -> str:
    room = client.uploads.room()
    return say(
        "{left} MB left, at most {largest} MB a file",
        left=room.left // MEGABYTE,
        largest=room.largest // MEGABYTE,
    )


def _evaluation() -> Finding:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        fix = say("Run `pip install 'pastiche-platform[evaluation]'`.")
        return Finding("evaluation", False, say("missing: {names}", names=", ".join(missing)), fix)
    return Finding("evaluation", True, say("`pastiche evaluate` can run here"))


def _print(findings: list[Finding]) -> None:
    console = make_console()
    for row in findings:
        mark = Text("✓ ", style="green") if row.ok else Text("✗ ", style="red")
        console.print(mark + Text(f"{say(row.name)}: {plain(row.detail)}", style=""), soft_wrap=True)
        if row.fix:
            console.print(Text(f"    {plain(row.fix)}"), soft_wrap=True)
