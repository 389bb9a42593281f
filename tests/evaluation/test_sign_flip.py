"""Sign-flip tests: equal to an independent implementation, honest at their limits; Holm as by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.errors import InvalidTensor
from evaluation.statistics.sign_flip import FLIPS, holm, pairwise_sign_flips, sign_flip_test, smallest_p


def reference(differences: np.ndarray, weights: np.ndarray) -> float:
    """Let scipy enumerate all signs."""
    return float(
        stats.permutation_test(
            (differences * weights,),
            lambda x, axis: x.sum(axis=axis),
            permutation_type="samples",
            n_resamples=np.inf,
            vectorized=True,
        ).pvalue
    )


@pytest.mark.parametrize("shift", [0.0, 0.03, 0.1, -0.2])
def test_all_signs_are_enumerated_where_they_are_few(shift: float) -> None:
    rng = np.random.default_rng(0)
    differences, weights = rng.normal(shift, 0.1, 11), rng.uniform(0.5, 2, 11)
    expected = reference(differences, weights)
    assert sign_flip_test(differences, weights, seed=1) == pytest.approx(expected, abs=1e-12)
    assert sign_flip_test(differences, weights, seed=2) == sign_flip_test(differences, weights, seed=1)


def test_random_signs_come_near_to_all_signs_and_follow_the_seed() -> None:
    differences = np.random.default_rng(3).normal(0.03, 0.1, 16)
    exact = sign_flip_test(differences, flips=2**16, seed=1)
    sampled = sign_flip_test(differences, seed=1)
    assert exact == pytest.approx(reference(differences, np.ones(16)), abs=1e-12)
    assert sampled == pytest.approx(exact, abs=0.015)
    assert sampled == sign_flip_test(differences, seed=1)
    assert sampled != sign_flip_test(differences, seed=2)


def test_a_clear_difference_reaches_the_smallest_p_and_never_0() -> None:
    assert sign_flip_test(np.linspace(1, 2, 40), seed=1) == smallest_p(40) == 1 / (1 + FLIPS)
    assert sign_flip_test(np.linspace(1, 2, 10), seed=1) == smallest_p(10) == 2 / 2**10
    assert smallest_p(13) == 2 / 2**13
    assert smallest_p(14) == 1 / (1 + FLIPS)


def test_no_difference_at_all_gives_p_1() -> None:
    assert sign_flip_test(np.zeros(10), seed=1) == 1.0
    assert sign_flip_test(np.zeros(40), seed=1) == 1.0


def test_ties_of_sums_count_although_rounding_moves_them() -> None:
    """7 for and 3 against, all alike: as far from 0 are the 352 of 1024 sums of at least 4 steps."""
    for order in range(20):
        steps = np.random.default_rng(order).permutation([0.1] * 7 + [-0.1] * 3)
        assert sign_flip_test(steps, seed=1) == 352 / 1024


def test_with_fewer_than_10_styles_no_test_is_reported() -> None:
    assert sign_flip_test(np.ones(9), seed=1) is None
    assert pairwise_sign_flips(np.ones((3, 9)), seed=1) is None


@pytest.mark.parametrize("n_styles", [12, 30])
def test_pairs_of_rows_give_what_each_pair_gives_alone(n_styles: int) -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(0.5, 0.1, (5, n_styles)) + np.array([0, 0.01, 0.05, 0.1, 0.1])[:, None]
    together = pairwise_sign_flips(rows, seed=1)
    assert together is not None
    assert np.array_equal(together, together.T)
    for one in range(5):
        assert together[one, one] == 1
        for other in range(one):
            alone = sign_flip_test(rows[one] - rows[other], seed=1)
            assert together[one, other] == pytest.approx(alone, abs=1e-3)


def test_permuting_rows_permutes_p_values_bit_for_bit() -> None:
    rng = np.random.default_rng(5)
    rows, order = rng.normal(0.5, 0.1, (40, 20)), rng.permutation(40)
    expected, found = pairwise_sign_flips(rows, seed=1), pairwise_sign_flips(rows[order], seed=1)
    assert expected is not None
    assert np.array_equal(found, expected[np.ix_(order, order)])


def test_equal_entries_are_told_apart_as_often_as_alpha_says() -> None:
    """400 boards of noise over 12 styles: p <= .05 in about 20, not in 100 and not in none."""
    noise = np.random.default_rng(6).normal(0, 1, (400, 12))
    rejected = sum((sign_flip_test(row, seed=1) or 1.0) <= 0.05 for row in noise)
    assert 8 <= rejected <= 34


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.9])).tolist() == [1.0, 1.0]
    assert holm(np.array([0.02])).tolist() == [0.02]
    assert holm(np.array([])).tolist() == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_holm_rejects_what_its_steps_reject(p_values: list[float], alpha: float) -> None:
    corrected = holm(np.array(p_values))
    steps, open_ = sorted(p_values), len(p_values)
    while open_ and steps[len(p_values) - open_] * open_ <= alpha:
        open_ -= 1
    assert int((corrected <= alpha).sum()) == len(p_values) - open_
    assert (corrected >= p_values).all()


def test_holm_takes_each_row_as_a_family() -> None:
    rows = np.random.default_rng(7).random((3, 4, 5))
    assert holm(rows)[1, 2].tolist() == holm(rows[1, 2]).tolist()


def test_wrong_input_is_refused() -> None:
    for rows in (np.ones(12), np.full((2, 12), np.nan), np.ones((2, 3, 12))):
        with pytest.raises(InvalidTensor):
            pairwise_sign_flips(rows, seed=1)
    for weights in (np.ones(11), np.zeros(12), np.full(12, np.nan)):
        with pytest.raises(InvalidTensor, match="12 positive weights"):
            sign_flip_test(np.ones(12), weights, seed=1)
    for p_values in ([1.1], [-0.1], [np.nan]):
        with pytest.raises(InvalidTensor, match="0 to 1"):
            holm(np.array(p_values))
