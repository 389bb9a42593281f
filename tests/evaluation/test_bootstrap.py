"""The crossed bootstrap: reproducible, paired, honest, and fast enough."""

import time

import numpy as np
import pytest

from evaluation.aggregate import hierarchical_mean
from evaluation.errors import InvalidTensor
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import (
    bootstrap_means,
    indistinguishable_groups,
    percentile_interval,
    rank_intervals,
)

Design = tuple[list[str], list[str], list[str]]


def crossed(styles: int, contents: int, cultures: int = 2) -> Design:
    cells = [(s, c) for s in range(styles) for c in range(contents)]
    return (
        [f"s{s:02d}" for s, _ in cells],
        [f"c{c:02d}" for _, c in cells],
        [f"k{s % cultures}" for s, _ in cells],
    )


def simulate(rng: np.random.Generator, design: Design, mean: float = 0.5) -> np.ndarray:
    styles, contents, _ = design
    effects = {name: rng.normal(0, 0.1) for name in sorted({*styles, *contents})}
    return np.array(
        [mean + effects[s] + effects[c] + rng.normal(0, 0.05) for s, c in zip(styles, contents, strict=True)]
    )


def naive_draw(
    values: np.ndarray, design: Design, style_counts: dict[str, int], content_counts: dict[str, int]
) -> float:
    """One draw, by writing out every drawn style and content."""
    by_culture: dict[str, list[float]] = {}
    for style in sorted(set(design[0])):
        rows = [k for k, name in enumerate(design[0]) if name == style]
        cells = [values[k] for k in rows for _ in range(content_counts[design[1][k]])]
        for _ in range(style_counts[style]):
            by_culture.setdefault(design[2][rows[0]], []).append(float(np.mean(cells)))
    return float(np.mean([np.mean(means) for means in by_culture.values()]))


def test_a_draw_equals_the_one_written_out() -> None:
    design, rng = crossed(4, 3), np.random.default_rng(0)
    values = rng.random(12)
    result = bootstrap_means(values[None], *design, draws=20, seed=7)[0]
    uniform = np.random.Generator(np.random.PCG64(7))
    picks = {k: (uniform.random((20, 2)) * 2).astype(int) for k in (0, 1)}
    contents = (uniform.random((20, 3)) * 3).astype(int)
    for draw in range(20):
        styles = [f"s{2 * i + k:02d}" for k in (0, 1) for i in picks[k][draw]]
        chosen = [f"c{i:02d}" for i in contents[draw]]
        expected = naive_draw(
            values,
            design,
            {name: styles.count(name) for name in set(design[0])},
            {name: chosen.count(name) for name in set(design[1])},
        )
        assert result[draw] == pytest.approx(expected, abs=1e-12)


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not() -> None:
    design = crossed(6, 5)
    values = np.random.default_rng(1).random((3, 30))
    first, again = (bootstrap_means(values, *design, draws=50, seed=3) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, bootstrap_means(values, *design, draws=50, seed=4))


def test_permuting_entries_permutes_rows_bit_for_bit() -> None:
    design, rng = crossed(7, 5), np.random.default_rng(2)
    values, order = rng.random((13, 35)), rng.permutation(13)
    values[4, 3] = np.nan
    draws = bootstrap_means(values, *design, draws=60, seed=1)
    assert np.array_equal(bootstrap_means(values[order], *design, draws=60, seed=1), draws[order])
    assert np.array_equal(bootstrap_means(values[[5]], *design, draws=60, seed=1)[0], draws[5])


def test_permuting_pairs_changes_nothing_but_rounding() -> None:
    design, rng = crossed(6, 4), np.random.default_rng(3)
    values, order = rng.random((2, 24)), rng.permutation(24)
    shuffled = tuple([column[k] for k in order] for column in design)
    expected = bootstrap_means(values, *design, draws=40, seed=1)
    assert bootstrap_means(values[:, order], *shuffled, draws=40, seed=1) == pytest.approx(
        expected, abs=1e-12
    )


def test_a_constant_has_no_spread_and_draws_center_on_the_mean() -> None:
    design, rng = crossed(8, 6), np.random.default_rng(4)
    assert bootstrap_means(np.full((1, 48), 0.3), *design, draws=30, seed=1) == pytest.approx(0.3)
    values = rng.random(48)
    draws = bootstrap_means(values[None], *design, draws=4000, seed=1)[0]
    assert draws.mean() == pytest.approx(hierarchical_mean(values.tolist(), design[0], design[2]), abs=0.01)


