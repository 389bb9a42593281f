"""Training pictures: folders and generated ones, cultures, and every way in which a folder can be wrong."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from baselines.training.batches import batches, crop
from baselines.training.pictures import (
    GENERATED,
    MissingFolder,
    Pictures,
    TooFewImages,
    UnknownCulture,
    read_contents,
    read_styles,
)
from baselines.training.recipe import Recipe
from evaluation.errors import InvalidImage


@pytest.fixture
def folder(tmp_path: Path, picture) -> Path:
    """Return a folder with two schools of three pictures each."""
    for number, school in enumerate(("cubism", "fauvism")):
        (tmp_path / school).mkdir()
        for k in range(3):
            Image.fromarray(picture(60 + 10 * k, 90, seed=10 * number + k)).save(
                tmp_path / school / f"{k}.png"
            )
    return tmp_path


def test_folders_are_read_with_their_subfolders_and_shrunk(folder: Path) -> None:
    pictures = read_styles((str(folder),), 16)
    assert len(pictures.images) == 6
    assert {min(image.shape[1:]) for image in pictures.images} == {32}
    assert all(image.dtype == torch.uint8 and image.shape[0] == 3 for image in pictures.images)


def test_nothing_is_enlarged(folder: Path) -> None:
    assert {min(image.shape[1:]) for image in read_styles((str(folder),), 200).images} == {60, 70, 80}


def test_a_culture_keeps_its_own_pictures_only(folder: Path) -> None:
    assert len(read_styles((str(folder),), 16, ("Cubism",)).images) == 3
    with pytest.raises(UnknownCulture, match=r"no style images of dada.*cubism, fauvism"):
        read_styles((str(folder),), 16, ("dada",))


def test_the_digest_changes_with_a_pixel(folder: Path) -> None:
    before = read_styles((str(folder),), 16).digest
    assert read_styles((str(folder),), 16).digest == before
    path = folder / "cubism" / "0.png"
    pixels = np.array(Image.open(path))
    pixels[:8] //= 2
    Image.fromarray(pixels).save(path)
    assert read_styles((str(folder),), 16).digest != before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFolder, match=r"no folder .*nowhere.*generated"):
        read_contents((str(tmp_path / "nowhere"),), 16)


def test_an_unreadable_image_is_named(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InvalidImage, match=r"broken\.png cannot be read"):
        read_styles((str(folder),), 16)


def test_too_few_contents_are_refused(folder: Path) -> None:
    with pytest.raises(TooFewImages, match="3 content image.*at least 4"):
        read_contents((str(folder / "cubism"),), 16)


def test_a_style_set_of_one_image_is_refused(folder: Path) -> None:
    for k in (1, 2):
        (folder / "cubism" / f"{k}.png").unlink()
    with pytest.raises(TooFewImages, match="1 style image.*at least 2"):
        read_styles((str(folder / "cubism"),), 16)


def test_generated_pictures_need_no_folder_and_can_be_added_to_one(folder: Path) -> None:
    styles = read_styles((GENERATED, str(folder)), 32, ("Persian", "cubism"))
    assert len(styles.images) == 8 + 3
    assert len(read_contents((GENERATED,), 32).images) == 11


def test_crops_are_squares_that_depend_on_their_number_alone(folder: Path) -> None:
    pictures = read_styles((str(folder),), 32)
    first, again, other = (crop(pictures, 32, np.random.default_rng((0, k))) for k in (1, 1, 2))
    assert first.shape == (3, 32, 32)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_later_batches_are_the_same_after_a_stop(folder: Path) -> None:
    pictures: Pictures = read_styles((str(folder),), 32)
    recipe = Recipe(steps=4, batch=2, size=32)
    whole = list(batches(pictures, pictures, recipe, first=0, device="cpu", workers=0))
    rest = list(batches(pictures, pictures, recipe, first=3, device="cpu", workers=0))
    assert [batch.step for batch in whole] == [0, 1, 2, 3]
    assert torch.equal(rest[0].content, whole[3].content)
    assert torch.equal(rest[0].style, whole[3].style)
    assert rest[0].progress == 0.75
    assert not torch.equal(rest[0].content, rest[0].style)
