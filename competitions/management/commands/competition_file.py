"""Competitions as files from a shell: `manage.py competition_file export|diff|import ... --by USER`."""

import zipfile
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from competitions.management.refusals import as_command_errors, find_user
from competitions.selectors.competition_files import DifferenceView
from competitions.services.competition_files import check_file, import_folder, import_zip, write_zip
from evaluation.competition_files.schema import COMPETITION_FILE


class Command(BaseCommand):
    """Hand everything to the services, in the name of an organizer or of staff."""

    help = "Export a competition with its pictures as a zip; compare or import a folder or a zip"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one of three actions."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        export = actions.add_parser("export", help="write a zip; hidden pictures are in it")
        export.add_argument("slug")
        export.add_argument("--out", type=Path, required=True, metavar="FILE.zip")
        diff = actions.add_parser("diff", help="show what an import would change")
        importing = actions.add_parser(
            "import", help="make a competition, or change it; wholly or not at all"
        )
        for each in (diff, importing):
            each.add_argument("path", type=Path, help="a folder with competition.toml, or a zip of one")
        for each in (export, diff, importing):
            each.add_argument("--by", required=True, metavar="USER", help="an organizer, or staff")

    def handle(self, *, action: str, by: str, **options: object) -> None:
        """Do one thing and say what came of it."""
        with as_command_errors():
            self.stdout.write(_ACTIONS[action](find_user(by), options))


def _export(user: User, options: dict[str, object]) -> str:
    out = Path(str(options["out"]))
    try:
        with out.open("xb") as target:
            write_zip(slug=str(options["slug"]), user=user, target=target)
    except OSError as error:
        raise CommandError(
            f"INVALID_INPUT: {out} cannot be written: {error.strerror}. Name a new file."
        ) from error
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return f"{out}: keep it where only organizers read"


def _diff(user: User, options: dict[str, object]) -> str:
    return _told(check_file(content=_text(Path(str(options["path"]))), user=user))


def _import(user: User, options: dict[str, object]) -> str:
    path = Path(str(options["path"]))
    if path.is_dir():
        return _told(import_folder(user=user, folder=path))
    with _opened(path) as content:
        return _told(import_zip(user=user, content=content, size=path.stat().st_size))


def _text(path: Path) -> bytes:
    try:
        if path.is_dir():
            return (path / COMPETITION_FILE).read_bytes()
        with zipfile.ZipFile(path) as packed:
            return packed.read(COMPETITION_FILE)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise CommandError(f"INVALID_INPUT: {path} holds no {COMPETITION_FILE} at its top.") from error


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"INVALID_INPUT: {path} cannot be read: {error.strerror}.") from error


def _told(found: DifferenceView) -> str:
    rows = [
        f"{one.field}: {one.before or '-'} -> {one.after or '-'}{f' ({one.freedom})' if one.freedom else ''}"
        for one in found.changes
    ]
    head = f"/c/{found.slug}/: {'new' if found.is_new else f'{len(rows)} changes'}"
    return "\n".join([head, *rows])


_ACTIONS: dict[str, Callable[[User, dict[str, object]], str]] = {
    "export": _export,
    "diff": _diff,
    "import": _import,
}
