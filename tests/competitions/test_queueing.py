"""The rules of the queue alone: shares of teams under any course of events, and estimates by hand."""

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competitions.queueing import (
    Backlog,
    Needs,
    least_offer,
    next_turn,
    seconds_left,
    seconds_until_start,
    suffices,
    usual_seconds,
)
from evaluation.manifest import RUNTIMES

TEAMS = 4
GPU = "cuda"


@dataclass
class Item:
    """A run in the model.

    `rivals` counts, by team, which runs that ask for no more a worker took that could have taken this one.
    """

    team: int
    device: str
    turn: int
    number: int
    is_first: bool
    has_started: bool = False
    rivals: dict[int, int] = field(default_factory=dict)


@dataclass
class Model:
    """The queue in memory, with the rule under test and nothing else of ours."""

    waiting: list[Item] = field(default_factory=list)
    started: list[Item] = field(default_factory=list)
    running: list[Item] = field(default_factory=list)
    n: int = 0

    def add(self, team: int, device: str) -> None:
        """Queue a run."""
        fresh = [item for item in self.waiting if not item.has_started]
        rivals = [item.turn for item in fresh if device == GPU or item.device == "cpu"]
        own = [item.turn for item in self.waiting if item.team == team]
        served = [item.turn for item in self.started if item.team == team]
        turn = next_turn(
            clock=min([max((item.turn for item in self.started), default=0), *rivals]),
            served=max(served, default=None),
            waiting=max(own, default=None),
        )
        self.n += 1
        self.waiting.append(Item(team, device, turn, self.n, is_first=not own and not served))

    def serve(self, devices: tuple[str, ...]) -> None:
        """Have a worker take the next run that it can do."""
        able = sorted(
            (item for item in self.waiting if item.device in devices),
            key=lambda item: (item.turn, item.number),
        )
        if not able:
            return
        taken = able[0]
        self.waiting.remove(taken)
        self.running.append(taken)
        for other in self.waiting:
            is_rival = other.device in devices and (taken.device == "cpu" or other.device == GPU)
            if is_rival and not taken.has_started and other.team != taken.team:
                other.rivals[taken.team] = other.rivals.get(taken.team, 0) + 1
        if not taken.has_started:
            self.started.append(taken)
        taken.has_started = True

    def give_back(self) -> None:
        """Have the worker of the run that started last fall silent."""
        if self.running:
            self.waiting.append(self.running.pop())


STEPS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, TEAMS - 1), st.sampled_from(["cpu", "cpu", GPU])),
    st.tuples(st.just("flood"), st.integers(0, TEAMS - 1), st.sampled_from(["cpu", GPU])),
    st.tuples(st.just("serve"), st.just(0), st.sampled_from(["cpu", GPU])),
    st.tuples(st.just("give_back"), st.just(0), st.just("")),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(STEPS, max_size=60))
def test_no_course_of_events_delays_a_teams_first_run_by_two_runs_of_another(
    steps: list[tuple[str, int, str]],
) -> None:
    model = Model()
    for what, team, device in steps:
        if what in ("add", "flood"):
            for _ in range(8 if what == "flood" else 1):
                model.add(team, device)
        elif what == "serve":
            model.serve(("cpu", GPU) if device == GPU else ("cpu",))
        else:
            model.give_back()
    for item in [*model.started, *model.waiting]:
        assert max(item.rivals.values(), default=0) <= 1 or not item.is_first, item


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(STEPS, max_size=60))
def test_whoever_queues_one_run_at_a_time_waits_for_two_of_another_at_most(
    steps: list[tuple[str, int, str]],
) -> None:
    model = Model()
    for what, team, _ in steps:
        if what == "flood" or (what == "add" and not any(item.team == team for item in model.waiting)):
            for _ in range(8 if what == "flood" else 1):
                model.add(TEAMS if what == "flood" else team, "cpu")
        elif what == "serve":
            model.serve(("cpu",))
    for item in [*model.started, *model.waiting]:
        assert item.team == TEAMS or item.rivals.get(TEAMS, 0) <= 2, item


