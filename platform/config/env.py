"""Read environment variables; a wrong value stops the process naming the variable and what was expected."""

import os
import re
import secrets
import sys
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

import dj_database_url
import psutil
from environs import Env, EnvValidationError, validate

from config import broker

env = Env()

# A database server that vanishes without a word is noticed within a lease, not when the network gives up after hours.
PATIENCE = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 2,
}
FOLDER = "folder"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class MailServer(NamedTuple):
    """A server for outgoing mail, in the order of Django's settings; no host: there is none."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starts_tls: bool = False
    is_tls: bool = False


def stop(variable: str, expected: str) -> NoReturn:
    """End the process with one line that names the variable and what was expected."""
    sys.exit(f"Environment variable {variable} is wrong: {expected}.")


def read_str(name: str, default: str) -> str:
    """Read a text."""
    return env.str(name, default)


def read_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Read one of a few words."""
    text = env.str(name, default)
    if text not in choices:
        stop(name, f"expected {' or '.join(choices)}, found {text!r}")
    return text


def read_bool(name: str, default: bool) -> bool:
    """Read yes or no."""
    try:
        return env.bool(name, default)
    except EnvValidationError:
        stop(name, f"expected true or false, found {os.environ[name]!r}")


def read_int(name: str, default: int, *, low: int, high: int) -> int:
    """Read a whole number between `low` and `high`."""
    try:
        return env.int(name, default, validate=validate.Range(min=low, max=high))
    except EnvValidationError:
        stop(name, f"expected a whole number from {low} to {high}, found {os.environ[name]!r}")


def read_list(name: str, default: list[str]) -> list[str]:
    """Read a list separated by commas."""
    return [item.strip() for item in env.list(name, default) if item.strip()]


def read_numbers(name: str) -> list[int]:
    """Read whole numbers separated by commas; nothing by default."""
    words = read_list(name, [])
    if not all(word.isascii() and word.isdecimal() for word in words):
        stop(name, f"expected whole numbers separated by commas, found {os.environ[name]!r}")
    return [int(word) for word in words]


def machine_memory_mb() -> int:
    """Return the memory of this machine in MiB."""
    return int(psutil.virtual_memory().total // 2**20)


def read_folder(name: str, default: Path) -> Path:
    """Read the path of a folder and make it if it is missing."""
    path = Path(env.str(name, str(default))).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(name, f"the folder {path} cannot be made ({error.strerror})")
    if not os.access(path, os.W_OK):
        stop(name, f"the folder {path} is not writable")
    return path


def read_database(name: str, default_file: Path) -> dict[str, object]:
    """Read a database address: `postgres://…` or `sqlite:///…`."""
    text = env.str(name, f"sqlite:///{default_file}")
    if not text.startswith(("postgres://", "postgresql://", "sqlite:///")):
        stop(name, "expected postgres://user:password@host:port/name or sqlite:////path/to/file")
    try:
        read = dict(dj_database_url.parse(text))
    except ValueError as error:
        stop(name, f"not a database address ({error})")
    if text.startswith("postgres"):
        options = read.get("OPTIONS")
        read["OPTIONS"] = PATIENCE | (options if isinstance(options, dict) else {})
    return read


def read_broker(name: str) -> str:
    """Read a broker address: `redis://…`, `rediss://…`, or the default, a folder in the data folder."""
    text = env.str(name, broker.URL)
    if not text.startswith(("redis://", "rediss://")) and text != broker.URL:
        stop(name, f"expected redis://host:port/number, rediss://… or {broker.URL}")
    return text


def read_mail(name: str) -> MailServer:
    """Read a mail server: `smtp://user:password@host:587` (STARTTLS), `smtps://…`, `smtp+plain://…`, or nothing."""
    if not (text := env.str(name, "")):
        return MailServer()
    address = urlsplit(text)
    ports = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
    try:
        host, port = address.hostname, address.port or ports[address.scheme]
    except (KeyError, ValueError):
        host, port = None, 0
    if not host or address.path.strip("/") or address.query:
        stop(name, "expected smtp://user:password@host:587, or smtps:// or smtp+plain:// in its place")
    return MailServer(
        host,
        port,
        unquote(address.username or ""),
        unquote(address.password or ""),
        starts_tls=address.scheme == "smtp",
        is_tls=address.scheme == "smtps",
    )


def read_storage(name: str, folder: Path, *, key: str, secret: str) -> dict[str, object]:
    """Read where files are stored: `folder`, or `s3://bucket/prefix?endpoint=https://…&region=…`.

    `key` and `secret` are variables too; without them the key comes from where AWS' tools look for it.
    """
    text = env.str(name, "") or FOLDER
    if text == FOLDER:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder, "base_url": None},
        }
    address = urlsplit(text)
    options = dict(parse_qsl(address.query))
    if address.scheme != "s3" or set(options) - {"endpoint", "region"} or address.fragment:
        stop(name, f"expected {FOLDER}, or s3://bucket?endpoint=https://host&region=name")
    if "@" in address.netloc:
        stop(name, f"key and secret belong into {key} and {secret}")
    if not BUCKET_NAME.fullmatch(address.netloc):
        stop(name, f"{address.netloc!r} is no name for a bucket")
    endpoint = options.get("endpoint")
    if endpoint and not re.fullmatch(r"https?://[^/@\s]+/?", endpoint):
        stop(name, f"the endpoint {endpoint!r} is not like https://host:port")
    return {
        "BACKEND": "competitions.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": address.netloc,
            "location": address.path.strip("/"),
            "endpoint_url": endpoint,
            "region_name": options.get("region"),
            # Own endpoints seldom have a host name for each bucket.
            "addressing_style": "path" if endpoint else "auto",
        }
        | _read_key(key, secret),
    }


def _read_key(name: str, name_of_secret: str) -> dict[str, object]:
    key, secret = env.str(name, ""), env.str(name_of_secret, "")
    if bool(key) != bool(secret):
        missing = name_of_secret if key else name
        stop(
            missing, f"set {name} and {name_of_secret}, or neither (then AWS' own variables and files count)"
        )
    return {"access_key": key, "secret_key": secret, "security_token": None} if key else {}


def read_secret_key(name: str, data_dir: Path, *, may_generate: bool) -> str:
    """Read the secret key; on one machine it is made once and kept in the data folder.

    With a database server there may be none: workers sign nothing. The web server refuses to start without.
    """
    if (key := env.str(name, "")) or not may_generate:
        return key
    path = data_dir / "secret_key"
    if not path.exists():
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(secrets.token_urlsafe(50), encoding="ascii")
        try:
            os.link(temporary, path)
        except FileExistsError:  # another process was first; its key counts
            pass
        finally:
            temporary.unlink()
    return path.read_text(encoding="ascii")


def list_secrets(secrets_: list[object], addresses: list[str]) -> list[str]:
    """List what no log may show: the given secrets, the passwords of addresses, and AWS' own variables."""
    passwords = [urlsplit(address).password or "" for address in addresses]
    own = [env.str(name, "") for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")]
    found = [str(secret) for secret in secrets_ if secret]
    return [text for text in (*found, *passwords, *map(unquote, passwords), *own) if text]
