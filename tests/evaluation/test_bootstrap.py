"""The crossed bootstrap: reproducible, paired, honest about small cultures, and fast enough."""

import time
import tracemalloc

import numpy as np
import pytest

from evaluation.errors import InvalidTensor
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import bootstrap_means, percentile_interval, rank_intervals
from evaluation.statistics.design import Design


def crossed(*culture_sizes: int, contents: int) -> Design:
    """Cross the styles of all cultures with all contents."""
    cultures = [k for k, size in enumerate(culture_sizes) for _ in range(size)]
    cells = [(style, content) for style in range(len(cultures)) for content in range(contents)]
    return Design(
        tuple(f"s{style:02}" for style, _ in cells),
        tuple(f"c{content:02}" for _, content in cells),
        tuple(f"k{cultures[style]:02}" for style, _ in cells),
    )


def of_style(design: Design, values: np.ndarray) -> np.ndarray:
    """Give all pairs of a style the same value: one row."""
    return values[design.style_of_pair][None]


def permuted(design: Design, order: np.ndarray) -> Design:
    columns = (design.styles, design.contents, design.cultures)
    return Design(*(tuple(column[k] for k in order) for column in columns))


def naive_draw(values: np.ndarray, design: Design, styles: list[int], contents: list[int]) -> float:
    """One draw, by writing out every drawn style and content."""
    by_culture: dict[int, list[float]] = {}
    for style in styles:
        pairs = np.flatnonzero(design.style_of_pair == style)
        cells = [values[pair] for c in contents for pair in pairs if design.content_of_pair[pair] == c]
        if cells:
            by_culture.setdefault(int(design.culture_of_style[style]), []).append(float(np.mean(cells)))
    return float(np.mean([np.mean(means) for means in by_culture.values()]))


def test_a_draw_equals_the_one_written_out() -> None:
    design = crossed(3, 4, contents=5)
    kept = np.random.default_rng(0).permutation(35)[:25]  # incomplete
    design = permuted(design, kept)
    values = np.random.default_rng(1).random(25)
    result = bootstrap_means(values[None], design, draws=40, seed=7)[0]
    of_styles, of_contents = (
        np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(7).spawn(2)
    )
    first = (of_styles.random((40, 2)) * 3).astype(int)  # 2 of 3 styles
    second = 3 + (of_styles.random((40, 3)) * 4).astype(int)  # 3 of 4
    contents = (of_contents.random((40, 4)) * 5).astype(int)  # 4 of 5
    for draw in range(40):
        styles = [*first[draw].tolist(), *second[draw].tolist()]
        expected = naive_draw(values, design, styles, contents[draw].tolist())
        assert result[draw] == pytest.approx(expected, abs=1e-12)


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not() -> None:
    design = crossed(3, 3, contents=5)
    values = np.random.default_rng(1).random((3, 30))
    first, again = (bootstrap_means(values, design, draws=50, seed=3) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, bootstrap_means(values, design, draws=50, seed=4))


def test_a_row_is_the_same_bit_for_bit_whatever_stands_beside_it() -> None:
    design, rng = crossed(4, 3, contents=5), np.random.default_rng(2)
    values, order = rng.random((130, 35)), rng.permutation(130)
    values[4, 3] = np.nan
    draws = bootstrap_means(values, design, draws=600, seed=1)
    assert np.array_equal(bootstrap_means(values[order], design, draws=600, seed=1), draws[order])
    assert np.array_equal(bootstrap_means(values[[5]], design, draws=600, seed=1)[0], draws[5])
    assert np.array_equal(bootstrap_means(values[3:6], design, draws=600, seed=1), draws[3:6])


def test_permuting_pairs_changes_no_bit() -> None:
    design, rng = crossed(3, 3, contents=4), np.random.default_rng(3)
    values, order = rng.random((2, 24)), rng.permutation(24)
    expected = bootstrap_means(values, design, draws=40, seed=1)
    shuffled = bootstrap_means(values[:, order], permuted(design, order), draws=40, seed=1)
    assert np.array_equal(shuffled, expected)


def test_a_constant_has_no_spread_and_draws_center_on_the_mean() -> None:
    design, rng = crossed(4, 4, contents=6), np.random.default_rng(4)
    assert bootstrap_means(np.full((1, 48), 0.3), design, draws=30, seed=1) == pytest.approx(0.3)
    values = rng.random((1, 48))
    draws = bootstrap_means(values, design, draws=4000, seed=1)[0]
    assert draws.mean() == pytest.approx(design.means(values)[0], abs=0.01)


