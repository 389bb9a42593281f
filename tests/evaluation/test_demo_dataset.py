"""The demo dataset: what it holds, that splits share nothing, and that it is written the same each time."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from evaluation.cli import cli
from evaluation.demo.dataset import InvalidSize, write_demo_dataset
from evaluation.demo.families import FAMILIES
from evaluation.demo.photos import PHOTOS, MissingPhoto, Photo, crop_photo
from evaluation.images import read_rgb
from evaluation.pairs import Pair, read_pairs

SIZE = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    write_demo_dataset(out, size=SIZE)
    return out


@pytest.fixture(scope="module")
def pairs(folder: Path) -> tuple[Pair, ...]:
    return read_pairs(folder)


def of_split(pairs: tuple[Pair, ...], split: str) -> list[Pair]:
    return [pair for pair in pairs if pair.split == split]


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_there_are_twelve_public_and_forty_eight_hidden_pairs(pairs: tuple[Pair, ...]) -> None:
    assert Counter(pair.split for pair in pairs) == {"public": 12, "hidden": 48}
    assert len({pair.id for pair in pairs}) == 60


def test_hidden_pairs_cross_every_content_with_every_style(pairs: tuple[Pair, ...]) -> None:
    hidden = of_split(pairs, "hidden")
    contents, styles = {pair.content for pair in hidden}, {pair.style for pair in hidden}
    assert (len(contents), len(styles)) == (6, 8)
    assert {(pair.content, pair.style) for pair in hidden} == {(c, s) for c in contents for s in styles}


def test_public_pairs_are_balanced(pairs: tuple[Pair, ...]) -> None:
    public = of_split(pairs, "public")
    assert sorted(Counter(pair.content for pair in public).values()) == [3] * 4
    assert sorted(Counter(pair.style for pair in public).values()) == [2] * 6


def test_splits_share_no_picture_and_no_style_family(pairs: tuple[Pair, ...]) -> None:
    public, hidden = of_split(pairs, "public"), of_split(pairs, "hidden")
    for field in ("content_sha256", "style_sha256", "style_family", "culture"):
        assert not {getattr(pair, field) for pair in public} & {getattr(pair, field) for pair in hidden}


def test_every_hidden_culture_has_two_styles(pairs: tuple[Pair, ...]) -> None:
    families = {(pair.culture, pair.style_family) for pair in of_split(pairs, "hidden")}
    assert sorted(Counter(culture for culture, _ in families).values()) == [2] * 4


def test_crops_of_one_photograph_never_overlap() -> None:
    def spans(photo: Photo) -> tuple[set[int], set[int]]:
        left, top, side = photo.crop
        return set(range(left, left + side)), set(range(top, top + side))

    for first in PHOTOS:
        for second in PHOTOS:
            if first.name < second.name and first.file == second.file:
                (x1, y1), (x2, y2) = spans(first), spans(second)
                assert not (x1 & x2 and y1 & y2), (first.name, second.name)


def test_every_picture_is_an_rgb_png_of_the_size(folder: Path, pairs: tuple[Pair, ...]) -> None:
    used = {pair.content for pair in pairs} | {pair.style for pair in pairs}
    assert used == set(folder.rglob("*.png"))
    assert len(used) == len(PHOTOS) + len(FAMILIES) == 24
    for path in used:
        assert read_rgb(path, SIZE).std() > 5


def test_a_second_run_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_demo_dataset(tmp_path, size=SIZE)
    assert digests(tmp_path) == digests(folder)


def test_another_seed_paints_other_styles_over_the_same_contents(folder: Path, tmp_path: Path) -> None:
    write_demo_dataset(tmp_path, size=SIZE, seed=1)
    before, after = digests(folder), digests(tmp_path)
    same = {name for name in before if before[name] == after[name]}
    assert {name for name in before if name.startswith("content/")} <= same
    assert not any(name.startswith("style/") for name in same)


def test_ids_do_not_follow_the_order_of_pictures(folder: Path) -> None:
    rows = json.loads((folder / "pairs.json").read_text())["pairs"]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert [row["content"] for row in rows] != sorted(row["content"] for row in rows)
    assert [row["style"] for row in rows] != sorted(row["style"] for row in rows)


def test_credits_name_source_and_license_of_every_picture(folder: Path) -> None:
    rows = {row["file"]: row for row in json.loads((folder / "credits.json").read_text())}
    page = (folder / "CREDITS.md").read_text()
    pictures = {str(path.relative_to(folder)) for path in folder.rglob("*.png")}
    assert set(rows) == pictures
    for name, row in rows.items():
        assert all(row.values())
        assert row["license"].startswith(("CC0", "Public domain", "No known copyright"))
        assert (row["source"] == "procedural") == name.startswith("style/")
        assert f"| {name} |" in page


def test_a_photograph_with_another_digest_is_refused() -> None:
    changed = replace(PHOTOS[0], sha256="0" * 64)
    with pytest.raises(MissingPhoto, match="not the one whose license was checked"):
        crop_photo(changed, SIZE)


def test_a_photograph_that_is_not_installed_is_named() -> None:
    with pytest.raises(MissingPhoto, match="nowhere.png is not installed"):
        crop_photo(replace(PHOTOS[0], file="nowhere.png"), SIZE)


def test_a_crop_shows_the_named_region_only() -> None:
    cup = next(photo for photo in PHOTOS if photo.name == "cup")
    whole = crop_photo(cup, 400).astype(int)
    left, top, side = cup.crop
    part = crop_photo(replace(cup, crop=(left + 100, top + 100, 200)), 200).astype(int)
    assert side == 400
    assert np.array_equal(whole[100:300, 100:300], part)


@pytest.mark.parametrize("size", [63, 1025])
def test_an_unreasonable_size_is_refused(size: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidSize, match="64 to 1024"):
        write_demo_dataset(tmp_path, size=size)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_a_readable_dataset(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["demo-data", str(tmp_path / "out"), "--size", "64"])
    assert result.exit_code == 0, result.output
    assert "12 public and 48 hidden pairs of 64 pixels" in result.output
    assert len(read_pairs(tmp_path / "out", split="hidden")) == 48
