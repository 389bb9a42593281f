"""Handing in over the API: taken once, refused with a reason, and nothing left behind by a refusal."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_team
from competitions.models import Artifact, Phase, QuotaEntry, Run, Submission
from competitions.rules import start_of_day
from competitions.selectors.status import NO_WORKER
from tests.api_fixtures import API, error_of

PATH = f"{API}/submissions/"


def upload(client: APIClient, content: bytes, **fields: str) -> Response:
    """Send an archive."""
    file = io.BytesIO(content)
    file.name = "archive.zip"
    return client.post(PATH, {"archive": file, "competition": "small"} | fields, format="multipart")


def assert_nothing_is_kept(settings: Settings, n_artifacts: int) -> None:
    """Check that neither rows nor files remain of an upload."""
    assert not Submission.objects.exists()
    assert not Run.objects.exists()
    assert not QuotaEntry.objects.exists()
    assert Artifact.objects.count() == n_artifacts
    assert [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).rglob("*")] == []
    stored = [path for path in (settings.DATA_DIR / "artifacts").rglob("*") if path.is_file()]
    assert len(stored) == n_artifacts


@pytest.fixture
def archive(make_archive: Callable[..., Path]) -> bytes:
    """A good archive."""
    return make_archive().read_bytes()


def test_a_good_archive_is_taken_and_queued(
    member: APIClient, phase: Phase, archive: bytes, settings: Settings
) -> None:
    answer = upload(member, archive, note="first try")
    assert answer.status_code == 201
    row = Submission.objects.get()
    run = row.runs.get()
    assert answer.json() == {
        "id": str(row.pk),
        "competition": "small",
        "phase": "main",
        "team": "rosalba",
        "name": "identity",
        "kind": "entry",
        "note": "first try",
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "archive_sha256": row.archive.sha256,
        "disqualified_for": None,
        "is_final": False,
        "run": {
            "id": str(run.pk),
            "purpose": "score",
            "state": "queued",
            "stage": "queued",
            "pairs_done": 0,
            "pairs_total": 6,
            "queue_place": 1,
            "estimated_start_at": None,  # without a worker nobody knows
            "attempt": 0,
            "queued_at": run.queued_at.isoformat().replace("+00:00", "Z"),
            "started_at": None,
            "finished_at": None,
            "last_sign_of_life": None,
            "failure": None,
            "waiting_reason": NO_WORKER.reason,
            "waiting_advice": NO_WORKER.advice,
            "flags": [],
            "open_flags": None,
        },
        "quota": {"limit": 3, "used": 1, "left": 2},
    }
    assert [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).rglob("*")] == []
    assert member.get(f"{PATH}{row.pk}/").json() == answer.json()


def test_a_large_upload_leaves_no_temporary_file(
    member: APIClient, phase: Phase, make_archive: Callable[..., Path], settings: Settings
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100  # larger uploads go through a file
    assert upload(member, make_archive().read_bytes()).status_code == 201
    assert [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).rglob("*")] == []


def test_a_team_is_chosen_by_its_slug(
    member: APIClient, phase: Phase, archive: bytes, researcher: User, stranger: User
) -> None:
    create_team(name="Venetians", owner=researcher)
    create_team(name="Others", owner=stranger)
    assert upload(member, archive, team="venetians", phase="main").json()["team"] == "venetians"
    for slug in ("others", "nobody"):
        answer = upload(member, archive, team=slug)
        assert answer.status_code == 403
        assert error_of(answer)["code"] == "NOT_A_TEAM_MEMBER"
        assert error_of(answer)["fix"]
    assert Submission.objects.count() == 1


def test_without_a_token_nothing_is_read(
    anonymous: APIClient, phase: Phase, archive: bytes, settings: Settings
) -> None:
    answer = upload(anonymous, archive)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert_nothing_is_kept(settings, Artifact.objects.count())
    assert anonymous.get(PATH).status_code == 401


BROKEN: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("NOT_A_ZIP", lambda archive: b"Dear organizers, this is my generator."),
    ("EXTRA_DATA", lambda archive: archive[: len(archive) // 2]),
    ("EXTRA_DATA", lambda archive: archive + b"MZ"),
    ("CORRUPT_DATA", lambda archive: archive.replace(b"return content", b"return c0ntent", 1)),
    ("NO_MANIFEST", lambda archive: archive.replace(b"manifest.json", b"manifest.yaml")),
]


@pytest.mark.parametrize(("rule", "break_it"), BROKEN)
def test_a_broken_archive_is_refused_and_nothing_is_kept(
    member: APIClient,
    phase: Phase,
    archive: bytes,
    settings: Settings,
    rule: str,
    break_it: Callable[[bytes], bytes],
) -> None:
    before = Artifact.objects.count()
    answer = upload(member, break_it(archive))
    assert answer.status_code == 422
    error = error_of(answer)
    assert error["code"] == "INVALID_BUNDLE"
    assert error["message"]
    assert error["fix"]
    assert error["fields"] == {"archive": error["message"], "rule": rule}
    assert_nothing_is_kept(settings, before)


def test_an_unknown_manifest_key_is_named(
    member: APIClient, phase: Phase, make_archive: Callable[..., Path], settings: Settings
) -> None:
    before = Artifact.objects.count()
    answer = upload(member, make_archive("greedy", memory_gb=64).read_bytes())
    assert answer.status_code == 422
    assert "memory_gb" in error_of(answer)["message"]
    assert error_of(answer)["fix"]
    assert_nothing_is_kept(settings, before)


@pytest.mark.parametrize("size", [2**20 + 1, 5 * 2**20])
def test_too_large_an_upload_is_refused(
    member: APIClient, phase: Phase, archive: bytes, settings: Settings, size: int
) -> None:
    before = Artifact.objects.count()
    settings.MAX_ARCHIVE_MB = 1
    answer = upload(member, archive.ljust(size, b"\0"))
    assert answer.status_code == 413
    assert error_of(answer)["code"] == "UPLOAD_TOO_LARGE"
    assert error_of(answer)["fix"]
    assert "MB" in error_of(answer)["message"]
    assert_nothing_is_kept(settings, before)


@pytest.mark.parametrize("path", ["submissions/", "tokens/", "submissions/1/cancel/"])
@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/json"])
def test_too_large_a_body_is_refused_before_it_is_read(
    member: APIClient, phase: Phase, path: str, content_type: str
) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    answer = member.generic(
        "POST",
        f"{API}/{path}",
        "",
        content_type=content_type,
        CONTENT_LENGTH=str(10**12),
        **{"wsgi.input": Endless()},
    )
    assert (answer.status_code, error_of(answer)["code"]) == (413, "UPLOAD_TOO_LARGE")


def test_an_upload_that_breaks_off_is_refused(
    member: APIClient, phase: Phase, archive: bytes, settings: Settings
) -> None:
    head = (
        b'--x\r\nContent-Disposition: form-data; name="competition"\r\n\r\nsmall\r\n'
        b'--x\r\nContent-Disposition: form-data; name="archive"; filename="a.zip"\r\n\r\n'
    )
    before = Artifact.objects.count()
    answer = member.generic(
        "POST", PATH, head + archive[:200], content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 400
    assert list(error_of(answer)["fields"]) == ["archive"]
    assert_nothing_is_kept(settings, before)


EMPTY = {"archive": b""}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"priority": "9"}, "priority"),
        ({"is_shipped": "true"}, "is_shipped"),
        ({"competition": ""}, "competition"),
        ({"competition": ["small", "other"]}, "competition"),
        ({"note": "x" * 501}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"again": "perhaps"}, "again"),
        ({"archive": "text"}, "archive"),
        (EMPTY, "archive"),
    ],
)
def test_wrong_fields_are_named(
    member: APIClient, phase: Phase, archive: bytes, settings: Settings, fields: dict, named: str
) -> None:
    before = Artifact.objects.count()
    answer = upload(member, archive, **fields) if fields != EMPTY else upload(member, b"")
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["code"] == "INVALID_INPUT"
    assert list(error["fields"]) == [named]
    assert_nothing_is_kept(settings, before)


def test_only_forms_and_json_are_taken(member: APIClient, phase: Phase) -> None:
    answer = member.generic(
        "POST", PATH, "competition=small", content_type="application/x-www-form-urlencoded"
    )
    assert (answer.status_code, error_of(answer)["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_without_a_form_an_upload_is_needed(member: APIClient, phase: Phase) -> None:
    answer = member.post(PATH, {"competition": "small"}, format="json")
    assert (answer.status_code, list(error_of(answer)["fields"])) == (400, ["upload"])


def test_unknown_competitions_and_phases_are_404(member: APIClient, phase: Phase, archive: bytes) -> None:
    for fields in ({"competition": "nothing"}, {"phase": "nothing"}):
        answer = upload(member, archive, **fields)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(("opens", "closes", "word"), [(-2, -1, "closed"), (1, 2, "opens")])
def test_outside_the_window_nothing_is_taken(
    member: APIClient, phase: Phase, archive: bytes, settings: Settings, opens: int, closes: int, word: str
) -> None:
    before, now = Artifact.objects.count(), timezone.now()
    Phase.objects.update(opens_at=now + timedelta(hours=opens), closes_at=now + timedelta(hours=closes))
    answer = upload(member, archive)
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "PHASE_CLOSED"
    assert word in error_of(answer)["message"]
    assert error_of(answer)["fix"]
    assert_nothing_is_kept(settings, before)


def test_the_daily_quota_says_when_to_come_back(
    member: APIClient, phase: Phase, make_archive: Callable[..., Path]
) -> None:
    for n in range(3):
        assert upload(member, make_archive(f"try-{n}").read_bytes()).status_code == 201
    answer = upload(member, make_archive("try-3").read_bytes())
    assert answer.status_code == 429
    assert error_of(answer)["code"] == "QUOTA_EXCEEDED"
    now = timezone.now()
    midnight = (start_of_day(now) + timedelta(days=1) - now).total_seconds()
    assert int(answer["Retry-After"]) == pytest.approx(midnight, abs=5)
    assert Submission.objects.count() == 3


def test_the_total_quota_promises_no_return(member: APIClient, phase: Phase, archive: bytes) -> None:
    Phase.objects.update(runs_total=1)
    assert upload(member, archive).status_code == 201
    answer = upload(member, archive)
    assert (answer.status_code, error_of(answer)["code"]) == (429, "QUOTA_EXCEEDED")
    assert "Retry-After" not in answer


def test_the_same_archive_is_taken_twice_only_on_purpose(
    member: APIClient, phase: Phase, archive: bytes
) -> None:
    assert upload(member, archive).status_code == 201
    answer = upload(member, archive)
    assert (answer.status_code, error_of(answer)["code"]) == (409, "DUPLICATE_SUBMISSION")
    assert upload(member, archive, again="true").status_code == 201
