"""The painters of style images: each family paints its own kind of picture, again and again the same."""

import numpy as np
import pytest
from PIL import Image

from evaluation.demo.families import FAMILIES, StyleFamily, paint_style

SIZE = 96


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    return {family.name: paint_style(family, 0, SIZE) for family in FAMILIES}


def looks(picture: np.ndarray) -> np.ndarray:
    """Describe a picture by its colors at 10 quantiles and its gradients at three scales."""
    values = picture.astype(float) / 255
    colors = np.quantile(values.reshape(-1, 3), np.linspace(0.05, 0.95, 10), axis=0).ravel()
    gradients = []
    for factor in (1, 3, 6):
        coarse = np.asarray(Image.fromarray(picture).reduce(factor), dtype=float).mean(axis=-1) / 255
        gradients += [np.abs(np.diff(coarse, axis=axis)).mean() for axis in (0, 1)]
    return np.concatenate([colors, 4 * np.array(gradients)])


def test_there_are_fourteen_families_of_many_cultures() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES) == 14
    assert len({family.culture for family in FAMILIES}) >= 10


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("size", [64, 101])
def test_a_picture_is_square_color_and_full_of_detail(family: StyleFamily, size: int) -> None:
    picture = paint_style(family, 3, size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 20
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > size


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_seed_gives_one_picture_and_another_seed_another(
    family: StyleFamily, pictures: dict[str, np.ndarray]
) -> None:
    assert np.array_equal(paint_style(family, 0, SIZE), pictures[family.name])
    assert not np.array_equal(paint_style(family, 1, SIZE), pictures[family.name])


def test_no_two_families_look_alike(pictures: dict[str, np.ndarray]) -> None:
    vectors = {name: looks(picture) for name, picture in pictures.items()}
    names = sorted(vectors)
    distances = {
        (a, b): float(np.linalg.norm(vectors[a] - vectors[b])) for a in names for b in names if a < b
    }
    closest = min(distances, key=lambda pair: distances[pair])
    assert distances[closest] > 0.3, closest
