"""Entries differ from each other, and some of them crash on purpose."""

from pathlib import Path

import numpy as np

from evaluation.archive import inspect_archive, unpack_archive
from tests.chaos.entries import PHASES, draw_entries, pack


def stylize(archive: Path, folder: Path, content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Run the packed generator in this process."""
    unpack_archive(archive, folder)
    names: dict[str, type] = {}
    exec((folder / "model.py").read_text(), names)
    picture: np.ndarray = names["Model"](str(folder), "cpu").stylize(content, style)
    return picture


def test_all_entries_differ_in_name_and_weight() -> None:
    entries = draw_entries(500, seed=3)
    assert len({entry.name for entry in entries}) == len({entry.weight for entry in entries}) == 500
    assert {entry.phase for entry in entries} == set(PHASES)
    assert len({entry.team for entry in entries}) == 40


def test_a_twentieth_of_them_crashes() -> None:
    entries = draw_entries(500, seed=3)
    crashing = [entry for entry in entries if entry.crashes]
    assert len(crashing) == 25
    assert {entry.expected_end for entry in crashing} == {("failed", "CRASHED")}
    assert {entry.expected_end for entry in entries if not entry.crashes} == {("scored", "")}


def test_archives_are_accepted_and_mix_by_their_weight(tmp_path: Path) -> None:
    content, style = np.full((8, 8, 3), 200, "uint8"), np.full((8, 8, 3), 100, "uint8")
    for entry in [entry for entry in draw_entries(20, seed=1) if not entry.crashes][:2]:
        archive = pack(entry, tmp_path, crashes_on=int(content.sum()), pause=0)
        assert inspect_archive(archive).manifest.name == entry.name
        picture = stylize(archive, tmp_path / entry.name, content, style)
        assert picture.dtype == np.uint8
        assert picture[0, 0, 0] == round(100 + 100 * entry.weight)


def test_only_a_crashing_entry_knows_at_which_picture_it_crashes(tmp_path: Path) -> None:
    for entry in draw_entries(20, seed=1):
        archive = pack(entry, tmp_path, crashes_on=12_345, pause=0)
        unpack_archive(archive, tmp_path / entry.name)
        assert ("12345" in (tmp_path / entry.name / "model.py").read_text()) == entry.crashes
