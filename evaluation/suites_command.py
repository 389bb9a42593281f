"""The commands `suites verify`, `suites new-key` and `suites sign`: who may say what a score means."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from evaluation.errors import InvalidSuite
from evaluation.signatures import new_key_pair
from evaluation.spec import parse_suite
from evaluation.suite_choice import open_suite
from evaluation.suite_files import check_suite_files, write_suite


def verify_suites(file: Path | None, trusted: Sequence[Path]) -> None:
    """Check signature and content of one suite file, or of all that ship with the library.

    Raises:
        InvalidSuite: changed, signed by somebody else, or not computable.
    """
    for suite in [open_suite(_as_file(file), trusted)] if file else check_suite_files():
        click.echo(f"{suite.id}: right, digest {suite.digest}")


def write_key_pair(name: Path) -> None:
    """Write `NAME.private.pem`, readable by its owner alone, and `NAME.pem`; neither is ever overwritten.

    Raises:
        InvalidSuite: one of the files exists or cannot be written.
    """
    private, public = new_key_pair()
    secret, shared = Path(f"{name}.private.pem"), Path(f"{name}.pem")
    if shared.exists():
        raise InvalidSuite(f"{shared} exists.", fix="Choose another name.")
    _write_new(secret, private, mode=0o600)
    _write_new(shared, public, mode=0o644)
    click.echo(f"{secret}: sign suites with it, keep it to yourself, and keep a copy.")
    click.echo(f"{shared}: give it to everybody who shall trust your suites.")


def sign_file(file: Path, key: Path, folder: Path) -> None:
    """Sign a suite, given as JSON with or without an older signature, and write `<suite id>.json`.

    Raises:
        InvalidSuite: suite or key cannot be read, the suite cannot be computed, or the file exists.
    """
    fields = _read_json(file)
    inner = fields.get("suite", fields)
    suite = parse_suite(json.dumps(inner))
    try:
        path = write_suite(suite, key.read_bytes(), folder)
    except OSError as error:
        raise InvalidSuite(f"{error.filename} cannot be read or written: {error.strerror}.") from error
    click.echo(f"{path}: {suite.id}, digest {suite.digest}")


def _as_file(path: Path) -> str:
    """Return a path that is never taken for the id of a shipped suite."""
    if not path.is_file():
        raise InvalidSuite(f"There is no file {path}.")
    return str(path.absolute())


def _read_json(file: Path) -> dict[str, object]:
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSuite(f"{file.name} cannot be read: {error}.") from error
    if not isinstance(fields, dict):
        raise InvalidSuite(f"{file.name} holds no JSON object.")
    return fields


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise InvalidSuite(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
