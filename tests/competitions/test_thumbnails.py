"""Small copies of stored images: how they are made, kept and made again."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytest_django import Settings

from competitions import thumbnails
from competitions.models import Artifact
from competitions.services.artifacts import store_file
from competitions.thumbnails import WIDTHS, read_thumbnail
from evaluation.images import encode_png
from tests.conftest import smooth_image

pytestmark = pytest.mark.django_db


def store(array: np.ndarray) -> str:
    return store_file(kind=Artifact.Kind.IMAGE, content=io.BytesIO(encode_png(array))).sha256


@pytest.mark.parametrize("width", WIDTHS)
def test_a_copy_is_as_wide_as_asked_for_but_never_wider_than_the_image(width: int) -> None:
    image = Image.open(io.BytesIO(read_thumbnail(store(smooth_image(3, 300)), width)))
    assert image.format == "WEBP"
    assert image.size == (min(width, 300),) * 2


def test_a_copy_keeps_the_shape_and_the_look() -> None:
    whole = smooth_image(3, 320)[:200]
    image = Image.open(io.BytesIO(read_thumbnail(store(whole), 160)))
    assert image.size == (160, 100)
    small = np.asarray(Image.fromarray(whole).resize((160, 100), Image.Resampling.BOX), dtype=float)
    assert np.abs(np.asarray(image.convert("RGB")) - small).mean() < 6


def test_a_copy_is_made_once_and_again_after_the_folder_was_emptied(settings: Settings) -> None:
    digest = store(smooth_image(3, 128))
    first = read_thumbnail(digest, 96)
    (kept,) = (Path(settings.DATA_DIR) / "thumbnails").rglob("*.webp")
    kept.write_bytes(b"kept")
    assert read_thumbnail(digest, 96) == b"kept"
    kept.unlink()
    assert read_thumbnail(digest, 96) == first


def test_a_new_recipe_makes_new_copies(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    digest = store(smooth_image(3, 128))
    read_thumbnail(digest, 96)
    monkeypatch.setattr(thumbnails, "RECIPE", 99)
    read_thumbnail(digest, 96)
    assert len(list((Path(settings.DATA_DIR) / "thumbnails").rglob("*.webp"))) == 2


def test_where_nothing_can_be_written_copies_are_made_each_time(settings: Settings) -> None:
    (Path(settings.DATA_DIR) / "thumbnails").write_text("in the way")
    digest = store(smooth_image(3, 128))
    assert read_thumbnail(digest, 96).startswith(b"RIFF")


def test_the_folder_is_kept_to_its_size_and_the_oldest_copies_go_first(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(thumbnails, "LOOK_EVERY", 1)
    settings.THUMBNAIL_CACHE_MB = 1
    folder = Path(settings.DATA_DIR) / "thumbnails" / "aa"
    folder.mkdir(parents=True)
    for age in range(4):
        old = folder / f"{age}.webp"
        old.write_bytes(bytes(2**18))
        os.utime(old, (1_000_000 - age,) * 2)
    read_thumbnail(store(smooth_image(3, 128)), 96)
    assert sorted(file.name for file in folder.iterdir()) == ["0.webp", "1.webp", "2.webp"]
    assert len(list(folder.parent.rglob("*.webp"))) == 4
    settings.THUMBNAIL_CACHE_MB = 500
    read_thumbnail(store(smooth_image(4, 128)), 96)
    assert len(list(folder.parent.rglob("*.webp"))) == 5
