"""Images of public pairs: who gets them, how they may be cached; those of hidden pairs nobody gets."""

import hashlib
import io

import pytest
from django.test import Client
from PIL import Image

from accounts.models import User
from accounts.services import issue_token
from competitions.models import Competition, ImagePair, Phase, Run, RunOutput, Submission
from competitions.thumbnails import read_thumbnail

PNG = b"\x89PNG\r\n\x1a\n"


def pair(phase: Phase, split: str) -> ImagePair:
    found = phase.dataset_version.pairs.filter(split=split).select_related("content", "style").first()
    assert found is not None
    return found


def viewer(client: Client, user: User | None) -> Client:
    if user is not None:
        client.force_login(user)
    return client


@pytest.mark.parametrize("side", ["content", "style"])
def test_a_public_image_is_served_to_everybody_with_its_digest_as_tag(
    client: Client, phase: Phase, side: str
) -> None:
    public = pair(phase, "public")
    answer = client.get(f"/images/pairs/{public.pk}/{side}/")
    body = b"".join(answer)
    digest = getattr(public, side).sha256
    assert body.startswith(PNG)
    assert hashlib.sha256(body).hexdigest() == digest
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["ETag"] == f'"{digest}"'
    assert "public" in answer.headers["Cache-Control"]
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_a_known_image_is_not_sent_again(client: Client, phase: Phase) -> None:
    url = f"/images/pairs/{pair(phase, 'public').pk}/content/"
    first = client.get(url)
    b"".join(first)
    answer = client.get(url, headers={"if-none-match": first.headers["ETag"]})
    assert answer.status_code == 304
    assert answer.content == b""


@pytest.mark.parametrize("who", ["nobody", "researcher", "organizer", "staff"])
def test_hidden_images_are_served_to_nobody(
    client: Client, scored: Run, phase: Phase, who: str, request: pytest.FixtureRequest
) -> None:
    client = viewer(client, None if who == "nobody" else request.getfixturevalue(who))
    hidden = list(phase.dataset_version.pairs.filter(split="hidden"))
    assert hidden
    for one in hidden:
        for side in ("content", "style"):
            assert client.get(f"/images/pairs/{one.pk}/{side}/").status_code == 404
        assert RunOutput.objects.filter(run=scored, pair=one).exists()
        assert client.get(f"/images/runs/{scored.pk}/{one.pk}/").status_code == 404


@pytest.mark.parametrize(
    "path", ["1/side", "1/content/../style", "x/content", "-1/content", "999999/content", f"{10**22}/content"]
)
def test_addresses_that_name_no_image_are_refused(client: Client, phase: Phase, path: str) -> None:
    assert client.get(f"/images/pairs/{path}/").status_code == 404


@pytest.mark.parametrize("number", ["0", "999999", str(2**63), "9" * 23])
def test_addresses_that_name_no_output_are_refused(client: Client, scored: Run, number: str) -> None:
    assert client.get(f"/images/runs/{scored.pk}/{number}/").status_code == 404


def test_images_of_an_unpublished_competition_go_to_its_organizer_privately(
    client: Client, phase: Phase, competition: Competition, organizer: User, stranger: User
) -> None:
    Competition.objects.update(is_published=False)
    url = f"/images/pairs/{pair(phase, 'public').pk}/content/"
    assert client.get(url).status_code == 404
    assert viewer(client, stranger).get(url).status_code == 404
    answer = viewer(client, organizer).get(url)
    assert b"".join(answer).startswith(PNG)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in answer.headers["Vary"]


