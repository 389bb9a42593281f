"""What organizers do from a terminal: export, compare and import competition files, push pictures."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from evaluation.competition_files.reading import InvalidCompetitionFile, read_file
from evaluation.competition_files.schema import COMPETITION_FILE, DATA_FOLDER, CompetitionFile
from evaluation.errors import InvalidArchive
from evaluation.intake.packed import folder_files, packed_files
from evaluation.zips.rules import MEGABYTE, ArchiveLimits
from pastiche.errors import CheckFailed, FolderError, PasticheError
from pastiche.language import say
from pastiche.organizers import Data, Difference, DryRun
from pastiche.reading import parse
from pastiche.responses import CompetitionDetail
from pastiche.transport import Progress, Transport
from pastiche.uploads import Uploads, digest_of

LIMITS = ArchiveLimits(packed=10_000 * MEGABYTE, unpacked=40_000 * MEGABYTE, entries=100_000)
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same folder makes the same zip, so an upload can go on

Files = Iterable[tuple[str, bytes]]


class Organizing:
    """The addresses for organizers; their token needs the scope `organize`."""

    def __init__(self, transport: Transport, uploads: Uploads) -> None:
        """Keep the connection."""
        self._transport = transport
        self._uploads = uploads

    def export(self, slug: str, target: Path, progress: Progress = lambda written, size: None) -> None:
        """Write a competition to a zip file, hidden pictures included."""
        self._transport.download(_address(slug, "file"), target, progress)

    def diff(self, slug: str, text: str) -> Difference:
        """Say what an import of this competition.toml would change."""
        return parse(Difference, self._transport.post(f"{_address(slug, 'file')}diff/", {"text": text}))

    def import_zip(self, slug: str, path: Path, progress: Progress = lambda sent, size: None) -> Difference:
        """Make the competition that the zip holds, or change it to that."""
        upload = self._uploads.send(path, progress, kind="competition")
        answer = self._transport.create(_address(slug, "file"), {"upload": upload.id})
        self._discard(upload.id)
        return parse(Difference, answer)

    def push(self, slug: str, path: Path, progress: Progress = lambda sent, size: None) -> Data:
        """Give a competition that is being set up the pictures of a zip; many are then looked at by a worker.

        The same zip again meanwhile sends nothing, and gives it to another worker where the first one is lost.
        """
        sha256, found = digest_of(path), self.data(slug)
        if found.survey is not None and found.is_under_way(sha256):
            return self.restart(slug) if found.survey.is_lost else found
        upload = self._uploads.send(path, progress, kind="dataset")
        found = parse(Data, self._transport.create(_address(slug, "data"), {"upload": upload.id}))
        if not found.is_under_way(sha256):  # else it is the worker's
            self._discard(upload.id)
        return found

    def data(self, slug: str) -> Data:
        """Return what was found in the pictures, and how far a worker is with new ones."""
        return parse(Data, self._transport.get(_address(slug, "data"), {}))

    def restart(self, slug: str) -> Data:
        """Give pictures whose worker is lost, or that none takes, to another worker."""
        return parse(Data, self._transport.post(f"{_address(slug, 'data')}survey/", {}))

    def stop(self, slug: str) -> None:
        """Throw pictures away that wait, are looked at or were refused; the dataset before them stays."""
        self._transport.delete(f"{_address(slug, 'data')}survey/")

    def start_dry_run(self, slug: str) -> DryRun:
        """Send two baselines through the whole line."""
        return parse(DryRun, self._transport.create(_address(slug, "dry-run"), {}))

    def dry_run(self, slug: str) -> DryRun:
        """Return how the last dry run goes."""
        return parse(DryRun, self._transport.get(_address(slug, "dry-run"), {}))

    def publish(self, slug: str, reason: str = "") -> CompetitionDetail:
        """Show a competition to everybody; `reason` says why without a dry run, where there was none."""
        return parse(CompetitionDetail, self._transport.create(_address(slug, "publish"), {"reason": reason}))

    def _discard(self, upload_id: str) -> None:
        with suppress(PasticheError):  # it expires anyway
            self._uploads.delete(upload_id)


def read_competition(path: Path) -> tuple[CompetitionFile, str]:
    """Read the competition.toml of a folder or a zip, and return it with its text.

    Raises:
        FolderError: there is none.
        CheckFailed: it is wrong; `fields` tells lines.
    """
    content = next((data for name, data in files_of(path) if name == COMPETITION_FILE), None)
    if content is None:
        raise FolderError(
            say("{path} holds no {file}.", path=path, file=COMPETITION_FILE),
            fix=say("`pastiche competition export` makes one."),
        )
    try:
        return read_file(content), content.decode("utf-8")
    except InvalidCompetitionFile as error:
        raise CheckFailed(error.message, fix=error.fix, code=error.code, fields=error.problems) from error


def files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder or a zip; hidden ones are left out.

    Raises:
        FolderError: there is nothing of that name.
        CheckFailed: the zip breaks a rule.
    """
    if path.is_dir():
        yield from ((name, data) for name, data in folder_files(path) if not _is_hidden(name))
        return
    try:
        with path.open("rb") as file:
            yield from ((name, data) for name, data in packed_files(file, LIMITS) if not _is_hidden(name))
    except OSError as error:
        raise FolderError(
            say("{path} cannot be read: {reason}.", path=path, reason=error.strerror)
        ) from error
    except InvalidArchive as error:
        raise CheckFailed(error.message, fix=error.fix, code=error.reason) from error


@contextmanager
def zipped(files: Files) -> Iterator[Path]:
    """Yield a zip of the files, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pastiche-files-") as folder:
        path = Path(folder) / "files.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
            for name, data in files:
                info = zipfile.ZipInfo(name, LONG_AGO)
                info.external_attr = 0o100644 << 16
                packed.writestr(info, data)
        yield path


def competition_files(path: Path, *, has_data: bool) -> Iterator[tuple[str, bytes]]:
    """Yield what an import takes of a folder or a zip; the rest of a repository stays where it is."""
    for name, data in files_of(path):
        if name == COMPETITION_FILE or has_data and name.startswith(f"{DATA_FOLDER}/"):
            yield name, data


@contextmanager
def room_for_export(folder: Path) -> Iterator[Path]:
    """Yield where a zip may be written, and at the end put its files into a new folder, or over an older export.

    Raises:
        FolderError: the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / COMPETITION_FILE).is_file():
        raise FolderError(
            say("{folder} holds no {file}, so it is no export.", folder=folder, file=COMPETITION_FILE),
            fix=say("Name an empty or a new folder with --out."),
        )
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield from _renewed(folder)
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise


def _renewed(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as name:
        packed, fresh = Path(name) / "export.zip", Path(name) / "files"
        yield packed
        _unpack(packed, fresh)
        shutil.rmtree(folder / DATA_FOLDER, ignore_errors=True)
        for path in fresh.iterdir():
            path.replace(folder / path.name)


def _unpack(packed: Path, folder: Path) -> None:
    for name, data in files_of(packed):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _address(slug: str, what: str) -> str:
    return f"/competitions/{quote(slug, safe='') if slug.strip('.') else '-'}/{what}/"
