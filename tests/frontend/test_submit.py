"""Handing in by the form: what is accepted, what is refused and how, what the form keeps."""

import hashlib
import html
import json
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Team, User
from accounts.services import create_team
from competitions.models import Artifact, Phase, Submission, Upload
from competitions.services.uploads import Part, UploadPlan, finish_upload, put_part, start_upload

URL = "/c/small/submit/"


@pytest.fixture
def member(client: Client, researcher: User) -> Client:
    """The researcher's browser."""
    client.force_login(researcher)
    return client


def send(browser: Client, path: Path | None, team: str = "rosalba", note: str = "", **more: str) -> object:
    fields: dict[str, object] = {"team": team, "note": note, **more}
    if path is not None:
        fields["archive"] = SimpleUploadedFile(path.name, path.read_bytes(), "application/zip")
    return browser.post(URL, fields)


def refused(answer: object) -> str:
    assert answer.status_code == 400  # type: ignore[attr-defined]
    assert Submission.objects.count() == 0
    return str(answer.content.decode())  # type: ignore[attr-defined]


def test_a_good_archive_leads_to_its_page(
    member: Client, phase: Phase, make_archive: Callable[..., Path]
) -> None:
    answer = send(member, make_archive("wash"), note="second try")
    made = Submission.objects.get()
    assert answer.headers["Location"] == f"/s/{made.pk}/"  # type: ignore[attr-defined]
    assert (made.name, made.note, made.submitted_by.username) == ("wash", "second try", "rosalba")  # type: ignore[union-attr]
    page = member.get(f"/s/{made.pk}/").content.decode()
    assert "The archive was received and checked." in page
    assert "queued" in page


def test_an_account_of_the_command_line_submits_alone(
    client: Client, phase: Phase, make_archive: Callable[..., Path]
) -> None:
    client.force_login(User.objects.create_superuser(username="root", password="a long password 1"))
    assert '<option value="root">root</option>' in client.get(URL).content.decode()
    assert send(client, make_archive("wash"), team="root").status_code == 302  # type: ignore[attr-defined]


def test_signing_in_comes_first_and_leads_back(client: Client, phase: Phase) -> None:
    answer = client.get(URL)
    assert answer.headers["Location"] == f"/accounts/sign-in/?next={URL}"


def test_a_refused_archive_is_told_with_code_sentence_and_advice_and_the_rest_is_kept(
    member: Client, phase: Phase, researcher: User, tmp_path: Path
) -> None:
    create_team(name="Atelier", owner=researcher)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"this is no zip file, however long it may be " * 3)
    page = refused(send(member, broken, team="atelier", note="typed <with> care"))
    assert "INVALID_BUNDLE" in page
    assert "What to do:" in page
    assert 'href="/help/errors/INVALID_BUNDLE/"' in page
    assert "typed &lt;with&gt; care" in page
    assert '<option value="atelier" selected>' in page
    assert not Artifact.objects.filter(kind="archive").exists()


def test_in_chinese_the_general_sentence_is_translated_and_the_detail_stays(
    member: Client, phase: Phase, tmp_path: Path
) -> None:
    member.cookies["django_language"] = "zh-hans"
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no zip file")
    page = refused(send(member, broken))
    assert "提交包违反了提交格式的规则。" in page
    assert '<p lang="en">' in page


@pytest.mark.parametrize("fields", [{}, {"note": "n" * 501}, {"team": "someone-elses"}])
def test_what_is_wrong_in_the_form_stands_beside_its_field(
    member: Client, phase: Phase, make_archive: Callable[..., Path], fields: dict[str, str]
) -> None:
    page = refused(send(member, make_archive("wash") if fields else None, **fields))
    assert 'role="alert"' in page
    assert 'aria-invalid="true"' in page


def test_nobody_submits_for_a_team_of_others(
    member: Client, phase: Phase, stranger: User, make_archive: Callable[..., Path]
) -> None:
    refused(send(member, make_archive("wash"), team=stranger.teams.get().slug))


def test_the_same_archive_again_needs_a_word(
    member: Client, phase: Phase, make_archive: Callable[..., Path]
) -> None:
    path = make_archive("wash")
    send(member, path)
    assert 'name="allow_duplicate"' not in member.get(URL).content.decode()
    answer = send(member, path)
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert "DUPLICATE_SUBMISSION" in page
    assert 'name="allow_duplicate"' in page
    assert send(member, path, allow_duplicate="on").status_code == 302  # type: ignore[attr-defined]


