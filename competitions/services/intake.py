"""Take in the pictures of a competition: a zip file or a folder becomes a report and, if it can be, a dataset."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction

from accounts.models import User
from competitions.errors import IllegalTransition, InvalidDataset, InvalidInput, NotAllowed, UploadTooLarge
from competitions.models import Artifact, DatasetVersion, DataSurvey, Draft
from competitions.selectors.drafts import get_draft_row, suite_of
from competitions.selectors.surveys import check_nobody_looks
from competitions.services.artifacts import store_file, store_path
from competitions.services.datasets import import_dataset
from competitions.services.drafts import settle
from competitions.setting_up import Step, check_may_change
from evaluation.errors import InvalidArchive
from evaluation.intake.layout import Credit
from evaluation.intake.packed import folder_files, packed_files
from evaluation.intake.pictures import Picture
from evaluation.intake.survey import Survey, survey
from evaluation.pairs import PAIRS_FILE
from evaluation.zips.rules import ArchiveLimits

MAX_ENTRIES = 20_000
MAX_THUMBNAILS = 100  # of pictures with findings, beside those of the preview

Files = Iterable[tuple[str, bytes]]
Watch = Callable[[Files], Files]


@dataclass(frozen=True)
class Prepared:
    """Files that were looked at: what was found, and a folder with the pictures that are usable."""

    folder: Path
    found: Survey
    credits: str = ""  # the page of sources, where it came with the files
    sha256: str = ""  # of the zip, where they came in one


def take_in_zip(*, slug: str, user: User, content: IO[bytes], size: int) -> Draft:
    """Look at every file of a zip and make a dataset of what is usable; the report is kept in any case.

    Raises:
        NotFound: the user does not organize such a competition.
        InvalidDataset: the zip file itself breaks a rule, `fields` names it; nothing is kept then.
        UploadTooLarge: it is larger than archives may be.
        IllegalTransition: the competition is published.
    """
    draft = open_for_data(slug, user, size)
    with prepared_zip(draft, content) as prepared:
        return keep_prepared(draft, prepared)


@contextmanager
def prepared_zip(draft: Draft, content: IO[bytes], watch: Watch = lambda files: files) -> Iterator[Prepared]:
    """Look at every file of a zip; what is usable lies in a folder until the end. `watch` sees the files go by.

    Raises:
        InvalidDataset: the zip file itself breaks a rule, `fields` names it.
        IllegalTransition: no suite is chosen.
    """
    side = side_of(draft)
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="data-") as folder:
        path = Path(folder) / "data.zip"
        with path.open("xb") as target:
            content.seek(0)
            shutil.copyfileobj(content, target, 2**20)
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                prepared = prepare(watch(packed_files(file, zip_limits())), side, Path(folder))
        except InvalidArchive as error:
            raise InvalidDataset(error.message, fix=error.fix, fields={"rule": error.reason}) from error
        yield replace(prepared, sha256=sha256)


def zip_limits() -> ArchiveLimits:
    """Return what a zip of pictures may hold."""
    limit = settings.MAX_ARCHIVE_MB * 2**20
    return ArchiveLimits(packed=limit, unpacked=4 * limit, entries=MAX_ENTRIES)


def take_in_folder(*, slug: str, user: User, folder: Path) -> Draft:
    """Take in a folder of the server's own disk; staff only, for it can be any folder.

    Raises:
        NotAllowed: the user is not of the staff.
        InvalidInput: there is no such folder.
    """
    draft = open_for_data(slug, user)
    if not user.is_staff:
        raise NotAllowed("Only staff can read folders of the server.")
    if not folder.is_absolute() or not folder.is_dir():
        raise InvalidInput(
            "There is no such folder on the server.", fix="Give its whole path.", fields={"folder": "?"}
        )
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="data-") as work:
        return keep_prepared(draft, prepare(folder_files(folder), side_of(draft), Path(work)))


def open_for_data(slug: str, user: User, size: int = 0) -> Draft:
    """Return the draft of a competition that can take `size` bytes of files now.

    Raises:
        NotFound: the user does not organize such a competition.
        UploadTooLarge: that is more than archives may have.
        IllegalTransition: the competition is published, has no suite, or other files are being looked at.
    """
    draft = get_draft_row(slug, user)
    check_may_change(Step.DATA, is_published=draft.competition.is_published)
    side_of(draft)
    check_nobody_looks(draft)
    if size > settings.MAX_ARCHIVE_MB * 2**20:
        raise UploadTooLarge(
            f"The file has {size / 2**20:.1f} MB; the limit is {settings.MAX_ARCHIVE_MB} MB.",
            fix="Scale the pictures down to twice the side that is scored.",
        )
    return draft


def side_of(draft: Draft) -> int:
    """Return how large the pictures have to be.

    Raises:
        IllegalTransition: no suite is chosen.
    """
    suite = suite_of(draft)
    if suite is None:
        raise IllegalTransition(
            "Choose the metric suite first: it says how large the pictures have to be.",
            fix="Complete the step “Task and metrics”, or import a competition file that names the suite.",
        )
    return suite.size


def prepare(files: Files, side: int, work: Path) -> Prepared:
    """Look at every file, and write what is usable below `work`; nothing is stored yet."""
    prepared = work / "prepared"
    (prepared / "images").mkdir(parents=True)

    def keep(picture: Picture) -> None:
        (prepared / "images" / f"{picture.sha256}.png").write_bytes(picture.png)
        digests[picture.name] = picture.sha256

    digests: dict[str, str] = {}
    found = survey(files, side, keep)
    if not found.report.is_fatal:
        _write_pairs(prepared, found, digests)
    return Prepared(prepared, found)


def store_pictures(prepared: Prepared) -> Iterator[None]:
    """Store the pictures of the pairs one by one, so that `keep_prepared` finds them and holds no lock for long."""
    if prepared.found.report.is_fatal:
        return
    rows = json.loads((prepared.folder / PAIRS_FILE).read_text(encoding="utf-8"))["pairs"]
    for name in sorted({row[role] for row in rows for role in ("content", "style")}):
        store_path(kind=Artifact.Kind.IMAGE, path=prepared.folder / name)
        yield


@transaction.atomic
def keep_prepared(draft: Draft, prepared: Prepared) -> Draft:
    """Store the report, and the dataset if one can be made.

    Raises:
        IllegalTransition: the competition is published, or other files are being looked at.
    """
    draft = Draft.objects.select_for_update(of=("self",)).select_related("competition").get(pk=draft.pk)
    check_may_change(Step.DATA, is_published=draft.competition.is_published)
    check_nobody_looks(draft)
    DataSurvey.objects.filter(draft=draft).delete()  # of earlier files, which were refused
    found = prepared.found
    told = replace(found.report, sha256=prepared.sha256)
    draft.report = told.to_json() | {"thumbnails": _store_thumbnails(found)}
    if not found.report.is_fatal:
        draft.dataset_version = _import(draft, prepared)
    draft.save()
    settle(draft)
    return draft


def _import(draft: Draft, prepared: Prepared) -> DatasetVersion:
    competition = draft.competition
    version = import_dataset(
        folder=prepared.folder,
        slug=f"{competition.slug[:48]}-{competition.pk}",  # no other competition adds versions to it
        title=competition.title,
        credits=prepared.credits or _credits_page(prepared.found),
    )
    if not version.report:
        version.report = draft.report
        version.save(update_fields=["report"])
    return version


def _write_pairs(prepared: Path, found: Survey, digests: dict[str, str]) -> None:
    rows = [
        {**row, **{role: f"images/{digests[row[role]]}.png" for role in ("content", "style")}}
        for row in found.rows
    ]
    document = {"schema": 1, "size": found.report.size, "pairs": rows}
    (prepared / PAIRS_FILE).write_text(json.dumps(document), encoding="utf-8")


def _store_thumbnails(found: Survey) -> dict[str, str]:
    """Store the small pictures that the report shows and return their digests by file name."""
    bad = [row.file for row in found.report.findings if row.file in found.thumbnails][:MAX_THUMBNAILS]
    return {
        name: store_file(kind=Artifact.Kind.IMAGE, content=BytesIO(found.thumbnails[name])).sha256
        for name in dict.fromkeys([*bad, *found.report.previews])
        if name in found.thumbnails
    }


def _credits_page(found: Survey) -> str:
    """List the sources of the pictures in use, without their file names: those would tell of hidden ones."""
    used = {row[role] for row in found.rows for role in ("content", "style")}
    lines = dict.fromkeys(_credit_line(found.credits[name]) for name in sorted(used) if name in found.credits)
    if not lines:
        return ""
    head = "| title | author | source | license |\n|---|---|---|---|\n"
    return head + "".join(lines)


def _credit_line(credit: Credit) -> str:
    texts = (credit.title, credit.author, credit.source, credit.license)
    cells = (" ".join(text.replace("|", "/").split())[:300] or "–" for text in texts)
    return f"| {' | '.join(cells)} |\n"
