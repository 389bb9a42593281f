"""Slices: means of parts, ranks where there is enough, and a reason where there is not."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import InvalidTensor
from evaluation.pairs import Pair
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import bootstrap_means, percentile_interval
from evaluation.statistics.design import Design
from evaluation.statistics.simulation import Effects, Scenario, simulate_board
from evaluation.statistics.slices import pair_labels, slice_gap, slice_scores, worst_slices

SIZES = (8, 6, 4)  # the last is too thin


def board(n_entries: int = 3, seed: int = 0) -> tuple[np.ndarray, Design]:
    scenario = Scenario("test", SIZES, n_contents=4, contents_per_style=4, n_entries=n_entries)
    values, _, design = simulate_board(scenario, np.random.default_rng(seed))
    return values, design


def test_a_slice_has_the_mean_of_its_pairs_and_the_rank_among_entries() -> None:
    values, design = board()
    slices = slice_scores(values, design, design.cultures, draws=200, seed=1)
    assert [(s.label, s.n_pairs, s.n_styles) for s in slices] == [
        ("k0000", 32, 8),
        ("k0001", 24, 6),
        ("k0002", 16, 4),
    ]
    for part in slices:
        chosen = np.array(design.cultures) == part.label
        means = values[:, chosen].mean(axis=1)
        assert [score.value for score in part.scores] == pytest.approx(means.tolist())
        if not part.reason:
            ranks = [1 + int((means > mean).sum()) for mean in means]
            assert [score.rank for score in part.scores] == ranks


def test_ranks_follow_the_direction_and_ties_share_the_better_one() -> None:
    values, design = board()
    values[0] = values[1]
    for direction, sign in ((Direction.HIGHER, 1), (Direction.LOWER, -1)):
        (part, *_) = slice_scores(values, design, design.cultures, direction=direction, draws=50, seed=1)
        means = sign * values[:, :32].mean(axis=1)
        assert [score.rank for score in part.scores] == [1 + int((means > mean).sum()) for mean in means]
        assert part.scores[0].rank == part.scores[1].rank


def test_the_interval_of_a_culture_is_that_of_its_pairs_alone_in_width() -> None:
    values, design = board(1)
    (part, *_) = slice_scores(values, design, design.cultures, draws=4000, seed=1)
    inside = design.select(np.array(design.cultures) == "k0000")
    low, high = percentile_interval(bootstrap_means(values[:, :32], inside, draws=4000, seed=2)[0])
    score = part.scores[0]
    assert score.low is not None
    assert score.high is not None
    assert score.low == pytest.approx(low, abs=0.01)
    assert score.high == pytest.approx(high, abs=0.01)


def test_a_thin_slice_tells_why_it_has_no_rank() -> None:
    values, design = board(2)
    *_, few_styles = slice_scores(values, design, design.cultures, draws=20, seed=1)
    assert few_styles.reason == "4 styles: too few to rank"
    assert all(score.value is not None for score in few_styles.scores)
    assert {(score.low, score.high, score.rank) for score in few_styles.scores} == {(None, None, None)}
    labels = ["few"] * 9 + ["many"] * (design.n_pairs - 9)
    few_pairs, many = slice_scores(values, design, labels, draws=20, seed=1)
    assert few_pairs.reason == "n = 9: too few to rank"
    assert many.reason == ""
    one_style = ["one" if style == "s0000" else "rest" for style in design.styles]
    wide = slice_scores(values, design, one_style, draws=20, seed=1)
    assert wide[0].reason == "n = 4: too few to rank"


def test_an_entry_without_enough_values_in_a_slice_has_no_rank_there_and_takes_none() -> None:
    values, design = board(3)
    values[0, :32] = np.nan
    values[1, :30] = np.nan
    (part, *_) = slice_scores(values, design, design.cultures, draws=20, seed=1)
    assert [score.rank for score in part.scores] == [None, None, 1]
    assert part.scores[0].value is None
    assert part.scores[1].value == pytest.approx(values[1, 30:32].mean())


def test_the_worst_slices_are_told_worst_first_without_thin_ones() -> None:
    values, design = board(2)
    shift = {"k0000": 0.0, "k0001": -0.5, "k0002": -5.0}
    values[1] = [shift[culture] for culture in design.cultures]
    slices = slice_scores(values, design, design.cultures, draws=20, seed=1)
    assert [part.label for part in worst_slices(slices, entry=1)] == ["k0001", "k0000"]
    assert [part.label for part in worst_slices(slices, entry=1, count=1)] == ["k0001"]
    assert [part.label for part in worst_slices(slices, entry=1, direction=Direction.LOWER)] == [
        "k0000",
        "k0001",
    ]
    with pytest.raises(InvalidTensor, match="below 2"):
        worst_slices(slices, entry=2)


def test_the_gap_names_the_best_and_the_worst_and_holds_the_difference() -> None:
    values, design = board(1)
    level = {"k0000": 0.2, "k0001": 0.6, "k0002": 5.0}
    noise = np.random.default_rng(1).normal(0, 0.01, design.n_pairs)
    row = np.array([level[culture] for culture in design.cultures]) + noise
    gap = slice_gap(row, design, design.cultures, draws=300, seed=1)
    assert gap is not None
    assert (gap.best, gap.worst, gap.left_out) == ("k0001", "k0000", ("k0002",))
    assert 0.35 < gap.low < gap.value < gap.high < 0.45
    lower = slice_gap(row, design, design.cultures, direction=Direction.LOWER, draws=300, seed=1)
    assert lower is not None
    assert (lower.best, lower.worst) == ("k0000", "k0001")


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_the_interval_of_a_gap_holds_the_true_one(shift: float) -> None:
    """60 boards of five cultures, equal or apart: noise alone must not look like a gap."""
    effects, covered = Effects(culture=0.0), 0
    scenario = Scenario("gap", (6,) * 5, n_contents=6, contents_per_style=6, n_entries=2, effects=effects)
    for trial in range(60):
        values, _, design = simulate_board(scenario, np.random.default_rng(trial))
        row = values[0] + shift * (np.array(design.cultures) == "k0002")
        gap = slice_gap(row, design, design.cultures, draws=200, seed=trial)
        assert gap is not None
        covered += gap.low <= shift <= gap.high
    assert covered >= 52


def test_a_slice_where_values_are_missing_does_not_count_for_the_gap() -> None:
    values, design = board(1)
    values[0, 32:50] = np.nan  # leaves 6 pairs of the second culture
    assert slice_gap(values[0], design, design.cultures, draws=20, seed=1) is None


def test_one_slice_has_no_gap() -> None:
    values, design = board(1)
    assert slice_gap(values[0], design, ["all"] * design.n_pairs, draws=20, seed=1) is None


def test_labels_come_from_the_pairs_and_must_fit() -> None:
    pair = Pair("p", Path("c"), Path("s"), "c", "s", "hidden", "ink", "east", "portrait")
    labels = [pair_labels([pair], by) for by in ("style_family", "culture", "content_kind", "split")]
    assert labels == [("ink",), ("east",), ("portrait",), ("hidden",)]
    values, design = board(1)
    with pytest.raises(InvalidTensor, match="72 labels, found 1"):
        slice_scores(values, design, ["x"], seed=1)
