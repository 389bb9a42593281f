"""Which images pairs join: numbering, weights and means agree with the board's own average."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.aggregate import hierarchical_mean
from evaluation.errors import InvalidTensor
from evaluation.pairs import Pair
from evaluation.statistics.design import Design, design_of

DESIGN = Design(
    styles=("b", "a", "b", "c", "a", "c"),
    contents=("y", "x", "x", "x", "y", "z"),
    cultures=("k", "k", "k", "m", "k", "m"),
)


def test_images_are_numbered_by_name() -> None:
    assert DESIGN.style_of_pair.tolist() == [1, 0, 1, 2, 0, 2]
    assert DESIGN.content_of_pair.tolist() == [1, 0, 0, 0, 1, 2]
    assert DESIGN.culture_of_style.tolist() == [0, 0, 1]
    assert (DESIGN.n_pairs, DESIGN.n_styles, DESIGN.n_contents) == (6, 3, 3)


def test_means_are_those_of_the_board() -> None:
    rows = np.random.default_rng(0).random((3, 6))
    rows[1, 3] = np.nan
    rows[2] = np.nan
    expected = [hierarchical_mean(row.tolist(), DESIGN.styles, DESIGN.cultures) for row in rows]
    assert DESIGN.means(rows).tolist() == pytest.approx(expected, nan_ok=True)
    assert np.isnan(expected[2])


def test_style_means_and_weights_make_up_the_mean() -> None:
    rows = np.random.default_rng(1).random((4, 6))
    assert DESIGN.style_weights.tolist() == [0.25, 0.25, 0.5]
    assert DESIGN.style_means(rows) @ DESIGN.style_weights == pytest.approx(DESIGN.means(rows))
    rows[0, [0, 2]] = np.nan
    assert np.isnan(DESIGN.style_means(rows)).tolist() == [[False, True, False]] + [[False] * 3] * 3


@pytest.mark.parametrize("n_pairs", [6, 12, 33, 97])
def test_permuting_entries_permutes_means_bit_for_bit(n_pairs: int) -> None:
    rng, numbers = np.random.default_rng(2), range(n_pairs)
    design = Design(
        tuple(f"s{k % 5}" for k in numbers), tuple(f"c{k // 5}" for k in numbers), ("k",) * n_pairs
    )
    rows, order = rng.random((50, n_pairs)), rng.permutation(50)
    rows[3, 0] = np.nan
    for average in (design.means, design.style_means):
        assert np.array_equal(average(rows[order]), average(rows)[order], equal_nan=True)
        assert np.array_equal(average(rows[7:8])[0], average(rows)[7])


def test_means_do_not_depend_on_the_order_of_pairs() -> None:
    order = [3, 0, 5, 1, 4, 2]
    columns = (DESIGN.styles, DESIGN.contents, DESIGN.cultures)
    shuffled = Design(*(tuple(column[k] for k in order) for column in columns))
    rows = np.random.default_rng(3).random((20, 6))
    assert np.array_equal(shuffled.means(rows[:, order]), DESIGN.means(rows))
    assert np.array_equal(shuffled.style_means(rows[:, order]), DESIGN.style_means(rows))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.sets(st.integers(0, 5)), st.integers(0, 5))
def test_one_more_failed_pair_never_raises_a_score(row: list[float], failed: set[int], more: int) -> None:
    before, after = (
        np.where(np.isin(np.arange(6), list(places)), 0.0, row) for places in (failed, failed | {more})
    )
    assert DESIGN.means(after[None])[0] <= DESIGN.means(before[None])[0]
    assert (DESIGN.style_means(after[None]) <= DESIGN.style_means(before[None])).all()


def test_a_part_of_a_design_keeps_the_order_of_its_pairs() -> None:
    part = DESIGN.select(np.array([True, False, True, False, False, True]))
    assert (part.styles, part.contents, part.cultures) == (("b", "b", "c"), ("y", "x", "z"), ("k", "k", "m"))


def test_images_of_a_dataset_are_known_by_their_digests() -> None:
    pair = Pair("p", Path("c.png"), Path("s.png"), "content", "style", "public", "family", "culture", "kind")
    assert design_of([pair]) == Design(("style",), ("content",), ("culture",))


def test_designs_that_cannot_be_are_refused() -> None:
    for columns in ((("s",), ("a", "b"), ("k", "k")), ((), (), ())):
        with pytest.raises(InvalidTensor, match="three columns"):
            Design(*columns)
    with pytest.raises(InvalidTensor, match="two cultures"):
        Design(("s", "s"), ("a", "b"), ("x", "y"))
    for values in (np.ones(6), np.ones((1, 5)), np.full((1, 6), np.inf)):
        with pytest.raises(InvalidTensor, match="6"):
            DESIGN.means(values)


def test_statistics_load_no_torch_and_boards_no_scipy() -> None:
    code = (
        "import sys; from evaluation.statistics import bootstrap, groups; print('scipy' in sys.modules);"
        "from evaluation.statistics import agreement, comparison, ladder, simulation, slices;"
        "print([name for name in ('torch', 'torchvision', 'skimage') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False", "[]"]
