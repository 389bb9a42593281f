"""The client that pushes pictures, the API and the worker, each as it is, over a real connection."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.services import issue_token
from competitions.models import DatasetVersion, DataSurvey, Upload
from competitions.services import drafts, surveys
from evaluation.intake.example import example_zip
from pastiche.client import Client
from pastiche.errors import NetworkError, Refused
from pastiche.pushing import report_on, wait_for_worker
from pastiche.uploads import digest_of
from tests.competitions.many_pictures import many_files, many_pictures
from tests.competitions.test_drafts import TEXTS
from tests.competitions.test_surveys import damaged


@pytest.fixture
def client(live_server: LiveServer, organizer: User) -> Iterator[Client]:
    """The organizer's client, and a competition whose suite is chosen."""
    drafts.start_draft(user=organizer, slug="new", texts=TEXTS)
    drafts.save_task(slug="new", user=organizer, suite="sts-demo-2")
    with Client(live_server.url, issue_token(user=organizer, name="test")[1]) as client:
        yield client


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A zip that no request looks at."""
    path = tmp_path / "many.zip"
    path.write_bytes(many_pictures())
    return path


def uploads() -> list[str]:
    return sorted(Upload.objects.values_list("state", flat=True))


def test_few_pictures_are_reported_on_at_once_and_leave_no_upload(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "few.zip"
    path.write_bytes(example_zip())
    report = report_on(digest_of(path), client.organizing.push("new", path))
    assert (report.n_hidden, report.is_fatal) == (4, False)
    assert uploads() == ["deleted"]


def test_many_pictures_go_to_a_worker_and_their_report_comes_back(client: Client, many: Path) -> None:
    sha256 = digest_of(many)
    begun = client.organizing.push("new", many)
    assert begun.is_under_way(sha256)
    assert (begun.report, begun.survey and begun.survey.files_total) == (None, len(many_files()))
    assert uploads() == ["finished"]
    assert client.organizing.push("new", many).is_under_way(sha256)
    assert Upload.objects.count() == 1
    assert surveys.look() is True
    report = report_on(sha256, wait_for_worker(client, "new", sha256))
    assert (report.n_hidden, report.sha256) == (4, sha256)
    assert DatasetVersion.objects.get().pairs.count() == 5
    assert uploads() == ["deleted"]


def test_a_refusal_arrives_with_code_rule_and_fix(client: Client, many: Path) -> None:
    many.write_bytes(damaged())
    sha256 = digest_of(many)
    assert client.organizing.push("new", many).is_under_way(sha256)
    surveys.look()
    with pytest.raises(Refused) as refused:
        report_on(sha256, wait_for_worker(client, "new", sha256))
    assert (refused.value.code, refused.value.fields) == ("INVALID_DATASET", {"rule": "CORRUPT_DATA"})
    assert refused.value.message
    assert client.organizing.push("new", many).is_under_way(sha256)  # it was not under way any more


def test_others_that_are_under_way_refuse_a_push_and_the_upload_waits_for_the_next_try(
    client: Client, many: Path, tmp_path: Path
) -> None:
    client.organizing.push("new", many)
    few = tmp_path / "few.zip"
    few.write_bytes(example_zip())
    with pytest.raises(Refused, match="being looked at already"):
        client.organizing.push("new", few)
    assert uploads() == ["finished", "finished"]
    surveys.look()
    assert client.organizing.push("new", few).report is not None
    assert Upload.objects.count() == 2


def test_who_waits_for_pictures_that_are_stopped_is_not_shown_the_report_before(
    client: Client, many: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.zip"
    few.write_bytes(example_zip())
    before = client.organizing.push("new", few).report
    client.organizing.push("new", many)
    client.organizing.stop("new")
    found = wait_for_worker(client, "new", digest_of(many))
    assert found.report == before
    with pytest.raises(Refused) as refused:
        report_on(digest_of(many), found)
    assert refused.value.code == "THROWN_AWAY"


def test_a_lost_worker_ends_the_wait_and_the_next_push_replaces_it(client: Client, many: Path) -> None:
    sha256 = digest_of(many)
    client.organizing.push("new", many)
    DataSurvey.objects.update(state="running", seen_at=F("seen_at") - timedelta(minutes=5))
    with pytest.raises(NetworkError) as lost:
        wait_for_worker(client, "new", sha256)
    assert lost.value.code == "WORKER_LOST"
    again = client.organizing.push("new", many)
    assert again.survey is not None
    assert (again.survey.state, again.survey.is_lost, Upload.objects.count()) == ("waiting", False, 1)
    surveys.look()
    assert report_on(sha256, wait_for_worker(client, "new", sha256)).n_hidden == 4
