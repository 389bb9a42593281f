"""Look at the files of a competition: few at once, many by a worker, so that no request waits for them."""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import IO, BinaryIO, cast
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import User
from competitions.clock import in_seconds
from competitions.errors import CompetitionError, IllegalTransition, NotFound, StaleFence, UploadClosed
from competitions.models import DataSurvey, Draft, Outbox, Upload
from competitions.parts import PART_BYTES
from competitions.selectors.drafts import get_draft_row
from competitions.selectors.surveys import check_nobody_looks, survey_view
from competitions.selectors.uploads import HOURS, finished_upload, parts_of
from competitions.services import outbox
from competitions.services.intake import (
    Files,
    keep_prepared,
    open_for_data,
    prepared_zip,
    store_pictures,
    take_in_zip,
    zip_limits,
)
from competitions.services.uploads import (
    Part,
    UploadPlan,
    delete_upload,
    finish_upload,
    put_part,
    start_upload,
)
from evaluation.errors import InvalidArchive
from evaluation.zips.directory import count_files

# What is looked at within the request: a few seconds.
FEW_FILES, FEW_BYTES = 30, 20 * 2**20
SIGN_SECONDS = 1

State = DataSurvey.State


def hand_in_zip(*, slug: str, user: User, content: IO[bytes], size: int) -> bool:
    """Take a zip in at once where it is small, else keep it for a worker; say whether its report is there.

    Raises:
        UploadQuotaExceeded: the user's other uploads leave no room.
        NotFound, InvalidDataset, UploadTooLarge, IllegalTransition: as `take_in_zip`.
    """
    draft = open_for_data(slug, user, size)
    n_files = _many(content, size)
    if not n_files:
        take_in_zip(slug=slug, user=user, content=content, size=size)
        return True
    upload = _keep(user, content, size)
    try:
        _ask(draft, upload, n_files)
    except CompetitionError:
        delete_upload(upload_id=upload.pk, user=user)
        raise
    return False


def hand_in_upload(*, slug: str, user: User, upload_id: UUID) -> bool:
    """Take an upload in as `hand_in_zip` does a zip; a worker who looks at its files throws it away in the end.

    Raises:
        NotFound: there is no such upload, or the user does not organize such a competition.
        WrongKind, UploadClosed: it was announced as something else, or is not finished.
        InvalidDataset, UploadTooLarge, IllegalTransition: as `take_in_zip`.
    """
    upload = finished_upload(upload_id, user, Upload.Kind.DATASET)
    with parts_of(upload.pk) as content:
        draft = open_for_data(slug, user, upload.size)
        n_files = _many(content, upload.size)
        if not n_files:
            take_in_zip(slug=slug, user=user, content=content, size=upload.size)
            return True
    _ask(draft, upload, n_files)
    return False


@transaction.atomic
def start_again(*, slug: str, user: User) -> None:
    """Give a survey whose worker is lost to another one.

    Raises:
        NotFound: the user does not organize such a competition.
        IllegalTransition: nothing is under way, or its worker is at it.
    """
    draft = _locked(get_draft_row(slug, user))
    found = survey_view(draft)
    if found is None or not (found.is_lost or found.is_untaken):
        raise IllegalTransition(
            "Nothing is lost: no files wait, or a worker is at them.", fix="Reload the page."
        )
    DataSurvey.objects.filter(draft=draft).update(
        state=State.WAITING, fence=F("fence") + 1, files_done=0, asked_at=Now(), seen_at=Now()
    )
    outbox.promise_survey()


def stop(*, slug: str, user: User) -> None:
    """Throw the files away that are being looked at, or that were refused; the dataset before stays.

    Raises:
        NotFound: the user does not organize such a competition.
    """
    with transaction.atomic():
        draft = _locked(get_draft_row(slug, user))
        survey = DataSurvey.objects.select_related("upload__user").filter(draft=draft).first()
        if survey is None:
            return
        survey.delete()
    _discard(survey.upload)


def look(*, is_ending: Callable[[], bool] = lambda: False) -> bool:
    """Take the survey that has waited longest and carry it out; say whether there was one.

    `is_ending`: whether the worker has to stop; the survey waits for another one then.
    """
    survey = _take()
    if survey is None:
        return False
    try:
        _carry_out(survey, is_ending)
    except StaleFence:  # stopped, or given to another worker
        return True
    except _Ending:
        _hand_back(survey)
        return True
    except CompetitionError as error:
        problem = {"code": error.code, "message": error.message, "fix": error.fix, "fields": error.fields}
        refused = {"state": State.REFUSED, "problem": problem}
        if not DataSurvey.objects.filter(pk=survey.pk, fence=survey.fence).update(**refused):
            return True
    _discard(survey.upload)
    return True


