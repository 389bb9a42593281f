"""Groups: what the data cannot tell apart shares one, and they never fall down the board."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import bootstrap_means
from evaluation.statistics.design import Design
from evaluation.statistics.groups import Groups, group_entries


def design(n_styles: int, n_contents: int = 3) -> Design:
    cells = [(style, content) for style in range(n_styles) for content in range(n_contents)]
    return Design(
        tuple(f"s{style:02}" for style, _ in cells),
        tuple(f"c{content}" for _, content in cells),
        ("k",) * len(cells),
    )


def board(levels: list[float], noise: float, n_styles: int, seed: int = 0) -> tuple[np.ndarray, Design]:
    """Make entries whose means are exactly `levels`, with noise of each style, centered."""
    made, rng = design(n_styles), np.random.default_rng(seed)
    by_style = rng.normal(0, noise, (len(levels), n_styles))
    by_style -= by_style.mean(axis=1, keepdims=True)
    return np.array(levels)[:, None] + by_style[:, made.style_of_pair], made


def grouped(
    values: np.ndarray, made: Design, *, direction: Direction = Direction.HIGHER, margin: float = 0.01
) -> Groups:
    draws = bootstrap_means(values, made, draws=400, seed=1)
    return group_entries(values, made, draws, direction=direction, margin=margin, seed=1)


@pytest.mark.parametrize("n_styles", [8, 12, 30])
def test_clear_differences_make_groups_and_a_difference_below_the_margin_none(n_styles: int) -> None:
    values, made = board([0.50, 0.495, 0.30, 0.292, 0.60], 0.001, n_styles)
    found = grouped(values, made)
    assert found.first == found.last == (2, 2, 3, 3, 1)
    assert grouped(values, made, margin=0.0).first == (2, 3, 4, 5, 1)
    assert grouped(values, made, direction=Direction.LOWER).first == (2, 2, 1, 1, 3)


def test_groups_overlap_where_the_ends_differ_and_the_steps_do_not() -> None:
    values, made = board([0.56, 0.53, 0.50], 0.06, 40)
    found = grouped(values, made)
    assert (found.first, found.last) == ((1, 1, 2), (1, 2, 2))
    assert found.are_shared(0, 1)
    assert found.are_shared(2, 1)
    assert not found.are_shared(0, 2)


def test_on_a_full_board_of_small_steps_the_best_and_the_worst_still_differ() -> None:
    values, made = board([0.60 - 0.008 * k for k in range(40)], 0.03, 40)
    found = grouped(values, made)
    assert all(found.are_shared(k, k + 1) for k in range(39))
    assert not found.are_shared(0, 39)
    assert max(found.last) > 3


def test_noise_alone_makes_one_group() -> None:
    values, made = board([0.6, 0.59, 0.57, 0.58, 0.56], 0.5, 30)
    found = grouped(values, made)
    assert found.first == found.last == (1,) * 5


def test_equal_entries_have_equal_groups() -> None:
    values, made = board([0.6, 0.5, 0.45, 0.4], 0.05, 30)
    found = grouped(values[[2, 0, 1, 2, 3, 1]], made)
    assert (found.first[0], found.last[0]) == (found.first[3], found.last[3])
    assert (found.first[2], found.last[2]) == (found.first[5], found.last[5])


@pytest.mark.parametrize(("n_styles", "has_test"), [(9, False), (10, True), (40, True)])
def test_p_values_of_neighbors_are_told_from_10_styles_on(n_styles: int, has_test: bool) -> None:
    values, made = board([0.3, 0.6, 0.59], 0.04, n_styles)
    p_next = grouped(values, made).p_next
    assert p_next[0] is None  # the last one
    if has_test:
        assert p_next[1] is not None
        assert p_next[2] is not None
        assert p_next[2] <= 0.01 < p_next[1]
    else:
        assert p_next == (None, None, None)


def test_where_no_corrected_p_could_be_small_the_intervals_decide() -> None:
    """With 10 styles no p is below 2/1024; corrected for 39 comparisons it would never be below .05."""
    values, made = board([0.01 * k for k in range(40)], 0.001, 10)
    found = grouped(values, made, margin=0.0)
    assert found.p_next == (None,) * 40
    assert found.first == tuple(range(40, 0, -1))


def test_the_test_may_keep_together_what_the_interval_would_part() -> None:
    """Corrected for 9 comparisons, a lead that one interval calls certain is not."""
    values, made = board([0.53] + [0.50] * 9, 0.05, 40, seed=3)
    found = grouped(values, made)
    draws = bootstrap_means(values, made, draws=400, seed=1)
    parted = [k for k in range(1, 10) if (draws[0] > draws[k]).mean() >= 0.975]
    assert any(found.are_shared(0, k) for k in parted)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=7),
    st.sampled_from([0.005, 0.05, 0.3]),
    st.sampled_from([4, 12]),
)
def test_groups_follow_the_ranking_whatever_the_order_of_entries(
    levels: list[float], noise: float, n_styles: int
) -> None:
    values, made = board(levels, noise, n_styles)
    found = grouped(values, made)
    order = np.lexsort((found.last, found.first, -made.means(values)))  # ties in any order
    first, last = np.array(found.first)[order], np.array(found.last)[order]
    assert first[0] == 1
    assert (first <= last).all()
    assert (np.diff(first) >= 0).all()
    assert (np.diff(last) >= 0).all()
    assert set(range(1, last.max() + 1)) == {
        g for f, t in zip(first, last, strict=True) for g in range(f, t + 1)
    }
    shuffle = np.random.default_rng(0).permutation(len(levels))
    again = grouped(values[shuffle], made)
    assert again.first == tuple(np.array(found.first)[shuffle].tolist())
    assert again.last == tuple(np.array(found.last)[shuffle].tolist())


def test_missing_values_and_foreign_draws_are_refused() -> None:
    values, made = board([0.5, 0.4], 0.1, 12)
    draws = bootstrap_means(values, made, draws=10, seed=1)
    with pytest.raises(InvalidTensor, match="2 entries"):
        group_entries(values, made, draws[:1], seed=1)
    values[0, 0] = np.nan
    with pytest.raises(InvalidTensor, match="complete"):
        group_entries(values, made, draws, seed=1)
