"""Make a competition of a file and its pictures, or bring one to what the file says; wholly or not at all."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction

from accounts.models import User
from competitions.errors import InvalidDataset, InvalidFile, InvalidInput, LockedSince, UploadTooLarge
from competitions.models import Competition, Draft
from competitions.selectors.competition_files import (
    DifferenceView,
    competition_file,
    data_files,
    dataset_of,
    difference,
)
from competitions.selectors.drafts import TEXTS, get_draft
from competitions.services import drafts
from competitions.services.intake import MAX_ENTRIES, Prepared, keep_prepared, prepare
from competitions.setting_up import PhaseLimits, Window, check_limits, check_windows
from competitions.storage import open_file
from evaluation.competition_files.reading import InvalidCompetitionFile, problem_at, read_file
from evaluation.competition_files.schema import (
    COMPETITION_FILE,
    CREDITS_PAGE,
    DATA_FOLDER,
    CompetitionFile,
    Phase,
)
from evaluation.competition_files.writing import write_file
from evaluation.errors import InvalidArchive, InvalidSuite
from evaluation.intake.packed import folder_files, packed_files
from evaluation.spec import load_suite
from evaluation.zips.rules import ArchiveLimits

PREFIX = f"{DATA_FOLDER}/"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # equal competitions make equal zip files

Files = Iterable[tuple[str, bytes]]


def write_zip(*, slug: str, user: User, target: IO[bytes]) -> None:
    """Write a competition that the user organizes as a zip: the file, and all pictures, hidden ones too.

    Raises:
        NotFound: the user does not organize such a competition.
        IllegalTransition: no file can say what its phases are.
    """
    text = write_file(competition_file(slug, user))
    version = dataset_of(slug, user)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        _pack(packed, COMPETITION_FILE, text.encode())
        for name, content in data_files(version) if version else ():
            if isinstance(content, bytes):
                _pack(packed, PREFIX + name, content)
                continue
            with open_file(content) as picture:
                _pack(packed, PREFIX + name, picture.read())


def check_file(*, content: bytes, user: User, slug: str = "") -> DifferenceView:
    """Read a competition file and say what an import would change; nothing is written.

    `slug`: refuse a file of another competition.

    Raises:
        InvalidFile: `fields` has a line and what was expected for each field that is wrong.
        IllegalTransition: no file changes this competition.
    """
    return difference(_read(content, slug), user)


def import_zip(*, user: User, content: IO[bytes], size: int, slug: str = "") -> DifferenceView:
    """Import a zip of competition.toml and the folder `data`; see `import_files`."""
    limit = settings.MAX_ARCHIVE_MB * 2**20
    if size > limit:
        raise UploadTooLarge(
            f"The file has {size / 2**20:.1f} MB; the limit is {settings.MAX_ARCHIVE_MB} MB."
        )
    limits = ArchiveLimits(packed=limit, unpacked=4 * limit, entries=MAX_ENTRIES)
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        content.seek(0)
        shutil.copyfileobj(content, file, 2**20)
        file.flush()
        try:
            text = next((data for name, data in packed_files(file, limits) if name == COMPETITION_FILE), None)
            return import_files(user=user, text=text, files=packed_files(file, limits), slug=slug)
        except InvalidArchive as error:
            raise InvalidFile(error.message, fix=error.fix, fields={"rule": error.reason}) from error


def import_folder(*, user: User, folder: Path) -> DifferenceView:
    """Import a folder with competition.toml and the folder `data`; see `import_files`."""
    file = folder / COMPETITION_FILE
    text = file.read_bytes() if file.is_file() else None
    return import_files(user=user, text=text, files=folder_files(folder))


def import_files(*, user: User, text: bytes | None, files: Files, slug: str = "") -> DifferenceView:
    """Make the competition that a file describes, or change it to that; return what was changed.

    `slug`: refuse a file of another competition.

    Raises:
        InvalidFile: the file is missing or wrong; `fields` tells line and field.
        LockedSince: it changes what stays as it is after publishing; `fields` names all of that.
        InvalidDataset: the pictures give no dataset, or another one than the file names.
        QuotaExceeded, InvalidInput, ValidationError: as from the pages for setting up.
    """
    if text is None:
        raise InvalidFile(
            f"There is no {COMPETITION_FILE}.", fix="It stands at the top, beside the folder data."
        )
    file = _read(text, slug)
    found = difference(file, user)
    if found.locked:
        told = {one.field: f"{one.before} -> {one.after}" for one in found.locked}
        raise LockedSince(f"Locked since publishing: {', '.join(told)}.", fields=told)
    if found.is_new and Competition.objects.filter(slug=file.competition.slug).exists():
        raise _problem(text, ("competition", "slug"), "this address is taken by another competition.")
    with _prepared(file, text, files, found, user) as prepared, transaction.atomic():
        _apply(file, found, user, prepared)
    return found


def _read(content: bytes, slug: str = "") -> CompetitionFile:
    try:
        file = read_file(content)
    except InvalidCompetitionFile as error:
        raise InvalidFile(error.message, fix=error.fix, fields=error.problems) from error
    if slug not in ("", file.competition.slug):
        raise _problem(
            content, ("competition", "slug"), f"expected {slug!r}, the address that it was sent to."
        )
    if file.task:
        try:
            suite = load_suite(file.task.suite)
        except InvalidSuite as error:
            raise _problem(content, ("task", "suite"), f"{error.message} {error.fix}") from error
        if file.task.digest not in (None, suite.digest):
            raise _problem(
                content, ("task", "digest"), f"this instance's {suite.id} has the digest {suite.digest}."
            )
    _check_rules(file, content)
    return file


def _check_rules(file: CompetitionFile, content: bytes) -> None:
    """Hold the file to the rules of the pages, and say in which line it breaks one."""
    phases = list(file.phases or ())
    for number, phase in enumerate(phases):
        if phase.slug and phase.slug in {earlier.slug for earlier in phases[:number]}:
            raise _problem(content, ("phases", number, "slug"), "expected an address of its own.")
    try:
        if phases:
            check_windows([_window(phase) for phase in phases])
        if file.limits:
            check_limits(PhaseLimits(**file.limits.model_dump()))
    except InvalidInput as error:
        name, detail = next(iter(error.fields.items()))
        field = ("phases", int(name), detail) if name.isdecimal() else ("limits", name)
        raise _problem(content, field, f"{error.message} {error.fix}") from error
    if phases != sorted(phases, key=lambda phase: phase.opens_at):
        raise _problem(content, ("phases", 0), "expected the phases in the order in which they open.")


def _problem(content: bytes, field: tuple[str | int, ...], sentence: str) -> InvalidFile:
    error = problem_at(content, field, sentence)
    return InvalidFile(error.message, fix=error.fix, fields=error.problems)


@contextmanager
def _prepared(
    file: CompetitionFile, text: bytes, files: Files, found: DifferenceView, user: User
) -> Iterator[Prepared | None]:
    """Look at the pictures before anything is written, for that takes long; None where the same ones are there."""
    is_needed = file.data is not None and (
        file.data.digest is None or any(change.field == "data.digest" for change in found.changes)
    )
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="data-") as work:
        credits: list[str] = []
        pictures = _pictures(files, credits)
        if file.data is None:
            if next(pictures, None) is not None:
                raise _problem(text, ("data",), "there is a folder data; expected a section [data].")
            yield None
            return
        if not is_needed:
            yield None
            return
        suite = load_suite(file.task.suite) if file.task else None
        side = suite or (None if found.is_new else get_draft(file.competition.slug, user).suite)
        if side is None:
            raise _problem(
                text, ("data",), "expected a section [task]: it says how large pictures have to be."
            )
        prepared = prepare(pictures, side.size, Path(work))
        _check_usable(prepared)
        yield replace(prepared, credits="".join(credits))


def _pictures(files: Files, credits: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files below `data`; other files are refused by name, and the page of sources is put aside."""
    for name, content in files:
        if name.lower() == f"{PREFIX}{CREDITS_PAGE}":
            credits.append(content.decode("utf-8", "replace"))
        elif name.startswith(PREFIX):
            yield name.removeprefix(PREFIX), content
        elif name != COMPETITION_FILE and not name.startswith(("__MACOSX/", ".", "README")):
            raise InvalidFile(
                f"The file {name!r} is not known; expected {COMPETITION_FILE} and the folder {DATA_FOLDER}.",
                fix="Leave it out, or put pictures into the folder data.",
            )


