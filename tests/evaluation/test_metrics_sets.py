"""Set-level metrics: identities, bias, order, copying, mergeable sums, intervals, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.metrics.moments import Moments
from evaluation.metrics.sets import (
    artfid,
    fid,
    fid_from_moments,
    kid,
    kid_interval,
    kid_subsets,
    precision_recall,
)

DISTANCES = (fid, kid, precision_recall, kid_subsets)


def sample(n: int, seed: int, width: int = 16, shift: float = 0.0) -> np.ndarray:
    return np.maximum(np.random.default_rng(seed).normal(size=(n, width)) + shift, 0)


def clustered(groups: int, each: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Features whose groups differ as much among each other as the features inside a group do."""
    generator = np.random.default_rng(seed)
    centers = generator.normal(size=(groups, 1, 16))
    return np.maximum(centers + generator.normal(size=(groups, each, 16)) + shift, 0).reshape(-1, 16)


def names(groups: int, each: int) -> list[str]:
    return [f"style {k // each}" for k in range(groups * each)]


def test_fid_of_two_lines_by_hand() -> None:
    """Covariances of rank one: the trace of the root is |a . b|."""
    ours = np.array([[0.0, 0.0], [2.0, 0.0]])  # mean (1, 0), covariance (2, 0; 0, 0)
    theirs = np.array([[0.0, 0.0], [2.0, 2.0]])  # mean (1, 1), covariance (2, 2; 2, 2)
    assert fid(ours, theirs) == pytest.approx(1 + 2 + 4 - 2 * 2**0.5 * 2**0.5)


def test_fid_of_a_shifted_set_is_the_squared_shift() -> None:
    ours = sample(100, 0)
    assert fid(ours, ours + 0.5) == pytest.approx(16 * 0.25, rel=1e-9)