def test_where_a_flood_waits_for_a_worker_the_others_turns_do_not_run_away() -> None:
    model = Model()
    for _ in range(8):
        model.add(0, GPU)
    for _ in range(20):
        model.add(1, "cpu")
        model.serve(("cpu",))
    model.add(2, GPU)
    for _ in range(3):
        model.serve(("cpu", GPU))
    assert [item.team for item in model.started[20:]] == [0, 2, 0]


def test_two_floods_take_turns() -> None:
    model = Model()
    for team in (0, 1):
        for _ in range(5):
            model.add(team, "cpu")
    for _ in range(10):
        model.serve(("cpu",))
    assert [item.team for item in model.started] == [0, 1] * 5


def test_a_team_that_was_idle_has_saved_up_nothing() -> None:
    model = Model()
    for _ in range(20):
        model.add(0, "cpu")
    for _ in range(10):
        model.serve(("cpu",))
    for _ in range(10):
        model.add(1, "cpu")
    for _ in range(10):
        model.serve(("cpu",))
    assert [item.team for item in model.started[10:]] == [1, 0] * 5


def test_a_team_that_comes_back_at_once_lets_others_go_first() -> None:
    model = Model()
    for _ in range(5):
        model.add(0, "cpu")
    for _ in range(5):
        model.add(1, "cpu")
        model.serve(("cpu",))
        model.serve(("cpu",))
    assert [item.team for item in model.started] == [0, 1] * 5


@pytest.mark.parametrize(
    ("changes", "is_enough"),
    [
        ({}, True),
        ({"device": "cuda"}, False),
        ({"memory_mb": 4097}, False),
        ({"runtime": "py27"}, False),
        ({"needs_sandbox": True}, False),
    ],
)
def test_a_worker_can_do_what_asks_for_no_more_than_it_offers(
    changes: dict[str, object], is_enough: bool
) -> None:
    offer = least_offer(Needs(memory_mb=4096, needs_sandbox=False))
    asked = {"memory_mb": 4096, "needs_sandbox": False} | changes
    assert suffices(offer, Needs(**asked)) is is_enough  # type: ignore[arg-type]


def test_a_worker_for_a_gpu_run_does_cpu_runs_too() -> None:
    offer = least_offer(Needs(device="cuda"))
    assert (offer.devices, offer.runtimes) == (("cpu", "cuda"), RUNTIMES)


def test_what_is_usual_is_the_median_and_unknown_without_measurements() -> None:
    assert usual_seconds([10, 1000, 20]) == 20
    assert usual_seconds([]) == math.inf


@pytest.mark.parametrize(
    ("usual", "elapsed", "share_done", "left"),
    [
        (60, 20, 0, 40),
        (60, 90, 0, 6),
        (60, 30, 0.25, 90),
        (math.inf, 30, 0.5, 30),
        (math.inf, 30, 0, math.inf),
        (60, 70, 1, 0),
    ],
)
def test_a_running_run_goes_on_at_its_own_pace_or_as_long_as_is_usual(
    usual: float, elapsed: float, share_done: float, left: float
) -> None:
    assert seconds_left(usual=usual, elapsed=elapsed, share_done=share_done) == left


@pytest.mark.parametrize(
    ("free_in", "ahead", "start"),
    [
        ([0], [], 0),
        ([30], [], 30),
        ([30], [Backlog(2, 10)], 50),
        ([30, 0], [], 0),
        ([0, 0], [Backlog(1, 10)], 0),
        ([5, 0], [Backlog(3, 10)], 15),
        ([0], [Backlog(1, 10), Backlog(2, 40)], 90),
        ([0, 0], [Backlog(1, math.inf)], 0),
        ([0], [Backlog(1, math.inf)], math.inf),
        ([], [], math.inf),
    ],
)
def test_a_run_starts_once_those_ahead_have_found_a_worker(
    free_in: list[float], ahead: list[Backlog], start: float
) -> None:
    assert seconds_until_start(free_in, ahead) == pytest.approx(start)
