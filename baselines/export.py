"""Export reference generators to the archives that a participant would upload, the same bytes every time."""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from baselines.registry import BASELINES, Baseline
from evaluation.archive import pack_archive
from evaluation.errors import EvaluationError
from evaluation.manifest import MANIFEST_FILE, RUNTIMES, WEIGHTS, ImageIO, Manifest
from evaluation.shipped import SHIPPED_FILE

_MAX_SIDE = 1024


class UnknownBaseline(EvaluationError):
    """There is no baseline of that name."""

    code = "UNKNOWN_BASELINE"


@dataclass(frozen=True)
class Export:
    """One archive that was written."""

    name: str
    path: Path
    sha256: str


def get_baseline(name: str) -> Baseline:
    """Look up a baseline.

    Raises:
        UnknownBaseline: names those that exist.
    """
    if name not in BASELINES:
        known = ", ".join(BASELINES)
        raise UnknownBaseline(f"There is no baseline {name!r}.", fix=f"Known baselines: {known}.")
    return BASELINES[name]


def export_baseline(name: str, folder: Path) -> Export:
    """Write NAME.zip into the folder.

    Raises:
        UnknownBaseline: no such baseline.
    """
    baseline = get_baseline(name)
    files = baseline.bundle_files()
    files[MANIFEST_FILE] = build_manifest(baseline, files).to_json().encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    return Export(name, path, pack_archive(files, path))


def build_manifest(baseline: Baseline, files: dict[str, bytes]) -> Manifest:
    """Write down what the archive holds, with the digest of every file."""
    weights = sorted(name for name in files if PurePosixPath(name).suffix in WEIGHTS["python"])
    return Manifest(
        schema=1,
        name=baseline.name,
        version=baseline.version,
        format="python",
        entry="model:Model",
        runtime=RUNTIMES[0],
        weights=tuple(weights),
        io=ImageIO(dtype="uint8", layout="HWC", max_side=_MAX_SIDE),
        deterministic=True,
        license=baseline.license,
        training_data=baseline.training_data,
        paper=baseline.paper,
        title=baseline.title,
        description=baseline.description,
        sha256={name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    )


def export_digests() -> dict[str, str]:
    """Export every baseline into a folder that is thrown away, and return the digests of the archives."""
    with tempfile.TemporaryDirectory(prefix="pastiche-export-") as folder:
        return {name: export_baseline(name, Path(folder)).sha256 for name in BASELINES}


def write_digests(path: Path = SHIPPED_FILE) -> dict[str, str]:
    """Write the list by which workers recognize the archives that the project ships."""
    digests = export_digests()
    path.write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
    return digests


def changed_digests(path: Path = SHIPPED_FILE) -> list[str]:
    """Name the baselines whose archive differs from the list, that are missing there, or that are no more."""
    listed, exported = json.loads(path.read_text(encoding="utf-8")), export_digests()
    return sorted(name for name in {*listed, *exported} if listed.get(name) != exported.get(name))
