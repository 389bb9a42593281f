"""Files on the worker's own disk: datasets put together once, a folder per run that is gone afterwards."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from competitions.selectors.work import Assignment
from competitions.storage import open_file
from evaluation.pairs import PAIRS_FILE, dataset_digest, read_pairs

PRIVATE = 0o700


class DamagedFile(RuntimeError):
    """A stored file does not have the content that its digest promises; a fault of the platform."""


@contextmanager
def run_folder(worker_dir: Path) -> Iterator[Path]:
    """Make a private folder for one run and remove it afterwards."""
    parent = worker_dir / "runs"
    parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def fetch(sha256: str, destination: Path) -> Path:
    """Copy a stored file to the worker's disk and check its digest."""
    digest = hashlib.sha256()
    with open_file(sha256) as source, destination.open("xb") as target:
        while chunk := source.read(2**20):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != sha256:
        raise DamagedFile(f"The stored file {sha256} is damaged.")
    return destination


def dataset_folder(worker_dir: Path, work: Assignment) -> Path:
    """Return the folder with the run's dataset, put together from stored files at first use."""
    parent = worker_dir / "datasets"
    parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    folder = parent / work.dataset_digest
    if folder.is_dir():
        return folder
    building = Path(tempfile.mkdtemp(dir=parent, prefix="building-"))
    try:
        _build(building, work)
        building.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another worker of this machine was first
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def _build(folder: Path, work: Assignment) -> None:
    for sha256 in {d for pair in work.pairs for d in (pair.content_sha256, pair.style_sha256)}:
        fetch(sha256, folder / f"{sha256}.png")
    rows = [
        {
            "id": pair.name,
            "content": f"{pair.content_sha256}.png",
            "style": f"{pair.style_sha256}.png",
            "split": pair.split,
            "style_family": pair.style_family,
            "culture": pair.culture,
            "content_kind": pair.content_kind,
        }
        for pair in work.pairs
    ]
    document = {"schema": 1, "size": work.size, "pairs": rows}
    (folder / PAIRS_FILE).write_text(json.dumps(document), encoding="utf-8")
    if dataset_digest(read_pairs(folder)) != work.dataset_digest:
        raise DamagedFile("The dataset's pairs do not have the digest of its version.")
