"""Many files are looked at by a worker: the same report, nothing half kept, and no worker's loss is final."""

import json
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from competitions.errors import CompetitionError, IllegalTransition, NotFound
from competitions.models import (
    Artifact,
    Competition,
    Dataset,
    DatasetVersion,
    DataSurvey,
    Draft,
    Outbox,
    Upload,
)
from competitions.selectors.surveys import SurveyView, survey_of
from competitions.services import drafts, surveys, uploads
from competitions.services.intake import take_in_folder, take_in_zip
from evaluation.images import encode_png
from evaluation.intake.example import example_zip
from tests.competitions.many_pictures import N_SMALL, many_files, many_pictures
from tests.competitions.test_drafts import TEXTS
from tests.conftest import smooth_image
from workers.tasks import look_at_data

Send = Callable[..., bool]


@pytest.fixture
def send(organizer: User) -> Send:
    """A competition whose suite is chosen, and a function that hands pictures in for it."""

    def hand_in(data: bytes, slug: str = "new") -> bool:
        if not Competition.objects.filter(slug=slug).exists():
            drafts.start_draft(user=organizer, slug=slug, texts=TEXTS)
            drafts.save_task(slug=slug, user=organizer, suite="sts-demo-2")
        return surveys.hand_in_zip(slug=slug, user=organizer, content=BytesIO(data), size=len(data))

    return hand_in


def refusal(action: Callable[[], object]) -> CompetitionError:
    with pytest.raises(CompetitionError) as caught:
        action()
    return caught.value


def seen(organizer: User, slug: str = "new") -> SurveyView:
    found = survey_of(slug, organizer)
    assert found is not None
    return found


def be_silent(seconds: int) -> None:
    """Have the last sign lie further back."""
    DataSurvey.objects.update(seen_at=F("seen_at") - timedelta(seconds=seconds))


def damaged() -> bytes:
    """Return a zip with a file that does not unpack, behind many that do."""
    return many_pictures().replace(b"IDAT", b"XDAT", 1)


def test_few_files_are_looked_at_at_once(send: Send, organizer: User) -> None:
    assert send(example_zip()) is True
    assert survey_of("new", organizer) is None
    assert DatasetVersion.objects.get().pairs.count() == 5
    assert not Upload.objects.exists()


def test_pictures_are_stored_one_by_one_and_a_worker_may_end_meanwhile(send: Send) -> None:
    assert send(many_pictures()) is False
    assert surveys.look(is_ending=Artifact.objects.exists) is True
    assert Artifact.objects.count() == 1
    assert DataSurvey.objects.get().state == DataSurvey.State.WAITING
    assert not DatasetVersion.objects.exists()
    assert look_at_data() is True
    assert DatasetVersion.objects.get().pairs.count() == 5


def test_pictures_that_no_pair_names_are_not_stored(send: Send) -> None:
    target = BytesIO()
    labels = {"split": "hidden", "culture": "North", "content_kind": "waves"}
    rows = [
        {"id": f"p{n}", "content": f"{n}.png", "style": f"{n + 1}.png", "style_family": f"f{n}", **labels}
        for n in (0, 2)
    ]
    with zipfile.ZipFile(target, "w") as packed:
        for n in range(surveys.FEW_FILES + 1):
            packed.writestr(f"{n}.png", encode_png(smooth_image(n, 256)))
        packed.writestr("pairs.json", json.dumps({"schema": 1, "size": 256, "pairs": rows}))
    assert send(target.getvalue()) is False
    assert look_at_data() is True
    pairs = DatasetVersion.objects.get().pairs.all()
    used = {image.sha256 for pair in pairs for image in (pair.content, pair.style)}
    assert len(used) == 4
    stored = set(Artifact.objects.values_list("sha256", flat=True))
    assert stored - used == set(Draft.objects.get().report["thumbnails"].values())


def test_many_files_get_the_same_report_from_a_worker(send: Send, organizer: User) -> None:
    assert send(many_pictures()) is False
    assert Draft.objects.get().report == {}
    view = seen(organizer)
    assert (view.state, view.files_done, view.files_total) == ("waiting", 0, len(many_files()))
    assert Outbox.objects.filter(topic="survey").count() == 1
    assert look_at_data() is True
    assert survey_of("new", organizer) is None
    by_worker = Draft.objects.get()
    assert by_worker.dataset_version is not None
    assert by_worker.report["n_files"] == N_SMALL + 6
    data = many_pictures()
    at_once = take_in_zip(slug="new", user=organizer, content=BytesIO(data), size=len(data))
    at_once.refresh_from_db()
    assert at_once.report == by_worker.report
    assert at_once.dataset_version == by_worker.dataset_version
    assert look_at_data() is False


def test_the_files_are_gone_afterwards(send: Send) -> None:
    send(many_pictures())
    folder = f"uploads/{Upload.objects.get().pk}"
    assert default_storage.listdir(folder)[1]
    surveys.look()
    assert Upload.objects.get().state == "deleted"
    assert not default_storage.exists(folder)