def ask_if_waiting() -> bool:
    """Tell a worker where surveys wait, so that a lost message is made good; say whether any do."""
    if not DataSurvey.objects.filter(state=State.WAITING).exists():
        return False
    if not Outbox.objects.filter(topic=Outbox.Topic.SURVEY).exists():
        with transaction.atomic():
            outbox.promise_survey()
    return True


def _many(content: IO[bytes], size: int) -> int:
    """Count the files of a zip that are too many for a request; none where they are few, or cannot be counted."""
    try:
        n_files, n_bytes = count_files(cast(BinaryIO, content), size, zip_limits())
    except InvalidArchive:  # which is soon said
        return 0
    return n_files if n_files > FEW_FILES or n_bytes > FEW_BYTES else 0


def _keep(user: User, content: IO[bytes], size: int) -> Upload:
    """Put the zip where uploads lie that come in parts: workers reach it there, and what is forgotten expires."""
    whole = hashlib.sha256()
    content.seek(0)
    while piece := content.read(PART_BYTES):
        whole.update(piece)
    upload = start_upload(user=user, plan=UploadPlan(Upload.Kind.DATASET, size, whole.hexdigest()))
    content.seek(0)
    for offset in range(0, size, PART_BYTES):
        piece = content.read(PART_BYTES)
        part = Part(offset, piece, hashlib.sha256(piece).hexdigest())
        put_part(upload_id=upload.pk, user=user, part=part)
    return finish_upload(upload_id=upload.pk, user=user)


@transaction.atomic
def _ask(draft: Draft, upload: Upload, n_files: int) -> None:
    locked = _locked(draft)
    check_nobody_looks(locked)
    held = Upload.objects.filter(pk=upload.pk, state=Upload.State.FINISHED)
    if not held.update(expires_at=in_seconds(HOURS * 3600)):
        raise UploadClosed("This upload was deleted meanwhile.")
    DataSurvey.objects.filter(draft=locked).delete()
    DataSurvey.objects.create(draft=locked, upload=upload, files_total=n_files, asked_at=Now(), seen_at=Now())
    outbox.promise_survey()


def _take() -> DataSurvey | None:
    """Hold the survey that has waited longest; of two workers one gets it."""
    waiting = DataSurvey.objects.filter(state=State.WAITING).order_by("asked_at", "pk")
    for survey in waiting.select_related("draft__competition", "upload__user"):
        held = DataSurvey.objects.filter(pk=survey.pk, state=State.WAITING, fence=survey.fence)
        if held.update(state=State.RUNNING, fence=F("fence") + 1, files_done=0, seen_at=Now()):
            survey.fence += 1
            return survey
    return None


class _Ending(Exception):  # noqa: N818
    """The worker has to stop."""


def _carry_out(survey: DataSurvey, is_ending: Callable[[], bool]) -> None:
    told = 0.0

    def go_on(done: int) -> None:
        nonlocal told
        if is_ending():
            raise _Ending
        if time.monotonic() - told >= SIGN_SECONDS:
            _give_sign(survey, done)
            told = time.monotonic()

    def watch(files: Files) -> Iterator[tuple[str, bytes]]:
        for done, file in enumerate(files):
            go_on(done)
            yield file

    with parts_of(survey.upload_id) as content, prepared_zip(survey.draft, content, watch) as prepared:
        for _ in store_pictures(prepared):
            go_on(survey.files_total)
        _give_sign(survey, survey.files_total)
        with transaction.atomic():
            draft = _locked(survey.draft)
            if not DataSurvey.objects.filter(pk=survey.pk, fence=survey.fence).delete()[0]:
                raise StaleFence
            keep_prepared(draft, prepared)


@transaction.atomic
def _hand_back(survey: DataSurvey) -> None:
    held = DataSurvey.objects.filter(pk=survey.pk, fence=survey.fence)
    if held.update(state=State.WAITING, files_done=0, seen_at=Now()):
        outbox.promise_survey()


def _give_sign(survey: DataSurvey, files_done: int) -> None:
    """Tell how far it is.

    Raises:
        StaleFence: it was stopped, or given to another worker.
    """
    held = DataSurvey.objects.filter(pk=survey.pk, fence=survey.fence)
    if not held.update(files_done=files_done, seen_at=Now()):
        raise StaleFence


def _locked(draft: Draft) -> Draft:
    return Draft.objects.select_for_update(of=("self",)).select_related("competition").get(pk=draft.pk)


def _discard(upload: Upload) -> None:
    """Throw the zip away, unless it has expired meanwhile, or is looked at for another competition too."""
    try:
        delete_upload(upload_id=upload.pk, user=upload.user)
    except (NotFound, UploadClosed):
        return
