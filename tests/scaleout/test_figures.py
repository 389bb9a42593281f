"""What the scale-out measurement makes of the seconds that it took down."""

import pytest

from tests.scaleout.__main__ import is_good, overhead_seconds, overhead_share, percentile_95

SPENT = {"seconds": 30.0, "generator": 20.0, "scorer": 8.0}
GOOD = {
    "throughput_2_of_linear": 0.97,
    "throughput_4_of_linear": 0.93,
    "shards_4_of_linear": 0.91,
    "overhead_p95_seconds": 2.5,
    "overhead_share_of_48_pairs": 0.08,
}


def test_overhead_is_what_neither_generator_nor_metrics_needed() -> None:
    assert overhead_seconds(SPENT) == pytest.approx(2.0)


def test_metrics_beside_the_generator_count_as_overhead_of_a_long_run() -> None:
    assert overhead_share(SPENT) == pytest.approx(10 / 28)


def test_one_slow_run_of_forty_is_not_the_95th_percentile_but_three_are() -> None:
    assert percentile_95([1.0] * 39 + [9.0]) == 1.0
    assert percentile_95([1.0] * 37 + [9.0] * 3) == 9.0


def test_figures_that_are_all_good_are_good() -> None:
    assert is_good(GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("throughput_4_of_linear", 0.89),
        ("shards_4_of_linear", 0.5),
        ("overhead_p95_seconds", 3.1),
        ("overhead_share_of_48_pairs", 0.11),
    ],
)
def test_one_bad_figure_is_enough(name: str, value: float) -> None:
    assert not is_good(GOOD | {name: value})
