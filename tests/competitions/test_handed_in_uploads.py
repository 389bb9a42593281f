"""An upload is handed in as pictures: the same rule as on the page, and nobody takes it from the worker."""

import io
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from competitions import parts
from competitions.errors import IllegalTransition, InvalidDataset, NotFound, UploadClosed, WrongKind
from competitions.models import Competition, DatasetVersion, DataSurvey, Draft, Upload
from competitions.selectors.surveys import data_of
from competitions.selectors.uploads import parts_of
from competitions.services import drafts, surveys, uploads
from competitions.services.uploads import Part, UploadPlan
from evaluation.intake.example import example_zip
from tests.competitions.many_pictures import many_files, many_pictures
from tests.competitions.test_drafts import TEXTS
from tests.competitions.test_intake import zipped
from tests.competitions.test_surveys import damaged, refusal
from tests.competitions.test_uploads import digest

HandIn = Callable[[UUID], bool]


def upload_of(user: User, data: bytes, kind: str = "dataset") -> UUID:
    """Send a file in parts."""
    upload = uploads.start_upload(user=user, plan=UploadPlan(kind, len(data), digest(data)))
    for offset in range(0, len(data), parts.PART_BYTES):
        piece = data[offset : offset + parts.PART_BYTES]
        uploads.put_part(upload_id=upload.pk, user=user, part=Part(offset, piece, digest(piece)))
    return uploads.finish_upload(upload_id=upload.pk, user=user).pk


def state_of(key: UUID) -> str:
    return Upload.objects.get(pk=key).state


@pytest.fixture
def hand_in(organizer: User) -> HandIn:
    """A competition whose suite is chosen, and a function that hands an upload in for it."""
    drafts.start_draft(user=organizer, slug="new", texts=TEXTS)
    drafts.save_task(slug="new", user=organizer, suite="sts-demo-2")
    return lambda key: surveys.hand_in_upload(slug="new", user=organizer, upload_id=key)


def test_few_files_are_looked_at_at_once_and_the_upload_stays(hand_in: HandIn, organizer: User) -> None:
    data = example_zip()
    key = upload_of(organizer, data)
    assert hand_in(key) is True
    found = data_of("new", organizer)
    assert found.report is not None
    assert (found.report.sha256, found.report.n_hidden, found.survey) == (digest(data), 4, None)
    assert state_of(key) == "finished"


def test_many_files_are_left_to_a_worker_who_throws_the_upload_away(hand_in: HandIn, organizer: User) -> None:
    data = many_pictures()
    key = upload_of(organizer, data)
    Upload.objects.update(expires_at=timezone.now() + timedelta(minutes=5))
    assert hand_in(key) is False
    found = data_of("new", organizer)
    assert (found.report, found.survey and found.survey.sha256) == (None, digest(data))
    assert found.survey is not None
    assert (found.survey.state, found.survey.files_total) == ("waiting", len(many_files()))
    assert Upload.objects.get().expires_at > timezone.now() + timedelta(hours=47)
    assert surveys.look() is True
    found = data_of("new", organizer)
    assert (found.report and found.report.sha256, found.survey) == (digest(data), None)
    assert DatasetVersion.objects.get().pairs.count() == 5
    assert state_of(key) == "deleted"
    assert not default_storage.exists(f"uploads/{key}")


def test_counting_reads_only_the_end_of_an_upload_of_several_parts(
    hand_in: HandIn, organizer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 25_000)
    key = upload_of(organizer, many_pictures())
    names = sorted(default_storage.listdir(f"uploads/{key}")[1], key=lambda name: int(name.split("-")[0]))
    assert len(names) > 3
    for name in names[1:-1]:
        default_storage.delete(f"uploads/{key}/{name}")
    assert hand_in(key) is False
    assert DataSurvey.objects.get().files_total == len(many_files())


def test_an_upload_of_several_parts_is_read_from_any_place(
    organizer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 16)
    data = bytes(range(100, 140))
    content = parts_of(upload_of(organizer, data))
    for offset in (39, 0, 15, 16, 17, 32, 40, 41):
        for length in (1, 16, 20, 100):
            content.seek(offset)
            assert content.read(length) == data[offset : offset + length]
    content.seek(10)
    assert content.read(7) + content.read() == data[10:]
    with pytest.raises(io.UnsupportedOperation):
        content.seek(-1, io.SEEK_END)


