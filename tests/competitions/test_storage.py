"""Files in a folder: under their final name they are whole, whoever is killed or writes at the same time."""

import hashlib
import io
import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from competitions.models import Artifact
from competitions.services.artifacts import store_file
from competitions.storage import (
    ABANDONED_SECONDS,
    INCOMING,
    StorageRefused,
    artifact_name,
    check_storage,
    open_file,
    save_file,
)

CONTENT = os.urandom(2**20)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the storage."""
    return tmp_path / "data" / "artifacts"


class Fatal(io.BytesIO):
    """A file that kills its reader after a part."""

    def read(self, size: int | None = -1) -> bytes:
        """Give the first half, then no more, to nobody."""
        if self.tell():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(len(CONTENT) // 2)


class Failing(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size: int | None = -1) -> bytes:
        """Give the first half."""
        if self.tell():
            raise OSError("the disk broke")
        return super().read(len(CONTENT) // 2)


class Slow(io.BytesIO):
    """A file whose reader waits in the middle until the other one has got as far."""

    def __init__(self, content: bytes, meeting: threading.Barrier) -> None:
        super().__init__(content)
        self.meeting = meeting

    def read(self, size: int | None = -1) -> bytes:
        """Give a half at a time."""
        if self.tell():
            self.meeting.wait(10)
        return super().read(len(CONTENT) // 2)


def save(content: io.BytesIO) -> None:
    """Store the content of these tests."""
    save_file(SHA256, len(CONTENT), content)


def files(folder: Path) -> list[str]:
    """List all files below the storage."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_writer_that_is_killed_leaves_no_file_under_the_final_name(folder: Path) -> None:
    writer = multiprocessing.get_context("fork").Process(target=save, args=(Fatal(CONTENT),))
    writer.start()
    writer.join(30)
    assert writer.exitcode == -signal.SIGKILL
    (left,) = files(folder)
    assert left.startswith(f"{INCOMING}/")

    save(io.BytesIO(CONTENT))
    assert artifact_name(SHA256) in files(folder)
    old = folder / left
    os.utime(old, (0, old.stat().st_mtime - ABANDONED_SECONDS - 1))
    other = b"another file"
    save_file(hashlib.sha256(other).hexdigest(), len(other), io.BytesIO(other))
    assert not old.exists()


def test_a_writer_that_fails_leaves_nothing_and_no_row(folder: Path, db: None) -> None:
    class Twice(Failing):
        """Can be read once, when its digest is computed."""

        is_second = False

        def read(self, size: int | None = -1) -> bytes:
            """Fail at the second reading."""
            if self.is_second:
                return super().read(size)
            data = io.BytesIO.read(self, size)
            self.is_second = not data
            return data

    with pytest.raises(OSError, match="the disk broke"):
        store_file(kind=Artifact.Kind.OUTPUT, content=Twice(CONTENT))
    assert files(folder) == []
    assert not Artifact.objects.exists()


def test_two_writers_of_one_file_leave_one_file(folder: Path) -> None:
    meeting = threading.Barrier(2)
    writers = [threading.Thread(target=save, args=(Slow(CONTENT, meeting),)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert files(folder) == [artifact_name(SHA256)]
    with open_file(SHA256) as file:
        assert file.read() == CONTENT


def test_a_shorter_leftover_is_replaced(folder: Path) -> None:
    leftover = folder / artifact_name(SHA256)
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(CONTENT[:100])
    save(io.BytesIO(CONTENT))
    assert leftover.read_bytes() == CONTENT


def test_another_user_may_read_a_stored_file(folder: Path) -> None:
    save(io.BytesIO(CONTENT))
    assert (folder / artifact_name(SHA256)).stat().st_mode & 0o777 == 0o644


def test_a_folder_that_cannot_be_made_is_told_by_its_setting(folder: Path, settings: Settings) -> None:
    check_storage(by_writing=True)
    (folder.parent / "file").touch()
    place = settings.STORAGES["default"]
    options = place["OPTIONS"] | {"location": folder.parent / "file" / "artifacts"}
    settings.STORAGES = settings.STORAGES | {"default": place | {"OPTIONS": options}}
    with pytest.raises(StorageRefused, match="cannot be made") as refused:
        check_storage(by_writing=False)
    assert refused.value.setting == "PASTICHE_DATA_DIR"


def test_the_command_names_files_that_are_missing_or_damaged(folder: Path, db: None) -> None:
    good, gone, bad = (
        store_file(kind=Artifact.Kind.IMAGE, content=io.BytesIO(name)) for name in (b"good", b"gone", b"bad")
    )
    assert call_command("verify_files", stdout=io.StringIO()) is None
    (folder / artifact_name(gone.sha256)).unlink()
    (folder / artifact_name(bad.sha256)).write_bytes(b"dab")
    told = io.StringIO()
    with pytest.raises(CommandError, match="2 of 3 files"):
        call_command("verify_files", stderr=told)
    lines = set(told.getvalue().splitlines())
    assert lines == {f"missing: image {gone.sha256}", f"damaged: image {bad.sha256}"}
    assert good.sha256 not in told.getvalue()
