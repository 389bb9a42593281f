"""Archives are unpacked by a child without rights: good ones arrive, hostile ones leave nothing."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.archive import ArchiveLimits
from evaluation.errors import GenerationError, InvalidArchive, InvalidManifest
from tests.attacks.archives import HOSTILE_ARCHIVES
from tests.attacks.builders import HostileArchive, good_entries, with_weights
from tests.attacks.zip_writer import file, write_zip
from tests.workers.sandboxes import UID
from workers.sandbox import unpacking
from workers.sandbox.unpacking import unpack_as

LIMITS = ArchiveLimits()
NAMES = (
    "parent folder",
    "absolute path",
    "backslash",
    "drive letter",
    "symbolic link",
    "link through",
    "bomb",
    "50 000 entries",
    "character device",
    "fifo",
    "set-user-id",
    "same name twice",
    "names differ in case",
    "newline",
    "depth 400",
    "long name",
    "file as folder",
    "bomb with a small promise",
    "overlapping entries",
    "text",
    "link to the old root",
    "nested manifest",
    "bare pickle",
)
CHOSEN = [hostile for hostile in HOSTILE_ARCHIVES if hostile.name in NAMES]
Written = Callable[[bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write an archive into a folder that is closed to everybody else."""

    def write(data: bytes) -> Path:
        tmp_path.chmod(0o700)
        path = tmp_path / "archive.zip"
        path.write_bytes(data)
        path.chmod(0o600)
        return path

    return write


def test_a_good_archive_arrives_as_the_slots_user(written: Written, tmp_path: Path) -> None:
    archive = written(write_zip(good_entries(file("net/layers.py", b"x = 1\n"))))
    made = unpack_as(UID, archive, tmp_path / "bundle", LIMITS)
    assert made.name == "plain-copy"
    found = {p.relative_to(tmp_path / "bundle").as_posix(): p for p in (tmp_path / "bundle").rglob("*")}
    assert set(found) == {"manifest.json", "model.py", "net", "net/layers.py"}
    owner = os.geteuid() if UID is None else UID
    assert {path.stat().st_uid for path in found.values()} == {owner}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found.values()} == {0o644, 0o755}


def test_all_chosen_archives_exist() -> None:
    assert len(CHOSEN) == len(NAMES)


@pytest.mark.parametrize("hostile", CHOSEN, ids=lambda hostile: hostile.name)
def test_a_hostile_archive_is_refused_with_its_reason_and_leaves_nothing(
    written: Written, tmp_path: Path, hostile: HostileArchive
) -> None:
    archive = written(hostile.build())
    with pytest.raises(InvalidArchive) as caught:
        unpack_as(UID, archive, tmp_path / "bundle", LIMITS)
    assert caught.value.reason == hostile.reason
    assert isinstance(caught.value, InvalidManifest) == (hostile.reason == InvalidManifest.code)
    assert list((tmp_path / "bundle").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} <= {"archive.zip", "bundle", "data"}


def test_the_limits_of_the_archive_are_handed_on(written: Written, tmp_path: Path) -> None:
    archive = written(write_zip(good_entries(file("x", bytes(3000)))))
    with pytest.raises(InvalidArchive) as caught:
        unpack_as(UID, archive, tmp_path / "bundle", ArchiveLimits(unpacked=2000))
    assert caught.value.reason == "TOO_LARGE"


SPY = """
import json, os, resource, sys
sys.path.insert(0, sys.argv[1])
sys.path.insert(0, os.path.dirname(REAL))
import unpacker
asked = json.loads(sys.argv[2])
os.chdir(asked["folder"])
unpacker.give_up_rights(asked["uid"], asked["resources"])
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
told = {"uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "environment": dict(os.environ),
        "new_rights": status["NoNewPrivs"].strip(), "rights": status["CapEff"].strip(),
        "memory": resource.getrlimit(resource.RLIMIT_AS)[1], "files": resource.getrlimit(resource.RLIMIT_NOFILE)[1]}
try:
    os.fork()
    told["fork"] = True
except OSError:
    told["fork"] = False
print(json.dumps({"error": {"code": "x", "reason": json.dumps(told), "message": "", "fix": ""}}))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_child_has_no_rights_no_environment_and_cannot_start_others(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text(SPY.replace("REAL", repr(str(unpacking.UNPACKER))))
    monkeypatch.setattr(unpacking, "UNPACKER", spy)
    monkeypatch.setenv("DB_PASSWORD", "planted-secret")
    with pytest.raises(InvalidArchive) as caught:
        unpack_as(61900, written(b""), tmp_path / "bundle", LIMITS)
    told = json.loads(caught.value.reason)
    assert (told["uid"], told["gid"], told["groups"]) == (61900, 61900, [])
    assert set(told["environment"]) <= {"PATH", "LC_CTYPE"}
    assert (told["new_rights"], told["rights"]) == ("1", "0" * 16)
    assert (told["memory"], told["files"], told["fork"]) == (1 << 30, 64, False)


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit(3)",
        "print('no answer')",
        "print('[]')",
        "print('{\"manifest\": 3}')",
        "import os; os.kill(os.getpid(), 9)",
        "import os, sys, json; os.chdir(json.loads(sys.argv[2])['folder']); os.symlink('/oldroot', 'x'); "
        'print(\'{"manifest": "{}"}\')',
        "import os, sys, json; os.chdir(json.loads(sys.argv[2])['folder']); os.mkfifo('x'); "
        'print(\'{"manifest": "{}"}\')',
    ],
    ids=["exit", "text", "list", "number", "killed", "symbolic link", "fifo"],
)
def test_a_child_that_fails_or_was_taken_over_is_our_failure(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    child = tmp_path / "child.py"
    child.write_text(code)
    monkeypatch.setattr(unpacking, "UNPACKER", child)
    with pytest.raises(GenerationError) as caught:
        unpack_as(None, written(b""), tmp_path / "bundle", LIMITS)
    assert caught.value.code == "INFRA"
    assert str(tmp_path) not in str(caught.value)


def test_weights_that_are_large_enough_to_be_set_aside_are_still_looked_into(
    written: Written, tmp_path: Path
) -> None:
    archive = written(
        with_weights("w.pth", write_zip([file("w/data.pkl"), file("w/data/0", os.urandom(10 << 20))]))
    )
    unpack_as(UID, archive, tmp_path / "bundle", LIMITS)
    assert (tmp_path / "bundle" / "w.pth").stat().st_size > 10 << 20
