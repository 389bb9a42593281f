"""The trade-off plot: where points stand, who is on the frontier, which names are written."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from competitions.selectors.leaderboards import Estimate, RowView
from frontend.plots import MAX_POINTS, anchor_of, frontier_of, tradeoff_plot


def row(number: int, content: float, style: float, *, half: float = 0.02, kind: str = "entry") -> RowView:
    values = {"content": content, "style": style}
    return RowView(
        position=number,
        rank=None if kind == "baseline" else number,
        rank_low=None,
        rank_high=None,
        group=None,
        group_last=None,
        p_next=None,
        name=f"row-{number}",
        team="",
        kind=kind,
        submission_id=UUID(int=number << 96),
        run_id=UUID(int=number),
        values={name: Estimate(value, value - half, value + half) for name, value in values.items()},
        n_valid=4,
        unranked_reason="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        strip=frozenset(),
        flags=(),
        maker_id=uuid4(),
    )


def test_more_content_is_further_right_and_more_style_higher() -> None:
    plot = tradeoff_plot([row(1, 0.8, 0.3), row(2, 0.4, 0.6)])
    assert plot is not None
    first, second = plot.points
    assert first.x > second.x
    assert first.y > second.y  # downwards
    assert first.x_low < first.x < first.x_high
    assert first.y_low > first.y > first.y_high


def test_bars_are_as_long_as_the_intervals() -> None:
    plot = tradeoff_plot([row(1, 0.5, 0.5, half=0.1), row(2, 0.5, 0.5, half=0.05)])
    assert plot is not None
    wide, narrow = plot.points
    assert wide.x_high - wide.x_low == pytest.approx(2 * (narrow.x_high - narrow.x_low), abs=0.3)


def test_the_frontier_holds_whom_nobody_beats_in_both() -> None:
    best_content, middle, beaten, best_style = (
        row(1, 0.9, 0.2),
        row(2, 0.6, 0.5),
        row(3, 0.5, 0.4),
        row(4, 0.3, 0.8),
    )
    assert frontier_of([beaten, best_style, best_content, middle]) == (best_style, middle, best_content)


def test_of_equal_content_the_better_style_is_on_the_frontier() -> None:
    weak, strong = row(1, 0.5, 0.2), row(2, 0.5, 0.4)
    assert frontier_of([weak, strong]) == (strong,)


def test_baselines_are_drawn_but_bound_nothing() -> None:
    plot = tradeoff_plot([row(1, 0.5, 0.5), row(2, 0.99, 0.9, kind="baseline")])
    assert plot is not None
    assert [point.is_frontier for point in plot.points] == [True, False]
    assert len(plot.frontier.split()) == 1


def test_without_entries_the_baselines_make_the_frontier() -> None:
    plot = tradeoff_plot([row(1, 0.5, 0.5, kind="baseline"), row(2, 0.9, 0.1, kind="baseline")])
    assert plot is not None
    assert len(plot.frontier.split()) == 2


def test_what_is_not_ranked_or_has_no_scores_is_not_drawn() -> None:
    incomplete = replace(row(1, 0.5, 0.5), unranked_reason="1 of 4 pairs have a valid output")
    unscored = replace(row(2, 0.5, 0.5), values={})
    assert tradeoff_plot([incomplete, unscored]) is None
    plot = tradeoff_plot([incomplete, row(3, 0.5, 0.5)])
    assert plot is not None
    assert [point.row.position for point in plot.points] == [3]


def test_everything_stays_inside_of_the_axes_at_the_ends_of_the_scale() -> None:
    plot = tradeoff_plot([row(1, 0.0, 1.0, half=0.2), row(2, 1.0, 0.0, half=0.2)])
    assert plot is not None
    for point in plot.points:
        assert plot.left <= point.x_low <= point.x_high <= plot.right
        assert plot.top <= point.y_high <= point.y_low <= plot.bottom
    assert {tick.text for tick in plot.x_ticks} >= {"0", "100"}


def test_names_cover_neither_points_nor_each_other() -> None:
    plot = tradeoff_plot([row(n, 0.5 + n / 1000, 0.5, half=0.3) for n in range(1, 30)])
    assert plot is not None
    named = [point for point in plot.points if point.name]
    assert 0 < len(named) < 29
    assert all(point.name == f"row-{point.row.position}" for point in named)
    assert len({(point.name_x, point.name_y) for point in named}) == len(named)


def test_a_long_board_draws_its_best_rows_and_counts_the_rest() -> None:
    rows = [row(n, 0.5, 0.9 - n / 1000) for n in range(1, MAX_POINTS + 51)]
    plot = tradeoff_plot([*rows, row(999, 0.99, 0.01)])
    assert plot is not None
    assert len(plot.points) == MAX_POINTS + 1  # the last row is on the frontier
    assert plot.n_left_out == 50


def test_points_link_to_rows_on_this_page_and_on_others() -> None:
    here, there = row(1, 0.5, 0.5), row(2, 0.4, 0.4)
    plot = tradeoff_plot([here, there], pages={2: "?page=2"})
    assert plot is not None
    assert [point.href for point in plot.points] == [f"#{anchor_of(here)}", f"?page=2#{anchor_of(there)}"]
