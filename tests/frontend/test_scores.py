"""How numbers, ranks, times and texts are written."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from competitions.selectors.leaderboards import Estimate, RowView
from competitions.selectors.output import ScoreView
from frontend.templatetags import scores


def row(rank: int | None, low: int | None = None, high: int | None = None) -> RowView:
    return RowView(
        position=1,
        rank=rank,
        rank_low=low,
        rank_high=high,
        group=1,
        group_last=1,
        p_next=None,
        name="wash",
        team="rosalba",
        kind="entry",
        submission_id=uuid4(),
        run_id=uuid4(),
        values={},
        n_valid=4,
        unranked_reason="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        strip=frozenset(),
        flags=(),
        maker_id=uuid4(),
    )


def test_scores_are_shown_times_a_hundred_with_half_their_interval() -> None:
    text = scores.estimate({"headline": Estimate(0.6241, 0.60, 0.64)}, "headline")
    assert "62.4" in text
    assert "± 2.0" in text
    assert "60.00 – 64.00" in text


def test_raw_metrics_keep_their_own_scale() -> None:
    text = scores.estimate({"perceptual": Estimate(0.24651, 0.24, 0.26)}, "perceptual")
    assert "0.2465" in text
    assert "± 0.0100" in text


def test_tiny_raw_values_are_not_rounded_to_zero() -> None:
    text = scores.estimate({"gram": Estimate(6.12e-06, 5e-06, 9e-06)}, "gram")
    assert "6.12e-06" in text
    assert "± 2.0e-06" in text


def test_a_value_without_interval_stands_alone() -> None:
    text = scores.estimate({"seconds": ScoreView(0.5, None, None, 4)}, "seconds")
    assert "0.5" in text
    assert "±" not in text


@pytest.mark.parametrize("values", [{}, {"headline": Estimate(float("nan"), 0.0, 0.0)}])
def test_what_is_missing_is_a_dash_and_never_a_zero(values: dict[str, Estimate]) -> None:
    text = scores.estimate(values, "headline")
    assert "–" in text
    assert "0" not in text


def test_the_bar_marks_the_interval_within_the_picture() -> None:
    text = scores.interval_bar({"headline": Estimate(0.5, -0.2, 1.7)}, "headline")
    assert 'width="50.00"' in text
    assert 'x="0.00" width="100.00"' in text


@pytest.mark.parametrize(
    ("rank", "low", "high", "shown"),
    [(2, 1, 3, "1–3"), (2, 2, 2, "2"), (4, None, None, "4"), (None, None, None, "")],
)
def test_a_rank_is_written_as_the_ranks_it_may_be(
    rank: int | None, low: int | None, high: int | None, shown: str
) -> None:
    assert scores.rank_range(row(rank, low, high)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.424, "0.42 s"),
        (3.14, "3.1 s"),
        (38.4, "38 s"),
        (120, "2 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (None, "–"),
        (float("inf"), "–"),
    ],
)
def test_durations_take_the_unit_that_fits(seconds: float | None, shown: str) -> None:
    assert scores.duration(seconds) == shown


def test_times_are_utc_for_people_and_for_programs() -> None:
    moment = datetime(2026, 11, 21, 14, 35, 7, tzinfo=UTC)
    text = scores.utc(moment)
    assert 'datetime="2026-11-21T14:35:07Z"' in text
    assert ">2026-11-21 14:35<" in text
    assert scores.utc(None) == "–"


def test_backticks_become_code_and_everything_is_escaped() -> None:
    text = scores.ticks("Run `check <b>` on </script>.")
    assert text == "Run <code>check &lt;b&gt;</code> on &lt;/script&gt;."


@pytest.mark.parametrize(
    ("first", "last", "letters"),
    [(1, 1, "a"), (1, 3, "a–c"), (26, 27, "z–aa"), (2, None, "b"), (None, None, "")],
)
def test_groups_are_written_as_letters(first: int | None, last: int | None, letters: str) -> None:
    assert scores.group_letters(replace(row(1), group=first, group_last=last)) == letters


def test_differences_carry_their_sign_and_distances_none() -> None:
    assert [scores.signed(value) for value in (0.0521, -0.0521, 0.0)] == ["+5.2", "−5.2", "+0.0"]
    assert scores.distance(-0.0521) == "5.2"
    assert scores.percent(0.6238) == "62.4"


@pytest.mark.parametrize(
    ("p", "shown"), [(None, "–"), (0.0004, "< 0.001"), (0.0342, "0.034"), (1.0, "1.000")]
)
def test_p_values_are_rounded_but_never_to_zero(p: float | None, shown: str) -> None:
    assert scores.p_value(p) == shown
