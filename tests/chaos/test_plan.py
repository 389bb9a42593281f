"""Faults are drawn so that every kind comes, all over the day, and the same seed gives the same day."""

from collections import Counter

import pytest

from tests.chaos.plan import ASSISTING, KINDS, STAGES, draw_faults


def test_every_kind_comes_before_any_comes_twice() -> None:
    faults = draw_faults(len(KINDS), runs=60, workers=4, seed=7)
    assert sorted(fault.kind for fault in faults) == sorted(KINDS)


def test_kills_fall_into_every_stage_of_a_run() -> None:
    faults = draw_faults(200, runs=500, workers=4, seed=7)
    for kind in ("kill-parent", "kill-child"):
        assert {*STAGES, ASSISTING} <= {fault.aim for fault in faults if fault.kind == kind}


def test_faults_are_spread_over_the_runs_and_leave_some_to_recover_with() -> None:
    faults = draw_faults(200, runs=500, workers=4, seed=7)
    due = [fault.after for fault in faults]
    assert due == sorted(due)
    assert due[0] > 0
    assert due[-1] < 500
    quarters = Counter(after * 4 // 500 for after in due)
    assert max(quarters.values()) - min(quarters.values()) <= 2


def test_the_same_seed_gives_the_same_day_and_another_seed_another() -> None:
    days = [draw_faults(50, runs=100, workers=4, seed=seed) for seed in (1, 1, 2)]
    assert days[0] == days[1]
    assert days[0] != days[2]


def test_kinds_that_cannot_be_caused_here_are_left_out() -> None:
    kinds = [kind for kind in KINDS if kind != "fill-disk"]
    faults = draw_faults(100, runs=100, workers=4, seed=1, kinds=kinds)
    assert {fault.kind for fault in faults} == set(kinds)


@pytest.mark.parametrize("workers", [1, 4])
def test_only_workers_that_exist_are_hit(workers: int) -> None:
    faults = draw_faults(100, runs=100, workers=workers, seed=1)
    assert {fault.worker for fault in faults} == set(range(workers))