def test_draws_are_shared_so_a_constant_lead_is_certain() -> None:
    design = crossed(5, 4)
    values = simulate(np.random.default_rng(5), design)
    draws = bootstrap_means(np.stack([values + 0.02, values]), *design, draws=100, seed=1)
    assert draws[0] - draws[1] == pytest.approx(0.02)


def test_missing_values_are_left_out() -> None:
    design = crossed(5, 4)
    values = np.random.default_rng(6).random((2, 20))
    values[1] = values[0]
    values[1, :4] = np.nan  # a whole style
    draws = bootstrap_means(values, *design, draws=100, seed=1)
    assert np.isfinite(draws).all()
    assert np.abs(draws[0] - draws[1]).max() > 0
    alone = tuple([column[k] for k in range(4, 20)] for column in design)
    assert draws[1].mean() == pytest.approx(
        hierarchical_mean(values[1, 4:].tolist(), alone[0], alone[2]), abs=0.05
    )


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """300 simulated boards, 20 styles x 12 contents: crossed intervals cover near 95 %, not 60 %."""
    design, covered = crossed(20, 12, cultures=1), 0
    for trial in range(300):
        values = simulate(np.random.default_rng(trial), design)
        low, high = percentile_interval(bootstrap_means(values[None], *design, draws=300, seed=trial))
        covered += bool(low[0] <= 0.5 <= high[0])
    assert 0.88 <= covered / 300 <= 0.99


def test_rank_intervals_hold_ties_and_certainty() -> None:
    draws = np.array([[3.0, 3.0, 3.0], [2.0, 2.0, 1.0], [1.0, 2.0, 2.0]])
    low, high = rank_intervals(draws, Direction.HIGHER)
    assert low.tolist() == [1, 2, 2]
    assert high.tolist() == [1, 3, 3]
    low, high = rank_intervals(draws, Direction.LOWER)
    assert (low[0], high[0]) == (3, 3)
    assert low[1:].tolist() == [1, 1]


def test_groups_follow_the_leader() -> None:
    rng = np.random.default_rng(8)
    means = np.array([0.50, 0.495, 0.30, 0.292, 0.60])
    draws = means[:, None] + rng.normal(0, 0.001, (5, 200))
    assert indistinguishable_groups(means, draws, Direction.HIGHER).tolist() == [2, 2, 3, 3, 1]
    assert indistinguishable_groups(means, draws, Direction.HIGHER, margin=0.0).tolist() == [2, 3, 4, 5, 1]
    assert indistinguishable_groups(means, draws, Direction.LOWER).tolist() == [2, 2, 1, 1, 3]
    noisy = means[:, None] + rng.normal(0, 0.5, (5, 200))
    assert indistinguishable_groups(means, noisy, Direction.HIGHER).tolist() == [1] * 5


def test_sparse_designs_stay_finite() -> None:
    names = [f"x{k}" for k in range(3)]
    draws = bootstrap_means(np.array([[1.0, 2.0, 3.0]]), names, names, ["k"] * 3, draws=500, seed=1)
    assert np.isfinite(draws).all()
    assert draws.min() >= 1
    assert draws.max() <= 3


def test_wrong_input_is_refused() -> None:
    design = crossed(2, 2)
    for values in (np.ones((1, 3)), np.ones(4), np.full((1, 4), np.nan)):
        with pytest.raises(InvalidTensor):
            bootstrap_means(values, *design, draws=5, seed=1)
    with pytest.raises(InvalidTensor, match="two cultures"):
        bootstrap_means(np.ones((1, 2)), ["s", "s"], ["a", "b"], ["x", "y"], draws=5, seed=1)
    with pytest.raises(InvalidTensor):
        bootstrap_means(np.ones((1, 2)), ["s", "t"], ["a"], ["x", "y"], draws=5, seed=1)


def test_a_large_board_is_feasible() -> None:
    design = crossed(40, 20, cultures=5)
    values = np.random.default_rng(9).random((200, 800))
    start = time.process_time()
    draws = bootstrap_means(values, *design, seed=1)
    rank_intervals(draws, Direction.HIGHER)
    assert draws.shape == (200, 2000)
    assert time.process_time() - start < 20


def test_cultures_with_one_style_each_still_vary_by_style() -> None:
    design = crossed(8, 6, cultures=8)
    values = np.array([float(name[1:]) / 10 for name in design[0]])  # nothing but the style matters
    low, high = percentile_interval(bootstrap_means(values[None], *design, draws=2000, seed=1)[0])
    standard_error = np.std(np.unique(values)) / np.sqrt(8)
    assert high - low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
