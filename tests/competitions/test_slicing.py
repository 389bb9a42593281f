"""Slices of a board: which are too thin to say anything, and what the entries score in the others."""

import pytest

from competitions.models import LeaderboardRow, LeaderboardSnapshot, Phase
from competitions.ranking import Entry, PairDesign
from competitions.services.leaderboards import refresh
from competitions.slicing import slice_entries
from evaluation.report import PairScore
from tests.boards import enter_runs

PAIRS = [
    PairDesign(
        f"c{content}-s{style}", "hidden", f"c{content}", f"s{style}", "north" if style < 6 else "south"
    )
    for content in range(3)
    for style in range(9)
]
CULTURES = [pair.culture for pair in PAIRS]


def entry(key: str, north: float, south: float) -> Entry:
    values = {"north": north, "south": south}
    scores = {pair.name: PairScore(pair.name, {"headline": values[pair.culture]}) for pair in PAIRS}
    return Entry(key, False, scores)


def test_an_entry_scores_what_its_pairs_of_the_slice_score() -> None:
    board = slice_entries([entry("a", 0.7, 0.2), entry("b", 0.3, 0.9)], PAIRS, {"culture": CULTURES})
    assert board.scores["a"]["culture"]["north"] == pytest.approx((0.7, 0.7, 0.7))
    assert board.scores["b"]["culture"]["north"] == pytest.approx((0.3, 0.3, 0.3))


def test_a_thin_slice_has_a_size_and_no_score() -> None:
    board = slice_entries([entry("a", 0.7, 0.2)], PAIRS, {"culture": CULTURES})
    north, south = board.sizes["culture"]["north"], board.sizes["culture"]["south"]
    assert (north.n_pairs, north.n_styles, north.is_thin) == (18, 6, False)
    assert (south.n_pairs, south.n_styles, south.is_thin) == (9, 3, True)
    assert set(board.scores["a"]["culture"]) == {"north"}


def test_many_pairs_of_few_styles_are_thin_too() -> None:
    kinds = ["few" if pair.style in ("s0", "s1", "s2", "s3") else "many" for pair in PAIRS]
    sizes = slice_entries([entry("a", 0.7, 0.2)], PAIRS, {"content_kind": kinds}).sizes["content_kind"]
    assert (sizes["few"].n_pairs, sizes["few"].is_thin) == (12, True)
    assert not sizes["many"].is_thin


def test_an_axis_with_one_label_is_the_whole_board_and_no_slice() -> None:
    board = slice_entries([entry("a", 0.7, 0.2)], PAIRS, {"content_kind": ["waves"] * len(PAIRS)})
    assert board.sizes == {}


def test_an_entry_without_an_output_scores_zero_there() -> None:
    nothing = Entry("a", False, {})
    board = slice_entries([nothing], PAIRS, {"culture": CULTURES})
    assert board.scores["a"]["culture"]["north"] == (0.0, 0.0, 0.0)


def test_a_board_without_entries_has_no_slices() -> None:
    assert slice_entries([], PAIRS, {"culture": CULTURES}).sizes == {}


def test_a_snapshot_keeps_its_slices(phase: Phase) -> None:
    enter_runs(phase, 2, scores=lambda place, pair: {"headline": 0.5, "content": 0.5, "style": 0.5})
    refresh(phase_id=phase.pk)
    snapshot = LeaderboardSnapshot.objects.get()
    assert snapshot.slices["culture"] == {"culture-0": [2, 1, True], "culture-1": [2, 1, True]}
    assert all(row.slices == {"culture": {}, "style_family": {}} for row in LeaderboardRow.objects.all())
