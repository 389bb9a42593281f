"""Fixtures for every room: a small real dataset, a competition, people, and archives."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.archive import pack_archive
from evaluation.images import write_png
from evaluation.pairs import PAIRS_FILE
from evaluation.spec import MetricSuite, load_suite

SIZE = 64
IDENTITY = """
class Model:
    def __init__(self, bundle_dir, device):
        pass

    def stylize(self, content, style):
        return content
"""


def smooth_image(seed: int, size: int = SIZE) -> np.ndarray:
    """Draw a smooth random picture: a few waves in each channel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    image = np.zeros((size, size, 3))
    for channel in range(3):
        for _ in range(4):
            a, b, phase = rng.normal(0, 12, 2).tolist() + [rng.uniform(0, 6.28)]
            image[:, :, channel] += np.sin(a * x + b * y + phase)
    low, high = image.min(), image.max()
    return np.round((image - low) / (high - low) * 255).astype(np.uint8)


def write_dataset(
    folder: Path, *, n_public: int = 2, hidden: tuple[int, int] = (2, 2), size: int = SIZE
) -> Path:
    """Write a dataset folder: public pairs, and hidden contents crossed with hidden styles."""
    rows, seed = [], 0

    def image(name: str) -> str:
        nonlocal seed
        seed += 1
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_png(smooth_image(seed, size), folder / name)
        return name

    def row(split: str, content: str, style: str, n: int) -> dict[str, str]:
        labels = {"style_family": f"family-{n % 3}", "culture": f"culture-{n % 2}", "content_kind": "waves"}
        return {"id": f"p{len(rows):03d}", "content": content, "style": style, "split": split} | labels

    for n in range(n_public):
        rows.append(row("public", image(f"content/public{n}.png"), image(f"style/public{n}.png"), n))
    contents = [image(f"content/hidden{n}.png") for n in range(hidden[0])]
    styles = [image(f"style/hidden{n}.png") for n in range(hidden[1])]
    for content in contents:
        for n, style in enumerate(styles):
            rows.append(row("hidden", content, style, n))
    (folder / PAIRS_FILE).write_text(json.dumps({"schema": 1, "size": size, "pairs": rows}))
    return folder


def manifest_of(name: str) -> dict[str, object]:
    """Return a good manifest of a `python` archive."""
    return {
        "schema": 1,
        "name": name,
        "version": "1.0.0",
        "format": "python",
        "entry": "model:Model",
        "runtime": "py311-torch215",
        "io": {"dtype": "uint8", "layout": "HWC", "max_side": 512},
        "deterministic": True,
        "license": "MIT",
    }


def python_archive(path: Path, code: str = IDENTITY, **changes: object) -> Path:
    """Pack a `python` archive around the source of its model.py."""
    manifest = manifest_of(path.stem) | changes
    pack_archive({"manifest.json": json.dumps(manifest).encode(), "model.py": code.encode()}, path)
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset folder with 2 public and 4 hidden pairs of 64 × 64 pixels."""
    return write_dataset(tmp_path / "dataset")


@pytest.fixture
def suite() -> MetricSuite:
    """The demo suite at the size of the small test images."""
    return dataclasses.replace(load_suite("sts-demo-1"), name="sts-test", size=SIZE)


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that packs a `python` archive: name, code, changes to the manifest."""

    def make(name: str = "identity", code: str = IDENTITY, **changes: object) -> Path:
        folder = tmp_path / "archives"
        folder.mkdir(exist_ok=True)
        return python_archive(folder / f"{name}.zip", code, **changes)

    return make