def test_few_files_with_many_bytes_are_left_to_a_worker(hand_in: HandIn, organizer: User) -> None:
    files = {f"hidden/contents/noise/{n}.png": bytes(2 * 2**20) for n in range(11)}
    assert hand_in(upload_of(organizer, zipped(files))) is False
    assert DataSurvey.objects.get().files_total == 11


def test_what_breaks_a_rule_is_refused_by_the_worker_or_at_once(hand_in: HandIn, organizer: User) -> None:
    whole = upload_of(organizer, b"no zip at all")
    assert isinstance(refusal(lambda: hand_in(whole)), InvalidDataset)
    assert state_of(whole) == "finished"
    broken = upload_of(organizer, damaged())
    assert hand_in(broken) is False
    surveys.look()
    found = data_of("new", organizer).survey
    assert found is not None
    assert found.problem is not None
    assert (found.state, found.problem.fields) == ("refused", {"rule": "CORRUPT_DATA"})
    assert state_of(broken) == "deleted"


def test_a_second_upload_is_refused_meanwhile_and_kept(hand_in: HandIn, organizer: User) -> None:
    first, second = upload_of(organizer, many_pictures()), upload_of(organizer, example_zip())
    assert hand_in(first) is False
    for key in (second, first):
        error = refusal(lambda key=key: hand_in(key))  # type: ignore[misc]
        assert isinstance(error, IllegalTransition)
        assert "being looked at already" in error.message
        assert state_of(key) == "finished"
    assert DataSurvey.objects.count() == 1


def test_only_finished_uploads_of_pictures_by_the_caller_are_taken(
    hand_in: HandIn, organizer: User, stranger: User
) -> None:
    plan = UploadPlan("dataset", 3, "0" * 64)
    begun = uploads.start_upload(user=organizer, plan=plan).pk
    for key, kind in (
        (uuid4(), NotFound),
        (upload_of(stranger, many_pictures()), NotFound),
        (upload_of(organizer, many_pictures(), "competition"), WrongKind),
        (begun, UploadClosed),
    ):
        assert isinstance(refusal(lambda key=key: hand_in(key)), kind)  # type: ignore[misc]
    own = upload_of(stranger, many_pictures())
    error = refusal(lambda: surveys.hand_in_upload(slug="new", user=stranger, upload_id=own))
    assert isinstance(error, NotFound)
    assert not DataSurvey.objects.exists()
    assert Draft.objects.get().report == {}


def test_nobody_deletes_an_upload_whose_files_are_looked_at(hand_in: HandIn, organizer: User) -> None:
    key = upload_of(organizer, many_pictures())
    hand_in(key)
    error = refusal(lambda: uploads.delete_upload(upload_id=key, user=organizer))
    assert isinstance(error, UploadClosed)
    assert error.fix
    assert surveys.look() is True
    assert Draft.objects.get().dataset_version is not None
    again = upload_of(organizer, many_pictures())
    hand_in(again)
    surveys.stop(slug="new", user=organizer)
    assert state_of(again) == "deleted"


def test_one_upload_for_two_competitions_is_kept_until_both_have_their_report(
    hand_in: HandIn, organizer: User
) -> None:
    drafts.start_draft(user=organizer, slug="other", texts=TEXTS)
    drafts.save_task(slug="other", user=organizer, suite="sts-demo-2")
    key = upload_of(organizer, many_pictures())
    hand_in(key)
    assert surveys.hand_in_upload(slug="other", user=organizer, upload_id=key) is False
    for state in ("finished", "deleted"):
        assert surveys.look() is True
        assert state_of(key) == state
    reports = [data_of(slug, organizer).report for slug in ("new", "other")]
    assert reports[0] == reports[1]
    assert Competition.objects.filter(draft__dataset_version=None).count() == 0


def test_an_upload_that_expires_takes_its_survey_along(hand_in: HandIn, organizer: User) -> None:
    key = upload_of(organizer, many_pictures())
    hand_in(key)
    Upload.objects.update(expires_at=Now() - timedelta(hours=2))
    uploads.sweep()
    found = data_of("new", organizer)
    assert (found.report, found.survey) == (None, None)
    assert surveys.look() is False
    assert isinstance(refusal(lambda: hand_in(key)), NotFound)
