"""Which server, and with which token: from the environment, else from a file that only its owner can read."""

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import click

from pastiche.errors import ConfigError, LoginNeeded
from pastiche.language import say

_TOKEN = re.compile(r"[\x21-\x7e]{1,500}")


@dataclass(frozen=True)
class Config:
    """The address of the server, without a slash at its end, and the token ("" where there is none)."""

    server: str
    token: str = field(default="", repr=False)


def config_path() -> Path:
    """Return where the file lies: below `$XDG_CONFIG_HOME`, or what the system has for that."""
    return Path(click.get_app_dir("pastiche")) / "config.json"


def load_config(environment: Mapping[str, str], path: Path) -> Config:
    """Read the settings; PASTICHE_URL and PASTICHE_TOKEN win over the file.

    The file's token goes to the file's server only, never to one that the environment names.

    Raises:
        ConfigError: the file is broken, or there is no server.
        LoginNeeded: others can read the file.
    """
    stored = _read(path)
    server = environment.get("PASTICHE_URL") or (stored.server if stored else "")
    if not server:
        raise LoginNeeded(
            say("No server is known yet."), fix=say("Run `pastiche login`, or set PASTICHE_URL.")
        )
    server = check_server(server)
    token = environment.get("PASTICHE_TOKEN", "").strip()
    if not token and stored and stored.server == server:
        token = stored.token
    return Config(server, check_token(token) if token else "")


def save_config(config: Config, path: Path) -> None:
    """Write the file with mode 0600 in a folder with mode 0700, all at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump({"server": config.server, "token": config.token}, file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_server(address: str) -> str:
    """Return the address in its plain form, or raise ConfigError where it is none."""
    plain = address.strip().rstrip("/")
    try:
        parts = urlsplit(plain)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.query or parts.fragment:
        raise ConfigError(
            say("The server's address must look like https://host or http://host:port."),
            fix=say("Give it with `pastiche login --server ADDRESS`, or in PASTICHE_URL."),
        )
    return plain


def check_token(token: str) -> str:
    """Return the token, or raise LoginNeeded where it cannot be one; the message does not hold it."""
    if not _TOKEN.fullmatch(token):
        raise LoginNeeded(
            say("The token holds characters that no token has."), fix=say("Copy it again, without quotes.")
        )
    return token


def _read(path: Path) -> Config | None:
    try:
        with path.open(encoding="utf-8") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                raise LoginNeeded(
                    say("Others can read {path}.", path=path), fix=say("Run `chmod 600 {path}`.", path=path)
                )
            fields = json.load(file)
        return Config(str(fields["server"]), str(fields["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            say("{path} cannot be read.", path=path), fix=say("Delete it and run `pastiche login`.")
        ) from error