def _check_usable(prepared: Prepared) -> None:
    fatal = [found for found in prepared.found.report.findings if found.kind.weight == "fatal"]
    if fatal:
        first = fatal[0]
        told = {found.code: f"{found.file} {found.detail}".strip() for found in fatal}
        raise InvalidDataset(first.kind.sentence, fix=first.kind.advice, fields=told)


def _apply(file: CompetitionFile, found: DifferenceView, user: User, prepared: Prepared | None) -> None:
    """Save the steps that change, in the order in which they need each other."""
    slug, changed = file.competition.slug, {change.section for change in found.changes}
    texts = {name: getattr(file.competition, name) for name in TEXTS}
    if found.is_new:
        drafts.start_draft(user=user, slug=slug, texts=texts)
    elif "competition" in changed:
        drafts.save_basics(slug=slug, user=user, texts=texts)
    if file.task and "task" in changed:
        drafts.save_task(slug=slug, user=user, suite=file.task.suite)
    if prepared:
        draft = keep_prepared(Draft.objects.get(competition__slug=slug), prepared)
        _check_digest(file, draft)
    if file.phases and "phases" in changed:
        drafts.save_dates(slug=slug, user=user, windows=[_window(phase) for phase in file.phases])
    if file.limits and "limits" in changed:
        drafts.save_limits(slug=slug, user=user, limits=PhaseLimits(**file.limits.model_dump()))
    state = get_draft(slug, user)
    if state.is_listed != file.competition.is_listed:
        drafts.save_people(
            slug=slug, user=user, usernames=state.organizers, is_listed=file.competition.is_listed
        )


def _window(phase: Phase) -> Window:
    return Window(phase.title, phase.opens_at, phase.closes_at, phase.slug or "", phase.finals_per_team)


def _check_digest(file: CompetitionFile, draft: Draft) -> None:
    named = file.data.digest if file.data else None
    made = draft.dataset_version.digest if draft.dataset_version else ""
    if named not in (None, made):
        raise InvalidDataset(
            f"The pictures give the dataset {made[:12]}, and the file names {named[:12] if named else ''}.",
            fix="Send the pictures of the export, or take data.digest out if they were changed on purpose.",
            fields={"data.digest": made},
        )


def _pack(packed: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, LONG_AGO)
    info.external_attr = 0o100644 << 16
    packed.writestr(info, content)
