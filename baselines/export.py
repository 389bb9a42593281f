"""Export reference generators to the archives that a participant would upload, the same bytes every time."""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from baselines.baseline import WEIGHTS_FILE, Baseline
from baselines.record import RECORD_FILE, read_record
from baselines.registry import BASELINES
from evaluation.archive import pack_archive
from evaluation.errors import EvaluationError, WeightsMissing
from evaluation.files import write_atomic
from evaluation.manifest import MANIFEST_FILE, RUNTIMES, WEIGHTS, ImageIO, Manifest
from evaluation.shipped import SHIPPED_FILE

Format = Literal["python", "onnx"]
ONNX_FILE = "generator.onnx"

_MAX_SIDE = 1024


class UnknownBaseline(EvaluationError):
    """There is no baseline of that name."""

    code = "UNKNOWN_BASELINE"


class NoSuchFormat(EvaluationError):
    """Only learned baselines can be exported to ONNX."""

    code = "NO_SUCH_FORMAT"


@dataclass(frozen=True)
class Export:
    """One archive that was written."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class Variant:
    """How a learned baseline is exported, where not as shipped; `run` is the folder of a training."""

    form: Format = "python"
    strength: float = 1.0
    run: Path | None = None


_SHIPPED = Variant()


def get_baseline(name: str) -> Baseline:
    """Look up a baseline.

    Raises:
        UnknownBaseline: names those that exist.
    """
    if name not in BASELINES:
        known = ", ".join(BASELINES)
        raise UnknownBaseline(f"There is no baseline {name!r}.", fix=f"Known baselines: {known}.")
    return BASELINES[name]


def ready_names() -> list[str]:
    """List the baselines that can be exported as shipped: all but those that were never trained."""
    return [name for name, baseline in BASELINES.items() if baseline.is_ready]


def export_baseline(name: str, folder: Path, variant: Variant = _SHIPPED) -> Export:
    """Write NAME.zip into the folder.

    Raises:
        UnknownBaseline: no such baseline.
        WeightsMissing: it was not trained.
        NoSuchFormat: ONNX of what is no network.
    """
    baseline = get_baseline(name)
    files = _files(baseline, variant)
    files[MANIFEST_FILE] = (
        build_manifest(baseline, files, _training_data(baseline, variant)).to_json().encode()
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    return Export(name, path, pack_archive(files, path))


def build_manifest(baseline: Baseline, files: dict[str, bytes], training_data: str) -> Manifest:
    """Write down what the archive holds, with the digest of every file."""
    form: Format = "onnx" if ONNX_FILE in files else "python"
    weights = sorted(name for name in files if PurePosixPath(name).suffix in WEIGHTS[form])
    return Manifest(
        schema=1,
        name=baseline.archive_name,
        version=baseline.version,
        format=form,
        entry=ONNX_FILE if form == "onnx" else "model:Model",
        runtime=RUNTIMES[0],
        weights=tuple(weights),
        io=ImageIO(
            dtype="float32" if form == "onnx" else "uint8",
            layout="NCHW" if form == "onnx" else "HWC",
            max_side=_MAX_SIDE,
        ),
        deterministic=True,
        license=baseline.license,
        training_data=training_data,
        paper=baseline.paper,
        title=baseline.title,
        description=baseline.description,
        sha256={name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    )


def export_digests() -> dict[str, str]:
    """Export every baseline into a folder that is thrown away, and return the digests of the archives."""
    with tempfile.TemporaryDirectory(prefix="pastiche-export-") as folder:
        return {name: export_baseline(name, Path(folder)).sha256 for name in ready_names()}


def write_digests(path: Path = SHIPPED_FILE) -> dict[str, str]:
    """Write the list by which workers recognize the archives that the project ships."""
    digests = export_digests()
    write_atomic(path, (json.dumps(digests, indent=1) + "\n").encode())
    return digests


def changed_digests(path: Path = SHIPPED_FILE) -> list[str]:
    """Name the baselines whose archive differs from the list, that are missing there, or that are no more."""
    listed, exported = json.loads(path.read_text(encoding="utf-8")), export_digests()
    return sorted(name for name in {*listed, *exported} if listed.get(name) != exported.get(name))


def _training_data(baseline: Baseline, variant: Variant) -> str:
    if baseline.kind != "learned":
        return "none"
    return read_record(baseline.record if variant.run is None else variant.run / RECORD_FILE).note


def _files(baseline: Baseline, variant: Variant) -> dict[str, bytes]:
    if baseline.kind != "learned":
        if variant != _SHIPPED:
            raise NoSuchFormat(f"{baseline.name} is no trained network.", fix="Leave out the options.")
        return baseline.bundle_files()
    weights = baseline.weights if variant.run is None else variant.run / WEIGHTS_FILE
    if not weights.exists():
        raise WeightsMissing(
            f"{baseline.name} has no weights at {weights}.",
            fix=f"Run: python -m baselines train {baseline.name}",
        )
    if variant.form == "onnx":
        from baselines.onnx_graph import (
            export_graph,
        )  # loads torch, which archives of Python files do not need

        return {ONNX_FILE: export_graph(baseline, weights.read_bytes(), variant.strength)}
    return baseline.bundle_files(weights, variant.strength)