def test_used_up_quota_is_told(member: Client, phase: Phase, make_archive: Callable[..., Path]) -> None:
    for n in range(3):
        assert send(member, make_archive(f"n{n}")).status_code == 302  # type: ignore[attr-defined]
    assert "rosalba: 0 of 3 runs left today" in member.get(URL).content.decode()
    page = send(member, make_archive("one-more")).content.decode()  # type: ignore[attr-defined]
    assert "QUOTA_EXCEEDED" in page
    assert Submission.objects.count() == 3


def test_too_large_an_archive_is_told_with_the_limit(
    member: Client, phase: Phase, tmp_path: Path, settings: Settings
) -> None:
    settings.MAX_ARCHIVE_MB = 1
    large = tmp_path / "large.zip"
    large.write_bytes(bytes(2**20 + 1))
    page = refused(send(member, large))
    assert "UPLOAD_TOO_LARGE" in page
    assert "1 MB" in page


@pytest.mark.parametrize(
    ("days", "text"), [(-1, "This phase is closed."), (9, "This phase has not opened yet.")]
)
def test_outside_the_dates_there_is_no_form(
    member: Client, phase: Phase, make_archive: Callable[..., Path], days: int, text: str
) -> None:
    now = timezone.now()
    Phase.objects.update(opens_at=now + timedelta(days=days - 1), closes_at=now + timedelta(days=days))
    page = member.get(URL).content.decode()
    assert text in page
    assert 'type="file"' not in page
    assert "PHASE_CLOSED" in refused(send(member, make_archive("wash")))


def test_a_form_from_elsewhere_is_refused_in_the_frame(phase: Phase, researcher: User, team: Team) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(researcher)
    answer = browser.post(URL, {"team": team.slug})
    assert answer.status_code == 403
    assert "Reload the page" in answer.content.decode()


def arrive(user: User, path: Path) -> Upload:
    """Send a file in parts, as the page's script does."""
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    made = start_upload(user=user, plan=UploadPlan("archive", len(content), sha256, manifest))
    put_part(upload_id=made.pk, user=user, part=Part(0, content, sha256))
    return finish_upload(upload_id=made.pk, user=user)


def test_a_file_that_came_in_parts_is_handed_in_by_its_upload(
    member: Client, phase: Phase, researcher: User, make_archive: Callable[..., Path]
) -> None:
    sent = arrive(researcher, make_archive("wash"))
    answer = send(member, None, upload=str(sent.pk), note="in parts")
    made = Submission.objects.get()
    assert answer.headers["Location"] == f"/s/{made.pk}/"  # type: ignore[attr-defined]
    assert (made.archive.sha256, made.note) == (sent.sha256, "in parts")


def test_a_refused_upload_is_kept_so_that_it_need_not_be_sent_again(
    member: Client, phase: Phase, researcher: User, make_archive: Callable[..., Path]
) -> None:
    path = make_archive("wash")
    send(member, path)
    sent = arrive(researcher, path)
    answer = send(member, None, upload=str(sent.pk), note="again")
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert "DUPLICATE_SUBMISSION" in page
    assert f'<input type="hidden" name="upload" value="{sent.pk}">' in page
    assert "is still here" in page
    assert "choose the archive again" not in page
    assert ">again</textarea>" in page.replace("\n", "")
    assert send(member, None, upload=str(sent.pk), allow_duplicate="on").status_code == 302  # type: ignore[attr-defined]


@pytest.mark.parametrize("upload", ["", "nonsense", "5f0c7f0e-9f5b-4d0c-8f6c-0d6a2f3f1b7a"])
def test_an_upload_that_is_not_there_is_refused(member: Client, phase: Phase, upload: str) -> None:
    page = refused(send(member, None, upload=upload, note="kept"))
    assert "NOT_FOUND" in page or "This field is required." in page
    assert "kept</textarea>" in page


def test_nobody_hands_in_the_upload_of_somebody_else(
    member: Client, phase: Phase, stranger: User, make_archive: Callable[..., Path]
) -> None:
    sent = arrive(stranger, make_archive("wash"))
    page = refused(send(member, None, upload=str(sent.pk)))
    assert "NOT_FOUND" in page
    assert "is still here" not in page


def test_the_script_gets_its_sentences_in_the_language_of_the_page(member: Client, phase: Phase) -> None:
    page = member.get(URL).content.decode()
    found = re.search(r'data-texts="([^"]*)"', page)
    assert found
    texts = json.loads(html.unescape(found[1]))
    assert texts["codes"]["UPLOAD_MISMATCH"][0].startswith("The parts together are not the file")
    assert 'src="/static/frontend/upload.js" type="module"' in page
