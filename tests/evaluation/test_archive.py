"""Submission archives: hostile ones are refused for the right reason, good ones survive the round trip."""

import contextlib
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from evaluation.archive import ArchiveLimits, inspect_archive, pack_archive, unpack_archive
from evaluation.errors import InvalidArchive, InvalidManifest
from evaluation.manifest import parse_manifest
from evaluation.zips.names import name_problem
from tests.attacks.archives import HOSTILE_ARCHIVES
from tests.attacks.builders import HostileArchive, good_entries, manifest, with_weights
from tests.attacks.zip_writer import DESCRIPTOR, UTF8, file, write_zip

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stored(folder: Path, data: bytes) -> Path:
    path = folder / "archive.zip"
    path.write_bytes(data)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def entry_map(**changes: object) -> dict[str, bytes]:
    return {entry.name.decode(): entry.data for entry in good_entries(**changes)}


@pytest.mark.parametrize("attack", HOSTILE_ARCHIVES, ids=lambda attack: attack.name)
def test_hostile_archive_is_refused_and_nothing_is_written(attack: HostileArchive, tmp_path: Path) -> None:
    path = stored(tmp_path, attack.build())
    destination = tmp_path / "deep" / "bundle"
    destination.parent.mkdir()
    before = set(tmp_path.rglob("*"))
    start = time.perf_counter()
    with pytest.raises(InvalidArchive) as inspected:
        inspect_archive(path)
    with pytest.raises(InvalidArchive) as unpacked:
        unpack_archive(path, destination)
    assert (inspected.value.reason, unpacked.value.reason) == (attack.reason, attack.reason)
    assert inspected.value.message
    assert inspected.value.fix
    assert str(inspected.value).isprintable()
    assert set(tmp_path.rglob("*")) - before == {destination}
    assert time.perf_counter() - start < 5


def test_table_of_attacks_is_long_and_its_names_are_unique() -> None:
    names = [attack.name for attack in HOSTILE_ARCHIVES]
    assert len(names) == len(set(names)) >= 100


def test_plain_archive_is_accepted_and_described(tmp_path: Path) -> None:
    path = stored(tmp_path, write_zip(good_entries()))
    info = inspect_archive(path)
    assert info.manifest == parse_manifest(manifest())
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert info.size == path.stat().st_size
    assert info.files == tuple(sorted((name, len(data)) for name, data in entry_map().items()))


def test_unpacked_files_have_plain_modes_whatever_the_archive_and_the_umask_say(tmp_path: Path) -> None:
    odd = file("pkg/deep/data.bin", b"1", mode=0o100777)
    folder = file("pkg/", mode=0o040700)
    destination = tmp_path / "bundle"
    old = os.umask(0o077)
    try:
        unpack_archive(stored(tmp_path, write_zip(good_entries(folder, odd))), destination)
    finally:
        os.umask(old)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in destination.rglob("*") if p.is_file()}
    folders = {stat.S_IMODE(p.stat().st_mode) for p in destination.rglob("*") if p.is_dir()}
    assert (modes, folders) == ({0o644}, {0o755})
    assert tree(destination) == entry_map() | {"pkg/deep/data.bin": b"1"}


def test_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    path = stored(tmp_path, write_zip(good_entries()))
    destination = tmp_path / "bundle"
    destination.mkdir()
    (destination / "mine.txt").write_text("kept")
    with pytest.raises(FileExistsError):
        unpack_archive(path, destination)
    assert tree(destination) == {"mine.txt": b"kept"}


def test_destination_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "bundle").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        unpack_archive(stored(tmp_path, write_zip(good_entries())), tmp_path / "bundle")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("descriptor", [b"PK\x07\x08", b""], ids=["signed", "bare"])
def test_data_descriptors_of_streaming_programs_are_accepted(descriptor: bytes, tmp_path: Path) -> None:
    data = b"streamed"
    honest = write_zip([file("x", data)])
    numbers = honest[14:26]
    entry = file("x", data, flags=UTF8 | DESCRIPTOR, descriptor=descriptor + numbers)
    assert ("x", 8) in inspect_archive(stored(tmp_path, write_zip(good_entries(entry)))).files


class Pipe(io.RawIOBase):
    """A stream that cannot seek, as when a zip program writes into a pipe."""

    def __init__(self) -> None:
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.written += bytes(data)
        return len(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("seekable", [True, False], ids=["file", "pipe"])
def test_archives_of_the_standard_library_are_accepted(method: int, seekable: bool, tmp_path: Path) -> None:
    out: io.IOBase = io.BytesIO() if seekable else Pipe()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.mkdir("folder")
        for name, data in entry_map().items():
            archive.writestr(name, data)
        archive.writestr("folder/größe.txt", b"umlaut" * 50)
    data = out.getvalue() if isinstance(out, io.BytesIO) else out.written  # type: ignore[attr-defined]
    unpack_archive(stored(tmp_path, data), tmp_path / "bundle")
    assert tree(tmp_path / "bundle") == entry_map() | {"folder/größe.txt": b"umlaut" * 50}


def test_weights_with_a_good_header_are_accepted(tmp_path: Path) -> None:
    tensors: dict[str, Any] = {
        "a": np.zeros((2, 3), np.float32),
        "b": np.ones(5, np.int64),
        "c": np.zeros((0, 4), np.uint8),
    }
    data = save(tensors, metadata={"made": "here"})
    info = inspect_archive(stored(tmp_path, with_weights("w.safetensors", data)))
    assert info.manifest.weights == ("w.safetensors",)


def test_state_dict_form_of_torch_is_accepted(tmp_path: Path) -> None:
    names = ("w/data.pkl", "w/byteorder", "w/data/0", "w/version", "w/.data/serialization_id")
    inspect_archive(stored(tmp_path, with_weights("w.pth", write_zip([file(name, b"1") for name in names]))))


def test_entry_may_be_a_package(tmp_path: Path) -> None:
    parts = [file("manifest.json", manifest(entry="net.core:Model")), file("net/core/__init__.py", b"")]
    assert inspect_archive(stored(tmp_path, write_zip(parts))).manifest.entry == "net.core:Model"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ArchiveLimits(packed=100), "TOO_LARGE"),
        (ArchiveLimits(unpacked=100), "TOO_LARGE"),
        (ArchiveLimits(entries=1), "TOO_MANY_ENTRIES"),
        (ArchiveLimits(directory=10), "BAD_DIRECTORY"),
    ],
)
def test_limits_are_arguments(limits: ArchiveLimits, reason: str, tmp_path: Path) -> None:
    path = stored(tmp_path, write_zip(good_entries()))
    inspect_archive(path, replace(ArchiveLimits(), entries=2))
    with pytest.raises(InvalidArchive) as refused:
        inspect_archive(path, limits)
    assert refused.value.reason == reason


