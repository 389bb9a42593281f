"""Reference features: computed once, equal from disk, and never trusted when damaged or foreign."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evaluation.backbones.registry import Backbone, load_backbone
from evaluation.errors import InvalidImage, InvalidPairs
from evaluation.features import Extractor, Features
from evaluation.images import read_rgb, write_png
from evaluation.jitters import IDENTITY
from evaluation.pairs import Pair, read_pairs
from evaluation.references import References, Role
from evaluation.spec import BACKBONE

PYRAMID = load_backbone("oriented-pyramid-1")


def open_references(size: int, cache: Path | None = None, network: Backbone = PYRAMID) -> References:
    extractors = {
        (role, jitter): Extractor({BACKBONE: network}, ["statistics", "content_map", "units", "histogram"])
        for role in Role
        for jitter in (IDENTITY, "flip")
    }
    return References(extractors, size, cache)


@pytest.fixture
def pair(dataset: Path) -> Pair:
    return read_pairs(dataset)[0]


def assert_equal(first: Features, second: Features) -> None:
    assert first.tensors.keys() == second.tensors.keys()
    assert all(torch.equal(tensor, second.tensors[name]) for name, tensor in first.tensors.items())
    assert (first.pixels == second.pixels).all()


def test_features_from_disk_are_bit_equal(pair: Pair, tmp_path: Path) -> None:
    computed = open_references(64, tmp_path / "cache").content(pair.content, pair.content_sha256)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()}
    read = open_references(64, tmp_path / "cache").content(pair.content, pair.content_sha256)
    assert_equal(computed, read)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()} == files
    assert_equal(computed, open_references(64).content(pair.content, pair.content_sha256))


def test_style_features_from_disk_are_bit_equal(pair: Pair, tmp_path: Path) -> None:
    first, second = (
        open_references(64, tmp_path / "cache").style(pair.style, pair.style_sha256) for _ in range(2)
    )
    assert_equal(first, second)


def test_each_jitter_has_features_of_its_own(pair: Pair, tmp_path: Path) -> None:
    references = open_references(64, tmp_path / "cache")
    plain = references.content(pair.content, pair.content_sha256)
    flipped = references.content(pair.content, pair.content_sha256, "flip")
    assert (flipped.pixels == plain.pixels[:, ::-1]).all()
    assert not torch.equal(flipped.layers("content_map")[0], plain.layers("content_map")[0])
    again = open_references(64, tmp_path / "cache").content(pair.content, pair.content_sha256, "flip")
    assert_equal(again, flipped)


def flip_a_payload_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1000] ^= 1
    file.write_bytes(data)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def other_text(file: Path) -> None:
    file.write_bytes(b"not a tensor in sight" * 10)


@pytest.mark.parametrize("damage", [flip_a_payload_bit, cut, empty, other_text])
def test_a_damaged_file_is_made_again(pair: Pair, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    good = open_references(64, tmp_path / "cache").content(pair.content, pair.content_sha256)
    (file,) = (tmp_path / "cache").iterdir()
    before = file.read_bytes()
    damage(file)
    assert_equal(good, open_references(64, tmp_path / "cache").content(pair.content, pair.content_sha256))
    assert file.read_bytes() == before


def test_the_file_of_another_image_is_not_taken(dataset: Path, tmp_path: Path) -> None:
    first, second = read_pairs(dataset)[:2]
    cache = tmp_path / "cache"
    open_references(64, cache).content(first.content, first.content_sha256)
    (file,) = cache.iterdir()
    foreign = file.read_bytes()
    expected = open_references(64, cache).content(second.content, second.content_sha256)
    (other,) = set(cache.iterdir()) - {file}
    other.write_bytes(foreign)
    assert_equal(expected, open_references(64, cache).content(second.content, second.content_sha256))


def test_another_backbone_never_reads_these_files(pair: Pair, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    open_references(64, cache).content(pair.content, pair.content_sha256)
    open_references(64, cache, replace(PYRAMID, digest="0" * 64)).content(pair.content, pair.content_sha256)
    assert len(list(cache.iterdir())) == 2


def test_an_image_that_changed_on_disk_is_refused(pair: Pair) -> None:
    write_png(255 - read_rgb(pair.content), pair.content)
    with pytest.raises(InvalidPairs, match="was changed"):
        open_references(64).content(pair.content, pair.content_sha256)


def test_an_image_of_another_size_is_refused(pair: Pair) -> None:
    with pytest.raises(InvalidImage, match="64 x 64 pixels, expected 128 x 128"):
        open_references(128).content(pair.content, pair.content_sha256)


def test_no_partial_file_is_left(pair: Pair, tmp_path: Path) -> None:
    open_references(64, tmp_path / "cache").content(pair.content, pair.content_sha256)
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".safetensors"]
