"""Pictures and loaded generators that the tests of the reference generators share."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from baselines.registry import BASELINES

Picture = Callable[..., np.ndarray]
Load = Callable[[str], Any]


@pytest.fixture(scope="session")
def picture() -> Picture:
    """Return a function that paints colored clouds: uint8 (height, width, 3), another seed, other colors."""

    def paint(height: int, width: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        clouds = ndimage.gaussian_filter(rng.normal(size=(height, width, 3)), (4, 4, 0))
        middle, spread = rng.uniform(90, 160, 3), rng.uniform(15, 35, 3)
        levels = middle + spread * clouds / clouds.std() + rng.normal(0, 3, clouds.shape)
        return np.clip(levels, 0, 255).astype(np.uint8)

    return paint


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Return a function that constructs the `Model` of a baseline on a folder with its bundle files."""

    def construct(name: str) -> Any:
        baseline = BASELINES[name]
        folder: Path = tmp_path_factory.mktemp(name)
        for file, data in baseline.bundle_files().items():
            (folder / file).write_bytes(data)
        return importlib.import_module(baseline.code).Model(str(folder), "cpu")

    return construct
