"""Ranking: shared ranks, intervals, baselines without a number, and missing is never better than present."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competitions.ranking import Entry, PairDesign, Rank, RankedEntry, rank_entries, split_scores
from evaluation.report import PairScore

PAIRS = [
    PairDesign(f"p{c}{s}", "hidden", f"content{c}", f"style{s}", f"culture{s % 2}")
    for c in range(4)
    for s in range(6)
]
NOISE = np.random.default_rng(7).normal(0, 0.02, (20, len(PAIRS)))

GRID = st.integers(0, 20).map(lambda steps: steps / 20)


def entry(key: str, level: float, *, noise: int = 0, is_baseline: bool = False, missing: int = 0) -> Entry:
    """Make an entry whose pairs score about `level`, the first few of them without a valid output."""
    scores = {}
    for n, pair in enumerate(PAIRS):
        value = float(np.clip(level + NOISE[noise][n], 0, 1))
        values = {"headline": value, "content": value, "style": value, "gram": 1 - value}
        scores[pair.name] = PairScore(
            pair.name, {} if n < missing else values, "MISSING" if n < missing else ""
        )
    return Entry(key, is_baseline, scores)


def board(*entries: Entry, coverage: float = 0.9) -> dict[str, RankedEntry]:
    """Rank with few draws and return the lines by key, best first."""
    return {line.key: line for line in rank_entries(entries, PAIRS, required_coverage=coverage, draws=300)}


def test_better_entries_stand_higher_and_clear_differences_give_certain_ranks() -> None:
    lines = board(entry("low", 0.2, noise=1), entry("high", 0.8, noise=2), entry("mid", 0.5, noise=3))
    assert list(lines) == ["high", "mid", "low"]
    assert [(line.rank.rank, line.rank.low, line.rank.high) for line in lines.values() if line.rank] == [
        (1, 1, 1),
        (2, 2, 2),
        (3, 3, 3),
    ]
    assert [line.rank.group for line in lines.values() if line.rank] == [1, 2, 3]


def test_equal_entries_share_rank_and_group() -> None:
    lines = board(entry("a", 0.5), entry("b", 0.5), entry("c", 0.1, noise=4))
    ranks = {key: line.rank for key, line in lines.items()}
    assert ranks["a"] is not None
    assert ranks["c"] is not None
    assert ranks["a"] == ranks["b"]
    assert (ranks["a"].rank, ranks["c"].rank) == (1, 3)


def test_groups_overlap_and_neighbors_have_a_p_from_10_styles_on() -> None:
    pairs = [PairDesign(f"q{c}{s}", "hidden", f"c{c}", f"s{s}", "k") for c in range(3) for s in range(30)]
    noise = np.random.default_rng(3).normal(0, 0.05, (4, 30))
    noise -= noise.mean(axis=1, keepdims=True)
    levels = {"a": 0.56, "b": 0.53, "c": 0.50, "d": 0.20}
    entries = [
        Entry(
            key,
            False,
            {
                pair.name: PairScore(pair.name, {"headline": level + noise[n, int(pair.style[1:])]})
                for pair in pairs
            },
        )
        for n, (key, level) in enumerate(levels.items())
    ]
    ranks = [
        line.rank for line in rank_entries(entries, pairs, required_coverage=1.0, draws=300) if line.rank
    ]
    assert [(rank.group, rank.group_last) for rank in ranks] == [(1, 1), (1, 2), (2, 2), (3, 3)]
    *between, last = [rank.p_next for rank in ranks]
    assert last is None
    assert [p is not None and p <= 0.05 for p in between] == [False, False, True]
    assert board(entry("a", 0.5), entry("b", 0.9))["b"].rank == Rank(1, 1, 1, 1, 1, None)  # 6 styles: no test


def test_baselines_stand_in_order_without_a_number_and_push_nobody_down() -> None:
    lines = board(entry("mine", 0.4, noise=1), entry("known", 0.9, noise=2, is_baseline=True))
    assert list(lines) == ["known", "mine"]
    assert lines["known"].rank is None
    assert lines["mine"].rank is not None
    assert lines["mine"].rank.rank == 1


def test_below_the_required_coverage_nothing_is_ranked_and_the_reason_is_told() -> None:
    lines = board(entry("best", 0.9, missing=5), entry("other", 0.3, noise=1))
    assert list(lines) == ["other", "best"]
    assert lines["best"].rank is None
    assert lines["best"].unranked_reason == "19 of 24 pairs have a valid output"


def test_missing_outputs_earn_nothing_in_scores_but_do_not_enter_raw_metrics() -> None:
    whole, holed = board(entry("whole", 0.5))["whole"], board(entry("holed", 0.5, missing=1))["holed"]
    assert holed.values["headline"][0] < whole.values["headline"][0]
    assert holed.values["gram"][0] == pytest.approx(whole.values["gram"][0], abs=0.02)
    assert holed.n_valid == len(PAIRS) - 1


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_one_more_failed_pair_never_improves_a_score_or_a_rank_of_any_entry(data: st.DataObject) -> None:
    """Values from a coarse grid, so that ties, zeros and equal entries come up."""
    pairs = PAIRS[: data.draw(st.integers(2, 8))]
    rows = data.draw(
        st.lists(st.lists(GRID, min_size=len(pairs), max_size=len(pairs)), min_size=2, max_size=4)
    )
    failed = [{pair for pair in range(len(pairs)) if data.draw(st.integers(0, 3)) == 0} for _ in rows]
    entries = [scored(n, row, failed[n], pairs) for n, row in enumerate(rows)]
    who, where = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(pairs) - 1))
    worse = scored(who, rows[who], failed[who] | {where}, pairs, is_silent=data.draw(st.booleans()))
    coverage = data.draw(st.sampled_from([0.0, 0.5]))
    before, after = (
        rank_entries(board, pairs, required_coverage=coverage, draws=20)
        for board in (entries, [*entries[:who], worse, *entries[who + 1 :]])
    )
    old, new = (next(line for line in board if line.key == worse.key) for board in (before, after))
    assert all(value[0] <= old.values[name][0] for name, value in new.values.items())
    assert after.index(new) >= before.index(old)
    assert new.rank is None or (old.rank is not None and new.rank.rank >= old.rank.rank)


def scored(
    n: int, row: list[float], failed: set[int], pairs: list[PairDesign], *, is_silent: bool = False
) -> Entry:
    """Make an entry with those values; its failed pairs say so, or are not there at all."""
    scores = {}
    for place, (pair, value) in enumerate(zip(pairs, row, strict=True)):
        if place not in failed:
            values = {"headline": value, "content": value, "style": value}
            scores[pair.name] = PairScore(pair.name, values)
        elif not is_silent:
            scores[pair.name] = PairScore(pair.name, {}, "TIMEOUT")
    return Entry(f"e{n}", False, scores)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(4)))
def test_the_order_of_the_entries_does_not_matter(order: list[int]) -> None:
    entries = [entry(f"e{n}", 0.3 + 0.1 * n, noise=n, is_baseline=n == 2) for n in range(4)]
    assert board(*(entries[n] for n in order)) == board(*entries)


def test_no_entries_make_an_empty_board() -> None:
    assert rank_entries([], PAIRS, required_coverage=0.9) == []


def test_a_runs_own_scores_come_per_split_with_intervals() -> None:
    public = [PairDesign("q0", "public", "c", "s", "k"), PairDesign("q1", "public", "d", "s", "k")]
    scores = dict(entry("x", 0.5).scores) | {
        pair.name: PairScore(pair.name, {"headline": 0.9}) for pair in public
    }
    found = {(s.split, s.metric): s for s in split_scores(scores, [*PAIRS, *public], draws=200)}
    assert found["public", "headline"].value == pytest.approx(0.9)
    assert found["public", "headline"].n == 2
    hidden = found["hidden", "headline"]
    assert hidden.low is not None
    assert hidden.high is not None
    assert hidden.low <= hidden.value <= hidden.high
    assert hidden.low < hidden.high
