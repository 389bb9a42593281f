"""Files in a bucket: stored whole, private, given out by links that do not last, and refusals that name the setting."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from pytest_django import Settings

from competitions.models import Artifact
from competitions.selectors.stored_files import check_files
from competitions.services.artifacts import store_file
from competitions.storage import (
    StorageRefused,
    StorageUnreachable,
    artifact_name,
    check_storage,
    copy_file,
    download_link,
    open_file,
    save_file,
)
from tests.s3 import BUCKET, ObjectStorage, object_storage
from tests.servers import free_port

CONTENT = b"a picture" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStorage]:
    """One object storage for this file."""
    with object_storage() as made:
        yield made


@pytest.fixture
def bucket(server: ObjectStorage, settings: Settings) -> Iterator[ObjectStorage]:
    """The platform with its files in the server's bucket, which is emptied afterwards."""
    use(settings, server)
    yield server
    client = server.client()
    for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=found["Key"])


def use(settings: Settings, server: ObjectStorage, **changes: object) -> None:
    """Have the platform keep its files in a bucket."""
    place = {"BACKEND": "competitions.bucket.Bucket", "OPTIONS": server.options(**changes)}
    settings.STORAGES = settings.STORAGES | {"default": place}


def keys(server: ObjectStorage) -> list[str]:
    """List what lies in the bucket."""
    return [found["Key"] for found in server.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def refusal(settings: Settings, server: ObjectStorage, **changes: object) -> StorageRefused:
    """Return what the platform says of a wrong setting, quickly and thoroughly."""
    use(settings, server, **changes)
    with pytest.raises(StorageRefused):
        check_storage(by_writing=False)
    with pytest.raises(StorageRefused) as refused:
        check_storage(by_writing=True)
    return refused.value


@pytest.mark.django_db
def test_a_stored_file_comes_out_as_it_went_in_and_lies_there_once(bucket: ObjectStorage) -> None:
    for _ in range(2):
        artifact = store_file(kind=Artifact.Kind.OUTPUT, content=io.BytesIO(CONTENT))
    assert (artifact.sha256, artifact.size) == (SHA256, len(CONTENT))
    assert keys(bucket) == [artifact_name(SHA256)]
    with open_file(SHA256) as file:
        assert file.read() == CONTENT
    target = io.BytesIO()
    copy_file(SHA256, target)
    assert target.getvalue() == CONTENT


@pytest.mark.django_db
def test_files_in_a_bucket_can_be_compared_with_their_digests(bucket: ObjectStorage) -> None:
    store_file(kind=Artifact.Kind.OUTPUT, content=io.BytesIO(CONTENT))
    other = store_file(kind=Artifact.Kind.OUTPUT, content=io.BytesIO(b"gone"))
    bucket.client().delete_object(Bucket=BUCKET, Key=artifact_name(other.sha256))
    assert [file.problem for file in check_files()] == ["", "missing"]


def test_the_caller_may_go_on_reading_what_was_stored(bucket: ObjectStorage) -> None:
    content = io.BytesIO(CONTENT)
    save_file(SHA256, len(CONTENT), content)
    content.seek(0)
    assert content.read() == CONTENT


def test_a_file_that_travels_in_parts_arrives_whole(bucket: ObjectStorage) -> None:
    content = bytes(range(256)) * 2**16  # beyond what is sent in one piece
    sha256 = hashlib.sha256(content).hexdigest()
    save_file(sha256, len(content), io.BytesIO(content))
    target = io.BytesIO()
    copy_file(sha256, target)
    assert hashlib.sha256(target.getvalue()).hexdigest() == sha256


def test_a_shorter_leftover_is_replaced(bucket: ObjectStorage) -> None:
    bucket.client().put_object(Bucket=BUCKET, Key=artifact_name(SHA256), Body=CONTENT[:100])
    save_file(SHA256, len(CONTENT), io.BytesIO(CONTENT))
    with open_file(SHA256) as file:
        assert file.read() == CONTENT


def test_a_prefix_keeps_two_platforms_in_one_bucket_apart(bucket: ObjectStorage, settings: Settings) -> None:
    use(settings, bucket, location="second")
    check_storage(by_writing=True)
    save_file(SHA256, len(CONTENT), io.BytesIO(CONTENT))
    assert set(keys(bucket)) == {f"second/{artifact_name(SHA256)}", "second/probe"}
    with open_file(SHA256) as file:
        assert file.read() == CONTENT
    target = io.BytesIO()
    copy_file(SHA256, target)
    assert target.getvalue() == CONTENT


def test_a_missing_file_is_told_as_such(bucket: ObjectStorage) -> None:
    with pytest.raises(FileNotFoundError):
        open_file(SHA256)
    with pytest.raises(FileNotFoundError):
        copy_file(SHA256, io.BytesIO())


def test_a_link_gives_the_file_out_under_its_name_and_ends_soon(
    bucket: ObjectStorage, settings: Settings
) -> None:
    save_file(SHA256, len(CONTENT), io.BytesIO(CONTENT))
    bucket.check_callers(are_checked=False)
    try:
        link = download_link(SHA256, 'my "archive".zip')
        assert link is not None
        query = parse_qs(urlsplit(link).query)
        assert query["X-Amz-Expires"] == [str(settings.LINK_SECONDS)] == ["60"]
        assert len(query["X-Amz-Signature"][0]) == 64
        assert bucket.secret not in link
        answer = requests.get(link, timeout=5)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["Content-Disposition"] == 'attachment; filename="my \\"archive\\".zip"'
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert requests.get(link.split("?")[0], timeout=5).status_code == 403
    finally:
        bucket.check_callers(are_checked=True)


def test_a_folder_has_no_links() -> None:
    assert download_link(SHA256, "archive.zip") is None


def test_a_good_bucket_passes_and_the_probe_is_all_that_it_leaves(bucket: ObjectStorage) -> None:
    check_storage(by_writing=False)
    assert keys(bucket) == []
    check_storage(by_writing=True)
    assert keys(bucket) == ["probe"]


def test_a_missing_bucket_is_told_by_the_setting(server: ObjectStorage, settings: Settings) -> None:
    refused = refusal(settings, server, bucket_name="elsewhere")
    assert refused.setting == "PASTICHE_STORAGE_URL"
    assert "no bucket" in str(refused)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"access_key": "AKIAUNKNOWN"}, "does not know this key"), ({"secret_key": "wrong"}, "does not belong")],
)
def test_wrong_credentials_are_told_by_their_settings(
    server: ObjectStorage, settings: Settings, changes: dict[str, str], expected: str
) -> None:
    refused = refusal(settings, server, **changes)
    assert refused.setting == "PASTICHE_STORAGE_KEY and PASTICHE_STORAGE_SECRET"
    assert expected in str(refused)
    assert server.secret not in str(refused)


def test_no_credentials_at_all_are_told_by_their_settings(
    server: ObjectStorage, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    refused = refusal(settings, server, access_key=None, secret_key=None)
    assert refused.setting == "PASTICHE_STORAGE_KEY and PASTICHE_STORAGE_SECRET"


def test_an_endpoint_where_nobody_listens_may_still_come(server: ObjectStorage, settings: Settings) -> None:
    use(settings, server, endpoint_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StorageUnreachable, match="no answer from http://127.0.0.1"):
        check_storage(by_writing=False)


def test_a_bucket_that_everybody_can_read_is_refused(bucket: ObjectStorage) -> None:
    bucket.check_callers(are_checked=False)
    client = bucket.client()
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    client.put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    try:
        with pytest.raises(StorageRefused, match="everybody can read this bucket"):
            check_storage(by_writing=True)
    finally:
        client.delete_bucket_policy(Bucket=BUCKET)
        bucket.check_callers(are_checked=True)