def test_small_file_of_zeros_is_no_bomb(tmp_path: Path) -> None:
    inspect_archive(stored(tmp_path, write_zip(good_entries(file("zeros.bin", bytes(90_000), method=8)))))


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "null byte"])
def test_what_is_no_file_is_refused_without_blocking(kind: str, tmp_path: Path) -> None:
    path = {"folder": tmp_path, "null byte": Path("a\0b")}.get(kind, tmp_path / kind)
    if kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(InvalidArchive) as refused:
        inspect_archive(path)
    assert refused.value.reason == "UNREADABLE"


def test_invalid_manifest_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidManifest, match='unknown key "network"'):
        inspect_archive(stored(tmp_path, write_zip(good_entries(network=True))))


def test_packing_is_the_same_to_the_byte_in_any_order(tmp_path: Path) -> None:
    files = entry_map()
    first = pack_archive(files, tmp_path / "a.zip")
    second = pack_archive(dict(reversed(files.items())), tmp_path / "b.zip")
    assert first == second == hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_packing_refuses_names_that_inspection_would_refuse(tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive) as refused:
        pack_archive(entry_map() | {"../x": b""}, tmp_path / "a.zip")
    assert refused.value.reason == "PATH_TRAVERSAL"
    assert not (tmp_path / "a.zip").exists()


GOOD_NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12
).filter(lambda name: name_problem(name) is None)


@QUICK
@given(
    names=st.lists(GOOD_NAMES, max_size=5, unique_by=lambda n: "x" + n.casefold()),
    data=st.binary(max_size=99),
)
def test_pack_inspect_unpack_gives_the_files_back(
    names: list[str], data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    files = {f"data{i}/{name}": data + bytes([i]) for i, name in enumerate(names)}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files |= entry_map(sha256=digests)
    digest = pack_archive(files, folder / "a.zip")
    info = unpack_archive(folder / "a.zip", folder / "out")
    assert info == inspect_archive(folder / "a.zip")
    assert info.sha256 == digest
    assert tree(folder / "out") == files


def good_bytes() -> bytes:
    weights = save({"a": np.zeros(3, np.float32)})
    digest = hashlib.sha256(weights).hexdigest()
    more = (
        file("w.safetensors", weights),
        file("notes.txt", b"word " * 40, method=8),
        file("d/", mode=0o040755),
    )
    return write_zip(good_entries(*more, weights=["w.safetensors"], sha256={"w.safetensors": digest}))


@settings(QUICK, max_examples=400)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(good_bytes()) - 1), st.integers(0, 255)), min_size=1, max_size=6
    ),
    end=st.one_of(st.none(), st.integers(0, len(good_bytes()))),
)
def test_damaged_archive_raises_nothing_but_invalid_archive(
    changes: list[tuple[int, int]], end: int | None, tmp_path: Path
) -> None:
    data = bytearray(good_bytes())
    for place, value in changes:
        data[place] = value
    path = stored(tmp_path, bytes(data[:end]))
    with contextlib.suppress(InvalidArchive):
        assert "manifest.json" in dict(inspect_archive(path).files)


def run_check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evaluation", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_check_command_prints_what_it_found(tmp_path: Path) -> None:
    path = stored(tmp_path, write_zip(good_entries()))
    plain = run_check(str(path))
    fields = json.loads(run_check(str(path), "--json").stdout)
    assert plain.returncode == 0
    assert "plain-copy 1.0" in plain.stdout
    assert fields["ok"] is True
    assert fields["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert fields["manifest"]["schema"] == 1


def test_check_command_names_the_rule_and_ends_with_status_2(tmp_path: Path) -> None:
    path = stored(tmp_path, write_zip(good_entries(file("../x"))))
    plain = run_check(str(path))
    as_json = run_check(str(path), "--json")
    assert (plain.returncode, as_json.returncode) == (2, 2)
    assert "PATH_TRAVERSAL" in plain.stderr
    assert "../x" in plain.stderr
    assert json.loads(as_json.stdout)["error"]["reason"] == "PATH_TRAVERSAL"


def test_inspection_loads_no_heavy_library() -> None:
    code = "import sys, evaluation.archive; print({'torch', 'numpy', 'skimage'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"
