"""Pictures on their way in: a report in any case, a dataset where it can be, nothing half done."""

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from accounts.models import User
from accounts.services import create_user
from competitions.errors import (
    CompetitionError,
    IllegalTransition,
    InvalidDataset,
    InvalidInput,
    NotAllowed,
    NotFound,
    UploadTooLarge,
)
from competitions.models import Artifact, Dataset, DatasetVersion, Draft, ImagePair, Phase
from competitions.selectors.drafts import thumbnail
from competitions.services import drafts
from competitions.services.intake import take_in_folder, take_in_zip
from competitions.setting_up import PhaseLimits
from evaluation.images import encode_png
from evaluation.intake.example import example_zip
from tests.competitions.test_drafts import TEXTS, windows
from tests.conftest import smooth_image


@pytest.fixture
def begun(organizer: User) -> Draft:
    """A competition whose suite is chosen."""
    drafts.start_draft(user=organizer, slug="new", texts=TEXTS)
    drafts.save_task(slug="new", user=organizer, suite="sts-demo-2")
    return Draft.objects.get()


@pytest.fixture
def send(begun: Draft, organizer: User) -> Callable[[bytes], Draft]:
    """Return a function that uploads bytes as a zip."""

    def upload(data: bytes) -> Draft:
        return take_in_zip(slug="new", user=organizer, content=BytesIO(data), size=len(data))

    return upload


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", method) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return target.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def refusal(action: Callable[[], object]) -> CompetitionError:
    with pytest.raises(CompetitionError) as caught:
        action()
    return caught.value


def test_good_pictures_become_a_dataset_with_its_report_and_credits(send: Callable[[bytes], Draft]) -> None:
    send(example_zip())
    version = Draft.objects.get().dataset_version
    assert version is not None
    assert (version.size, version.pairs.count(), version.report["n_hidden"]) == (256, 5, 4)
    assert "| Example | Pastiche | procedural | CC0-1.0 |" in version.credits
    assert "hidden" not in version.credits


def test_bad_files_are_reported_with_a_small_picture_and_the_rest_is_kept(
    send: Callable[[bytes], Draft], organizer: User, stranger: User
) -> None:
    small = encode_png(smooth_image(1, 64))
    evil = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    more = {"hidden/contents/shapes/tiny.png": small, "hidden/contents/shapes/evil.png": evil}
    draft = send(zipped(unpacked(example_zip()) | more))
    codes = {row["file"]: row["code"] for row in draft.report["findings"]}
    assert codes["hidden/contents/shapes/tiny.png"] == "TOO_SMALL"
    assert codes["hidden/contents/shapes/evil.png"] == "NOT_AN_IMAGE"
    assert ImagePair.objects.count() == 5
    digest = draft.report["thumbnails"]["hidden/contents/shapes/tiny.png"]
    assert thumbnail("new", digest, organizer) == digest
    assert isinstance(refusal(lambda: thumbnail("new", digest, stranger)), NotFound)
    hidden = ImagePair.objects.filter(split="hidden")[0].content.sha256
    assert isinstance(refusal(lambda: thumbnail("new", hidden, organizer)), NotFound)
    assert not Artifact.objects.filter(sha256__in=[digest]).exclude(kind="image").exists()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"no zip at all, but long enough to be one", "NOT_A_ZIP"),
        (example_zip()[:-40], "EXTRA_DATA"),
        (zipped({"../../etc/passwd": b"x"}), "PATH_TRAVERSAL"),
        (zipped({"contents/a.png": b"\0" * 3_000_000}, zipfile.ZIP_DEFLATED), "COMPRESSION_RATIO"),
        (example_zip().replace(b"IDAT", b"XDAT", 1), "CORRUPT_DATA"),
    ],
)
def test_a_zip_that_breaks_a_rule_is_refused_by_name_and_leaves_nothing(
    send: Callable[[bytes], Draft], data: bytes, rule: str
) -> None:
    error = refusal(lambda: send(data))
    assert isinstance(error, InvalidDataset)
    assert error.fields == {"rule": rule}
    assert error.fix
    assert not Dataset.objects.exists()
    assert not Artifact.objects.exists()
    assert Draft.objects.get().report == {}


def test_a_hopeless_upload_leaves_the_dataset_before_in_place(send: Callable[[bytes], Draft]) -> None:
    send(example_zip())
    kept = Draft.objects.get().dataset_version
    draft = send(zipped({"notes.png": b"nothing"}))
    assert (draft.dataset_version, draft.report["n_usable"]) == (kept, 0)
    assert DatasetVersion.objects.count() == 1


def test_a_file_over_the_limit_is_refused_before_it_is_read(
    send: Callable[[bytes], Draft], settings: pytest.FixtureRequest
) -> None:
    settings.MAX_ARCHIVE_MB = 0  # type: ignore[attr-defined]
    assert isinstance(refusal(lambda: send(example_zip())), UploadTooLarge)


def test_the_suite_comes_first_for_it_says_how_large_pictures_are(organizer: User) -> None:
    drafts.start_draft(user=organizer, slug="new", texts=TEXTS)
    data = example_zip()
    error = refusal(lambda: take_in_zip(slug="new", user=organizer, content=BytesIO(data), size=len(data)))
    assert isinstance(error, IllegalTransition)


def test_folders_of_the_server_are_for_staff(begun: Draft, organizer: User, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for name, data in unpacked(example_zip()).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    assert isinstance(refusal(lambda: take_in_folder(slug="new", user=organizer, folder=folder)), NotAllowed)
    staff = create_user(username="operator", password="a long password 4", is_staff=True)
    assert isinstance(
        refusal(lambda: take_in_folder(slug="new", user=staff, folder=tmp_path / "gone")), InvalidInput
    )
    draft = take_in_folder(slug="new", user=staff, folder=folder)
    assert draft.dataset_version is not None


def test_two_competitions_never_add_to_one_dataset(send: Callable[[bytes], Draft], organizer: User) -> None:
    send(example_zip())
    drafts.start_draft(user=organizer, slug="other", texts=TEXTS)
    drafts.save_task(slug="other", user=organizer, suite="sts-demo-2")
    files = unpacked(example_zip())
    files["hidden/contents/shapes/1.png"] = encode_png(smooth_image(9, 256))
    data = zipped(files)
    take_in_zip(slug="other", user=organizer, content=BytesIO(data), size=len(data))
    assert set(DatasetVersion.objects.values_list("number", flat=True)) == {1}
    assert Dataset.objects.count() == 2


def test_pairs_json_of_an_upload_decides(send: Callable[[bytes], Draft]) -> None:
    files = unpacked(example_zip())
    row = {
        "id": "only",
        "content": "hidden/contents/shapes/1.png",
        "style": "hidden/styles/none/waves/1.png",
        "split": "hidden",
        "style_family": "waves",
        "culture": "none",
        "content_kind": "shapes",
    }
    files["pairs.json"] = json.dumps({"schema": 1, "size": 256, "pairs": [row]}).encode()
    send(zipped(files))
    assert list(ImagePair.objects.values_list("name", flat=True)) == ["only"]


def test_phases_are_made_when_the_last_thing_they_need_arrives(
    send: Callable[[bytes], Draft], organizer: User
) -> None:
    drafts.save_dates(slug="new", user=organizer, windows=windows((1, 5)))
    drafts.save_limits(slug="new", user=organizer, limits=PhaseLimits(memory_mb=999))
    assert not Phase.objects.exists()
    send(example_zip())
    assert Phase.objects.get().memory_mb == 999
