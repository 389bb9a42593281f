"""What pages tell of the queue: when a run was expected to start, and which workers take none."""

from datetime import UTC, datetime

from django.test import Client

from accounts.models import User
from competitions.models import Run, Submission
from competitions.services.workers import Ability, register_worker
from evaluation.obstacles import OBSTACLES, Told, unavailable


def test_a_waiting_run_shows_when_it_was_expected_to_start(
    client: Client, submission: Submission, researcher: User
) -> None:
    client.force_login(researcher)
    Run.objects.update(estimated_start_at=datetime(2031, 2, 3, 4, 5, tzinfo=UTC))
    page = client.get(f"/s/{submission.pk}/").content.decode()
    told = page.partition("its start was estimated for")[2][:200]
    assert "2031-02-03 04:05" in told
    body = client.get(f"/api/v1/runs/{submission.runs.get().pk}/").json()
    assert body["estimated_start_at"] == "2031-02-03T04:05:00Z"
    Run.objects.update(estimated_start_at=None)
    assert "estimated" not in client.get(f"/s/{submission.pk}/").content.decode()


def test_a_worker_that_takes_nothing_says_why(client: Client, db: None) -> None:
    register_worker(name="atelier-0", ability=Ability("bubblewrap", True, obstacle="The disk is <full>."))
    page = client.get("/status/").content.decode()
    assert "takes no run now" in page
    assert "The disk is &lt;full&gt;." in page.partition("takes no run now")[2]


def test_a_worker_without_a_sandbox_says_why_in_the_readers_language(client: Client, db: None) -> None:
    error = unavailable("TOOL_MISSING", tool="<bwrap>")
    register_worker(name="bare", ability=Ability("process", False, reason=error.message, advice=error.fix))
    page = client.get("/status/").content.decode()
    assert page.count("The program &lt;bwrap&gt; is not installed.") == 2
    assert OBSTACLES["TOOL_MISSING"].advice in page
    page = client.get("/status/", headers={"accept-language": "zh-hans"}).content.decode()
    assert page.count("&lt;bwrap&gt;") == 2
    assert "is not installed" not in page
    assert OBSTACLES["TOOL_MISSING"].advice not in page


def test_a_full_disk_is_told_in_the_readers_language(client: Client, db: None) -> None:
    full = Told(OBSTACLES["DISK_FULL"].sentence, {"folder": "/srv", "free": 12, "wanted": 1000})
    register_worker(name="full", ability=Ability("bubblewrap", True, obstacle=full))
    assert "the disk of /srv" in client.get("/status/").content.decode()
    page = client.get("/status/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "/srv" in page
    assert "the disk of" not in page
