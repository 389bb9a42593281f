"""Strict reading, atomic writing, resizing and rounding of pictures."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import InvalidImage, InvalidTensor
from evaluation.images import MAX_SIDE, encode_png, read_rgb, resize_square, to_uint8, write_png


def random_image(height: int = 24, width: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(width: int, height: int, depth: int = 8, color_type: int = 2, body: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_write_then_read_gives_the_same_pixels(tmp_path: Path) -> None:
    image = random_image()
    write_png(image, tmp_path / "a.png")
    assert np.array_equal(read_rgb(tmp_path / "a.png", (24, 40)), image)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_equal_pictures_give_equal_bytes_without_metadata() -> None:
    data = encode_png(random_image())
    assert data == encode_png(random_image().copy(order="F"))
    assert not any(kind in data for kind in (b"tEXt", b"tIME", b"iTXt", b"pHYs"))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "I;16"])
def test_other_modes_are_refused_by_name(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (16, 16)).save(tmp_path / "a.png")
    with pytest.raises(InvalidImage, match=r"a\.png is a .*, expected 8-bit RGB"):
        read_rgb(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.jpg", "a.bmp", "a.gif"])
def test_other_formats_are_refused_whatever_their_name(tmp_path: Path, name: str) -> None:
    Image.fromarray(random_image()).save(tmp_path / name)
    (tmp_path / name).rename(tmp_path / "a.png")
    with pytest.raises(InvalidImage, match="not a PNG"):
        read_rgb(tmp_path / "a.png")


def test_wrong_size_is_named_with_the_expected_one(tmp_path: Path) -> None:
    write_png(random_image(), tmp_path / "a.png")
    with pytest.raises(InvalidImage, match="40 x 24 pixels, expected 32 x 32"):
        read_rgb(tmp_path / "a.png", 32)


def test_missing_file_is_an_image_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidImage, match="cannot be read"):
        read_rgb(tmp_path / "none.png")


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = encode_png(random_image(8, 8))
    for length in range(len(data)):
        (tmp_path / "a.png").write_bytes(data[:length])
        with pytest.raises(InvalidImage):
            read_rgb(tmp_path / "a.png")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(MAX_SIDE + 1, 10, body=zlib.compress(b"\0" * 100)))
    with pytest.raises(InvalidImage, match="expected 1 to 4096"):
        read_rgb(tmp_path / "a.png")


def test_a_transparent_color_and_an_animation_are_refused(tmp_path: Path) -> None:
    image = Image.fromarray(random_image())
    image.save(tmp_path / "transparent.png", transparency=(1, 2, 3))
    image.save(tmp_path / "moving.png", save_all=True, append_images=[Image.fromarray(random_image(seed=1))])
    for name in ("transparent.png", "moving.png"):
        with pytest.raises(InvalidImage, match="animated or has a transparent color"):
            read_rgb(tmp_path / name)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_only_uint8_rgb_is_encoded(array: np.ndarray) -> None:
    with pytest.raises(InvalidTensor):
        encode_png(array)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_png(random_image(), tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_resize_square_takes_the_center_and_keeps_flat_colors() -> None:
    wide = np.zeros((20, 60, 3), dtype=np.uint8)
    wide[:, 20:40] = (200, 100, 50)
    square = resize_square(Image.fromarray(wide), 10)
    assert square.shape == (10, 10, 3)
    assert np.array_equal(square, np.full((10, 10, 3), (200, 100, 50)))


def test_to_uint8_rounds_and_does_not_floor() -> None:
    values = np.array([-0.1, 0.0, 0.999 / 255, 1.6 / 255, 254.6 / 255, 1.0, 1.5])
    assert to_uint8(values).tolist() == [0, 0, 1, 2, 255, 255, 255]
    assert np.array_equal(to_uint8(random_image() / 255.0), random_image())


@pytest.mark.parametrize("values", [np.array([np.nan]), np.array([np.inf]), np.array([1])])
def test_to_uint8_refuses_what_is_not_a_finite_float(values: np.ndarray) -> None:
    with pytest.raises(InvalidTensor):
        to_uint8(values)
