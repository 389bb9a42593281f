"""Read environment variables; a wrong value stops the process naming the variable and what was expected."""

import os
import secrets
import sys
from pathlib import Path
from typing import NoReturn

import dj_database_url
from environs import Env, EnvValidationError, validate

from config import broker

env = Env()


def stop(variable: str, expected: str) -> NoReturn:
    """End the process with one line that names the variable and what was expected."""
    sys.exit(f"Environment variable {variable} is wrong: {expected}.")


def read_str(name: str, default: str) -> str:
    """Read a text."""
    return env.str(name, default)


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
        return dict(dj_database_url.parse(text))
    except ValueError as error:
        stop(name, f"not a database address ({error})")


def read_broker(name: str) -> str:
    """Read a broker address: `redis://…`, `rediss://…`, or the default, a folder in the data folder."""
    text = env.str(name, broker.URL)
    if not text.startswith(("redis://", "rediss://")) and text != broker.URL:
        stop(name, f"expected redis://host:port/number, rediss://… or {broker.URL}")
    return text


def read_secret_key(name: str, data_dir: Path, *, may_generate: bool) -> str:
    """Read the secret key; on one machine it is made once and kept in the data folder."""
    if key := env.str(name, ""):
        return key
    if not may_generate:
        stop(name, "expected a long random text, the same for every process, when a database server is used")
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