def test_kid_by_naive_loops() -> None:
    ours, theirs = sample(5, 0, 3), sample(4, 1, 3)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (sum(a * b for a, b in zip(x, y, strict=True)) / 3 + 1) ** 3

    def within(points: np.ndarray) -> float:
        n = len(points)
        return sum(kernel(points[i], points[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    between = sum(kernel(x, y) for x in ours for y in theirs) / 20
    assert kid(ours, theirs) == pytest.approx(within(ours) + within(theirs) - 2 * between, rel=1e-12)


def test_kid_of_uneven_groups_by_naive_loops() -> None:
    ours, theirs, groups = sample(7, 0, 3), sample(4, 1, 3), ["a", "b", "a", "c", "c", "a", "b"]
    kernel = [
        (x @ y / 3 + 1) ** 3 for i, x in enumerate(ours) for j, y in enumerate(ours) if groups[i] != groups[j]
    ]
    within = [(x @ y / 3 + 1) ** 3 for i, x in enumerate(theirs) for j, y in enumerate(theirs) if i != j]
    between = [(x @ y / 3 + 1) ** 3 for x in ours for y in theirs]
    expected = np.mean(kernel) + np.mean(within) - 2 * np.mean(between)
    assert kid_interval(ours, theirs, groups=groups, seed=0).value == pytest.approx(expected, rel=1e-12)


def test_the_order_of_the_features_changes_nothing() -> None:
    ours, theirs = sample(40, 0), sample(50, 1)
    order = np.random.default_rng(2).permutation(40)
    for distance in (fid, kid):
        assert distance(ours[order], theirs) == pytest.approx(distance(ours, theirs), rel=1e-9)
    assert precision_recall(ours[order], theirs) == precision_recall(ours, theirs)
    groups = names(10, 4)
    shuffled = kid_interval(ours[order], theirs, groups=[groups[k] for k in order], seed=0)
    straight = kid_interval(ours, theirs, groups=groups, seed=0)
    assert (shuffled.value, shuffled.low) == pytest.approx((straight.value, straight.low), rel=1e-9)


def test_copying_the_references_wins_fid_where_an_honest_sample_does_not() -> None:
    references = sample(40, 0)
    assert fid(np.tile(references, (20, 1)), np.tile(references, (20, 1))) == pytest.approx(0, abs=1e-9)
    assert fid(sample(800, 1), references) > 0.5
    assert abs(kid(sample(800, 1), references)) < 0.05


def test_kid_is_unbiased_and_fid_is_not() -> None:
    values = [
        (kid(sample(20, k), sample(30, k + 1000)), fid(sample(20, k), sample(30, k + 1000)))
        for k in range(300)
    ]
    kids, fids = np.array(values).T
    error = kids.std() / np.sqrt(300)
    assert abs(kids.mean()) < 4 * error
    assert fids.min() > 0.3


def test_kid_of_grouped_features_is_unbiased_too() -> None:
    """Outputs in one style resemble each other: counting their pairs would hold that against them."""
    values = []
    for k in range(200):
        ours, theirs = clustered(10, 5, k), clustered(60, 1, k + 1000)
        grouped = kid_interval(ours, theirs, groups=names(10, 5), draws=1, seed=0).value
        values.append((grouped, kid(ours, theirs)))
    grouped_mean, plain_mean = np.mean(values, axis=0)
    error = np.std(values, axis=0)[0] / np.sqrt(200)
    assert abs(grouped_mean) < 4 * error
    assert plain_mean > 8 * error


def test_intervals_over_groups_hold_the_true_value_and_those_over_features_do_not() -> None:
    truth = kid(clustered(3000, 1, 5, shift=0.5), clustered(3000, 1, 6))
    held = {"groups": 0, "features": 0}
    for k in range(60):
        ours, theirs = clustered(20, 5, k, shift=0.5), clustered(100, 1, k + 1000)
        for kind, groups in (("groups", names(20, 5)), ("features", None)):
            found = kid_interval(ours, theirs, groups=groups, draws=200, seed=k)
            assert found.low is not None
            assert found.high is not None
            held[kind] += found.low <= truth <= found.high
    assert held["groups"] >= 50
    assert held["features"] < held["groups"]


def test_an_interval_is_reproducible_and_says_how_many_features_it_saw() -> None:
    ours, theirs = sample(40, 0), sample(50, 1)
    found = kid_interval(ours, theirs, seed=3)
    assert found == kid_interval(ours, theirs, seed=3)
    assert found != kid_interval(ours, theirs, seed=4)
    assert (found.n, found.n_reference) == (40, 50)
    assert found.value == pytest.approx(kid(ours, theirs), rel=1e-9)
    wide = kid_interval(ours, theirs, seed=3, level=0.99)
    assert found.low is not None
    assert wide.low is not None
    assert wide.low < found.low < found.value


def test_few_groups_give_a_value_without_an_interval() -> None:
    found = kid_interval(sample(45, 0), sample(50, 1), groups=names(9, 5), seed=0)
    assert (found.low, found.high) == (None, None)
    assert np.isfinite(found.value)


@pytest.mark.parametrize("n", [12, 300])  # fewer and more features than dimensions
def test_shards_merge_in_any_order_to_the_same_fid(n: int) -> None:
    ours, theirs = sample(n, 0), sample(n + 10, 1, shift=0.2)
    empty = Moments.empty(16)
    shards = [empty.add(part) for part in np.array_split(ours, 3)]
    forwards = shards[0].merge(shards[1]).merge(shards[2])
    backwards = shards[2].merge(shards[1].merge(shards[0]))
    reference = empty.add(theirs)
    assert forwards.n == n
    np.testing.assert_allclose(forwards.mean, ours.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(forwards.covariance, np.cov(ours, rowvar=False), rtol=1e-9, atol=1e-12)
    for merged in (forwards, backwards):
        assert fid_from_moments(merged, reference) == pytest.approx(fid(ours, theirs), rel=1e-9)


def test_half_precision_features_are_summed_in_double() -> None:
    ours, theirs = sample(40, 0).astype(np.float16), sample(50, 1).astype(np.float16)
    assert fid(ours, theirs) == fid(ours.astype(np.float64), theirs.astype(np.float64))
    assert kid(ours, theirs) == kid(ours.astype(np.float64), theirs.astype(np.float64))


def test_artfid_multiplies_and_refuses_negative_numbers() -> None:
    assert artfid(0.5, 19.0) == 30.0
    for bad in ((-0.1, 1.0), (0.1, -1.0), (np.nan, 1.0), (0.1, np.inf)):
        with pytest.raises(InvalidTensor):
            artfid(*bad)


def test_precision_and_recall_of_copies_and_of_another_world() -> None:
    references = sample(100, 0)
    assert precision_recall(references, references).recall == 1
    few = precision_recall(np.tile(references[:4], (25, 1)), references)
    assert few.precision == 1
    assert few.recall == 0.04  # the four themselves, in balls of radius 0
    far = precision_recall(references + 100, references)
    assert (far.precision, far.recall) == (0, 0)


@given(seed=st.integers(0, 2**20), n=st.integers(2, 12), m=st.integers(2, 12), width=st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_distances_are_symmetric_and_zero_for_a_set_and_itself(seed: int, n: int, m: int, width: int) -> None:
    ours, theirs = sample(n, seed, width), sample(m, seed + 1, width)
    assert fid(ours, theirs) >= 0
    assert fid(ours, ours) == pytest.approx(0, abs=1e-9)
    for distance in (fid, kid):
        assert distance(ours, theirs) == pytest.approx(distance(theirs, ours), rel=1e-9, abs=1e-9)


@given(row=st.integers(0, 9), column=st.integers(0, 15), bad=st.sampled_from([np.nan, np.inf, -np.inf]))
@settings(deadline=None, max_examples=20)
def test_one_bad_number_anywhere_is_refused(row: int, column: int, bad: float) -> None:
    broken = sample(10, 0)
    broken[row, column] = bad
    for distance in DISTANCES:
        for pair in ((broken, sample(10, 1)), (sample(10, 1), broken)):
            with pytest.raises(InvalidTensor):
                distance(*pair)
    with pytest.raises(InvalidTensor):
        kid_interval(broken, sample(10, 1), seed=0)
    with pytest.raises(InvalidTensor):
        Moments.empty(16).add(broken)


@pytest.mark.parametrize(
    "broken",
    [sample(1, 0), sample(10, 0)[0], sample(10, 0).astype(np.int64), sample(10, 0, 8), sample(10, 0)[:, :0]],
    ids=["one feature", "dimensions", "dtype", "width", "no width"],
)
def test_wrong_features_are_refused(broken: np.ndarray) -> None:
    for distance in DISTANCES:
        for pair in ((broken, sample(10, 1)), (sample(10, 1), broken)):
            with pytest.raises(InvalidTensor):
                distance(*pair)


def test_the_smallest_size_is_named() -> None:
    with pytest.raises(InvalidTensor, match="at least 2 .* found 1"):
        fid(sample(1, 0), sample(10, 1))
    with pytest.raises(InvalidTensor, match="at least 4 .* found 3"):
        precision_recall(sample(3, 0), sample(10, 1))
    with pytest.raises(InvalidTensor, match="at least 1000 .* found 40"):
        kid_subsets(sample(40, 0), sample(40, 1))
    with pytest.raises(InvalidTensor, match="at least 2 .* found 1"):
        fid_from_moments(Moments.empty(16).add(sample(1, 0)), Moments.empty(16).add(sample(9, 0)))


def test_wrong_settings_are_refused() -> None:
    ours, theirs = sample(20, 0), sample(20, 1)
    with pytest.raises(InvalidTensor):
        precision_recall(ours, theirs, k=0)
    with pytest.raises(InvalidTensor):
        kid_subsets(ours, theirs, size=10, subsets=0)
    with pytest.raises(InvalidTensor):
        kid_interval(ours, theirs, seed=0, level=1.0)
    for groups in (["a"] * 20, ["a", "b"]):
        with pytest.raises(InvalidTensor):
            kid_interval(ours, theirs, groups=groups, seed=0)
    with pytest.raises(InvalidTensor):
        Moments.empty(16).merge(Moments.empty(8))
    with pytest.raises(InvalidTensor):
        fid_from_moments(Moments.empty(16).add(ours), Moments.empty(8).add(ours[:, :8]))