def test_draws_are_shared_so_a_constant_lead_is_certain() -> None:
    design = crossed(3, 2, contents=4)
    values = np.random.default_rng(5).random(20)
    draws = bootstrap_means(np.stack([values + 0.02, values]), design, draws=100, seed=1)
    assert draws[0] - draws[1] == pytest.approx(0.02)


def test_missing_values_are_left_out() -> None:
    design = crossed(3, 2, contents=4)
    values = np.random.default_rng(6).random((2, 20))
    values[1] = values[0]
    values[1, :4] = np.nan  # a whole style
    draws = bootstrap_means(values, design, draws=500, seed=1)
    assert np.isfinite(draws).all()
    assert np.abs(draws[0] - draws[1]).max() > 0
    assert draws[1].mean() == pytest.approx(design.means(values)[1], abs=0.03)


@pytest.mark.parametrize("sizes", [(2,) * 6, (3,) * 4, (12,), (1,) * 12])
def test_the_variance_of_a_mean_over_styles_is_unbiased(sizes: tuple[int, ...]) -> None:
    """Nothing but the style matters, and all cultures spread alike: s^2 / n, however small the cultures are."""
    design = crossed(*sizes, contents=2)
    pattern = {
        1: np.arange(12) / 11,
        2: np.tile([0, 1], 6),
        3: np.tile([0, 0.5, 1], 4),
        12: np.arange(12) / 11,
    }
    values = pattern[sizes[0]]
    within = np.var(values[: sizes[0]] if sizes[0] > 1 else values, ddof=1)
    draws = bootstrap_means(of_style(design, values), design, draws=20_000, seed=1)[0]
    assert draws.var() == pytest.approx(within / 12, rel=0.03)


def test_the_variance_over_contents_is_unbiased_too() -> None:
    design = crossed(2, contents=4)
    values = np.array([0.0, 1.0, 2.0, 5.0])
    draws = bootstrap_means(values[design.content_of_pair][None], design, draws=20_000, seed=1)[0]
    assert draws.var() == pytest.approx(np.var(values, ddof=1) / 4, rel=0.03)


def test_a_lone_style_of_a_culture_is_not_taken_for_certain() -> None:
    design = crossed(6, 4, 1, contents=3)
    values = np.array([0.5] * 10 + [0.9])  # the other cultures do not vary at all
    assert bootstrap_means(of_style(design, values), design, draws=500, seed=1).std() > 0.05


def test_one_style_and_one_content_give_their_value() -> None:
    design = Design(("s",), ("c",), ("k",))
    assert bootstrap_means(np.array([[0.4]]), design, draws=5, seed=1).tolist() == [[0.4] * 5]


def test_sparse_designs_stay_finite() -> None:
    names = ("x", "y", "z")
    draws = bootstrap_means(np.array([[1.0, 2.0, 3.0]]), Design(names, names, ("k",) * 3), draws=500, seed=1)
    assert np.isfinite(draws).all()
    assert draws.min() >= 1
    assert draws.max() <= 3


def test_rank_intervals_hold_ties_and_certainty() -> None:
    draws = np.array([[3.0, 3.0, 3.0], [2.0, 2.0, 1.0], [1.0, 2.0, 2.0]])
    low, high = rank_intervals(draws, Direction.HIGHER)
    assert low.tolist() == [1, 2, 2]
    assert high.tolist() == [1, 3, 3]
    low, high = rank_intervals(draws, Direction.LOWER)
    assert (low[0], high[0]) == (3, 3)
    assert low[1:].tolist() == [1, 1]


def test_the_percentile_interval_holds_its_share_of_the_draws() -> None:
    low, high = percentile_interval(np.stack([np.arange(1001.0), 2 * np.arange(1001.0)]), level=0.9)
    assert low == pytest.approx([50, 100])
    assert high == pytest.approx([950, 1900])


def test_wrong_input_is_refused() -> None:
    design = crossed(2, contents=2)
    for values in (np.ones((1, 3)), np.ones(4), np.full((1, 4), np.nan), np.full((1, 4), np.inf)):
        with pytest.raises(InvalidTensor):
            bootstrap_means(values, design, draws=5, seed=1)


def test_a_large_board_takes_seconds_and_little_memory() -> None:
    design = crossed(8, 8, 8, 8, 8, contents=20)
    values = np.random.default_rng(9).random((200, 800))
    values[np.arange(200), np.arange(200)] = np.nan  # the slow case: everybody lacks another pair
    tracemalloc.start()
    start = time.process_time()
    draws = bootstrap_means(values, design, seed=1)
    rank_intervals(draws, Direction.HIGHER)
    seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert draws.shape == (200, 2000)
    assert seconds < 10
    assert peak < 60e6