def test_no_other_files_are_taken_meanwhile(send: Send, organizer: User, tmp_path: Path) -> None:
    send(many_pictures())
    User.objects.update(is_staff=True)
    organizer.refresh_from_db()
    data = example_zip()
    ways: list[Callable[[], object]] = [
        lambda: send(many_pictures()),
        lambda: send(data),
        lambda: take_in_zip(slug="new", user=organizer, content=BytesIO(data), size=len(data)),
        lambda: take_in_folder(slug="new", user=organizer, folder=tmp_path),
    ]
    for way in ways:
        error = refusal(way)
        assert isinstance(error, IllegalTransition)
        assert "being looked at already" in error.message
        assert error.fix
    assert Upload.objects.count() == 1
    assert send(many_pictures(), "other") is False


def test_what_breaks_a_rule_is_refused_with_its_name_and_leaves_nothing(send: Send, organizer: User) -> None:
    assert send(damaged()) is False
    surveys.look()
    view = seen(organizer)
    assert view.problem is not None
    assert (view.is_live, view.problem.code) == (False, "INVALID_DATASET")
    assert view.problem.fields == {"rule": "CORRUPT_DATA"}
    assert Draft.objects.get().report == {}
    assert not Dataset.objects.exists()
    assert Upload.objects.get().state == "deleted"
    assert send(example_zip()) is True
    assert survey_of("new", organizer) is None


def test_a_lost_worker_is_noticed_and_another_one_takes_over(send: Send, organizer: User) -> None:
    send(many_pictures())
    DataSurvey.objects.update(state="running", fence=1)
    assert not seen(organizer).is_lost
    assert isinstance(refusal(lambda: surveys.start_again(slug="new", user=organizer)), IllegalTransition)
    assert surveys.look() is False
    be_silent(200)
    assert seen(organizer).is_lost
    surveys.start_again(slug="new", user=organizer)
    assert seen(organizer).state == "waiting"
    assert surveys.look() is True
    assert Draft.objects.get().dataset_version is not None


def test_a_worker_that_has_to_stop_leaves_the_files_to_the_next_one(send: Send, organizer: User) -> None:
    send(many_pictures())
    Outbox.objects.all().delete()
    files = iter([False] * 5)
    assert surveys.look(is_ending=lambda: next(files, True)) is True
    assert (seen(organizer).state, seen(organizer).files_done) == ("waiting", 0)
    assert Outbox.objects.filter(topic="survey").count() == 1
    assert not Dataset.objects.exists()
    assert look_at_data() is True
    assert Dataset.objects.exists()


@pytest.mark.parametrize("meddler", ["stop", "another worker"])
def test_a_worker_whose_survey_was_taken_away_writes_nothing(
    send: Send, organizer: User, meddler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveys, "SIGN_SECONDS", 0)
    send(many_pictures())
    with in_the_middle(lambda: take_away(meddler, organizer)):
        assert surveys.look() is True
    assert Draft.objects.get().report == {}
    assert not Dataset.objects.exists()
    assert Upload.objects.get().state == ("deleted" if meddler == "stop" else "finished")


def take_away(meddler: str, organizer: User) -> None:
    if meddler == "stop":
        surveys.stop(slug="new", user=organizer)
    else:
        DataSurvey.objects.update(fence=F("fence") + 1)


def in_the_middle(action: Callable[[], None]) -> AbstractContextManager[None]:
    """Do something when the worker is about to tell for the third time how far it is."""
    n = 0

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal n
        if sql.startswith("UPDATE") and "files_done" in sql:
            n += 1
            if n == 4:
                action()
        return execute(sql, *rest)

    return connection.execute_wrapper(watch)


def test_publishing_meanwhile_ends_it_with_the_reason(send: Send, organizer: User) -> None:
    send(many_pictures())
    Competition.objects.update(is_published=True)
    surveys.look()
    problem = seen(organizer).problem
    assert problem is not None
    assert "published" in problem.message
    assert not Dataset.objects.exists()


def test_it_is_told_when_no_worker_takes_the_files(send: Send, organizer: User) -> None:
    send(many_pictures())
    send(many_pictures(), "other")
    assert not seen(organizer).is_untaken
    be_silent(40)
    for slug, n_before in (("new", 0), ("other", 1)):
        assert (seen(organizer, slug).n_before, seen(organizer, slug).is_untaken) == (n_before, True)
    surveys.start_again(slug="other", user=organizer)
    assert not seen(organizer, "other").is_untaken
    DataSurvey.objects.filter(draft__competition__slug="new").update(state="running", seen_at=Now())
    DataSurvey.objects.exclude(state="running").update(seen_at=timezone.now() - timedelta(minutes=1))
    assert (seen(organizer, "other").n_before, seen(organizer, "other").is_untaken) == (1, False)


def test_a_lost_message_is_sent_again_once(send: Send) -> None:
    assert surveys.ask_if_waiting() is False
    send(many_pictures())
    Outbox.objects.all().delete()
    for _ in range(3):
        assert surveys.ask_if_waiting() is True
    assert Outbox.objects.filter(topic="survey").count() == 1


def test_files_that_nobody_took_expire_with_their_survey(send: Send, organizer: User) -> None:
    send(many_pictures())
    Upload.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    uploads.sweep()
    assert survey_of("new", organizer) is None


def test_strangers_neither_see_nor_stop_nor_start_it(send: Send, stranger: User) -> None:
    send(many_pictures())
    for action in (surveys.stop, surveys.start_again):
        assert isinstance(refusal(lambda action=action: action(slug="new", user=stranger)), NotFound)  # type: ignore[misc]
    assert isinstance(refusal(lambda: survey_of("new", stranger)), NotFound)
    assert DataSurvey.objects.get().state == "waiting"
