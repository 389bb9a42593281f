"""The ladder: noise does not move the public best, progress does; public styles come from every culture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.spec import Direction
from evaluation.statistics.bootstrap import bootstrap_means
from evaluation.statistics.design import Design
from evaluation.statistics.ladder import climb, public_best, public_styles
from evaluation.statistics.simulation import Scenario, simulate_board

SCENARIO = Scenario("test", (6, 6), n_contents=5, contents_per_style=5, n_entries=2)


def board() -> tuple[np.ndarray, Design]:
    values, _, design = simulate_board(SCENARIO, np.random.default_rng(0))
    return values, design


def test_the_best_moves_by_one_standard_error_and_not_by_less() -> None:
    values, design = board()
    best, noise = values[0], values[1] - values[0]
    noise = noise - design.means(noise[None])[0]
    error = float(bootstrap_means(noise[None], design, seed=1).std())
    below, above = (climb(best, best + noise + gain, design, seed=1) for gain in (0.99 * error, 1.01 * error))
    assert (below.moves, above.moves) == (False, True)
    assert above.gain == pytest.approx(1.01 * error)
    assert above.standard_error == pytest.approx(error)


def test_equal_and_worse_ones_do_not_move_it() -> None:
    values, design = board()
    assert not climb(values[0], values[0], design, seed=1).moves
    assert not climb(values[0], values[0] - 0.1, design, seed=1).moves
    assert climb(values[0], values[0] + 1e-6, design, seed=1).moves  # better everywhere alike: no noise


def test_the_direction_decides_what_better_means() -> None:
    values, design = board()
    step = climb(values[0], values[0] - 0.1, design, direction=Direction.LOWER, seed=1)
    assert (step.moves, step.gain) == (True, pytest.approx(0.1))


def test_the_public_best_stands_until_it_is_beaten() -> None:
    values, design = board()
    start = values[0]
    submissions = [start, start - 0.1, start + 0.2, start + 0.1, start + 0.3]
    assert public_best(submissions, design, draws=100, seed=1) == (0, 0, 2, 2, 4)
    assert public_best([], design, seed=1) == ()


def test_many_tries_of_equal_merit_move_it_seldom() -> None:
    """Thirty entries that differ by noise: the plain best would move about four times."""
    scenario = Scenario("noise", (6, 6), n_contents=5, contents_per_style=5, n_entries=30)
    moves = plain = 0
    for trial in range(5):
        values, _, design = simulate_board(scenario, np.random.default_rng(trial))
        values -= design.means(values)[:, None] - np.random.default_rng(trial).normal(0.5, 0.01, (30, 1))
        moves += len(set(public_best(list(values), design, draws=100, seed=trial)))
        plain += len(set(np.maximum.accumulate(design.means(values)).tolist()))
    assert moves < plain / 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 2**32), st.floats(0.05, 0.95))
def test_public_styles_are_a_share_of_every_culture(sizes: list[int], seed: int, share: float) -> None:
    cultures = [f"k{k}" for k, size in enumerate(sizes) for _ in range(size)]
    names = [f"s{n:03}" for n in range(len(cultures))]
    design = Design(tuple(names), ("c",) * len(names), tuple(cultures))
    chosen = public_styles(design, share=share, seed=seed)
    assert chosen == public_styles(design, share=share, seed=seed)
    assert chosen <= set(names)
    assert abs(len(chosen) - share * len(names)) < 1
    for culture in set(cultures):
        members = {name for name, its in zip(names, cultures, strict=True) if its == culture}
        assert abs(len(chosen & members) - share * len(members)) < 1 + 1e-9


def test_another_seed_chooses_other_styles() -> None:
    _, design = board()
    assert len({public_styles(design, seed=seed) for seed in range(10)}) > 5


def test_wrong_input_is_refused() -> None:
    values, design = board()
    for share in (0.0, 1.0, -0.3, 1.5):
        with pytest.raises(InvalidTensor, match="share"):
            public_styles(design, share=share, seed=1)
    with pytest.raises(InvalidTensor, match="missing"):
        climb(values[0], np.full(design.n_pairs, np.nan), design, seed=1)
    with pytest.raises(InvalidTensor, match="60"):
        climb(values[0][:5], values[1][:5], design, seed=1)