def test_outputs_are_the_teams_until_the_run_is_scored(
    client: Client, submission: Submission, researcher: User, stranger: User, generating: Run
) -> None:
    url = f"/images/runs/{generating.pk}/{pair(submission.phase, 'public').pk}/"
    assert client.get(url).status_code == 404
    assert viewer(client, stranger).get(url).status_code == 404
    answer = viewer(client, researcher).get(url)
    assert b"".join(answer)
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_programs_fetch_with_a_token_what_their_users_see(
    client: Client, submission: Submission, phase: Phase, researcher: User, stranger: User, scheme: str
) -> None:
    run = submission.runs.get()
    public, hidden = pair(phase, "public"), pair(phase, "hidden")
    for shown in (public, hidden):
        RunOutput.objects.create(run=run, pair=shown, artifact=shown.content, seconds=1)
    path = f"/images/runs/{run.pk}/{public.pk}/"

    def fetched(path: str, authorization: str) -> int:
        answer = client.get(path, headers={"Authorization": authorization})
        answer.getvalue()  # which closes the file
        return answer.status_code

    def status(user: User, path: str, scopes: str = "read") -> int:
        _, key = issue_token(user=user, name="test", scopes=scopes.split())
        return fetched(path, f"{scheme} {key}")

    assert client.get(path).status_code == 404
    assert status(researcher, path) == 200
    assert status(researcher, f"{path}160/") == 200
    assert status(stranger, path) == 404
    assert status(researcher, f"/images/runs/{run.pk}/{hidden.pk}/") == 404
    assert status(researcher, path, scopes="submit") == 403
    assert fetched(path, f"{scheme} pst_wrong") == 401
    client.force_login(researcher)
    assert fetched(path, f"{scheme} pst_wrong") == 401
    assert fetched(path, "Basic eDp5") == 200


def test_outputs_of_a_scored_run_are_public(client: Client, scored: Run, phase: Phase) -> None:
    answer = client.get(f"/images/runs/{scored.pk}/{pair(phase, 'public').pk}/")
    assert b"".join(answer)
    assert "public" in answer.headers["Cache-Control"]


def test_a_small_copy_is_webp_of_the_width_asked_for(client: Client, scored: Run, phase: Phase) -> None:
    public = pair(phase, "public")
    for url in (f"/images/pairs/{public.pk}/content/", f"/images/pairs/{public.pk}/style/"):
        answer = client.get(f"{url}96/")
        image = Image.open(io.BytesIO(answer.content))
        assert (image.format, image.size) == ("WEBP", (64, 64))  # the stored image is no larger
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "public" in answer.headers["Cache-Control"]
        again = client.get(f"{url}96/", headers={"if-none-match": answer.headers["ETag"]})
        assert again.status_code == 304
        assert client.get(f"{url}160/").headers["ETag"] != answer.headers["ETag"]
    assert client.get(f"/images/runs/{scored.pk}/{public.pk}/96/").headers["Content-Type"] == "image/webp"


@pytest.mark.parametrize("width", ["0", "1", "97", "4096", "9" * 30])
def test_copies_come_in_a_few_widths_only(client: Client, phase: Phase, width: str) -> None:
    assert client.get(f"/images/pairs/{pair(phase, 'public').pk}/content/{width}/").status_code == 404


@pytest.mark.parametrize("who", ["nobody", "researcher", "organizer", "staff"])
def test_small_copies_of_hidden_images_are_served_to_nobody(
    client: Client, scored: Run, phase: Phase, who: str, request: pytest.FixtureRequest
) -> None:
    client = viewer(client, None if who == "nobody" else request.getfixturevalue(who))
    for one in phase.dataset_version.pairs.filter(split="hidden").select_related("content", "style"):
        read_thumbnail(one.content.sha256, 96)  # that a copy lies there makes no difference
        for path in (f"pairs/{one.pk}/content", f"pairs/{one.pk}/style", f"runs/{scored.pk}/{one.pk}"):
            assert client.get(f"/images/{path}/96/").status_code == 404


def test_small_copies_follow_a_competition_that_is_no_longer_published(
    client: Client, phase: Phase, organizer: User
) -> None:
    url = f"/images/pairs/{pair(phase, 'public').pk}/content/96/"
    assert client.get(url).status_code == 200
    Competition.objects.update(is_published=False)
    assert client.get(url).status_code == 404
    assert viewer(client, organizer).get(url).headers["Cache-Control"] == "private, no-cache"
