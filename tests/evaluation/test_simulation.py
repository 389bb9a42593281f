"""On simulated boards with known truth, intervals cover, ranks hold, and equal entries share a group."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from evaluation.statistics.simulation import (
    SCENARIOS,
    Coverage,
    Effects,
    Scenario,
    main,
    measure_coverage,
    simulate_board,
)

SMALL = {"n_contents": 8, "contents_per_style": 8, "n_entries": 6}


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario("crossed", (5,) * 4, **SMALL),
        Scenario("incomplete", (5,) * 4, n_contents=12, contents_per_style=6, n_entries=6),
        Scenario("pairs", (2,) * 10, **SMALL),
        Scenario("singles", (1,) * 20, **SMALL),
        Scenario("close field", (5,) * 4, effects=Effects(entry=0.015), **SMALL),
    ],
    ids=lambda scenario: scenario.name,
)
def test_what_the_statistics_say_is_true_about_as_often_as_they_say(scenario: Scenario) -> None:
    """60 boards each; wider limits than the long run has, for there are fewer boards."""
    found = measure_coverage(scenario, boards=60, draws=300, seed=1)
    assert 0.905 <= found.mean <= 0.99
    assert 0.90 <= found.difference <= 0.995
    assert found.rank >= 0.93
    assert found.equal_share >= 0.94


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_scenario_is_sound(scenario: Scenario) -> None:
    found = measure_coverage(scenario, boards=250, draws=1000, seed=1)
    assert 0.91 <= found.mean <= 0.985
    assert found.rank >= 0.93
    assert found.equal_share >= 0.945


def test_effects_have_the_shares_they_claim() -> None:
    """Differences of two entries vary over styles by about .12; a third of the variance is the entries'."""
    scenario = Scenario("test", (50, 50), n_entries=60)
    values, truth, design = simulate_board(scenario, np.random.default_rng(0))
    assert truth[0] == truth[1]
    means = design.style_means(values)
    spread = np.std(means[2:30] - means[30:58], axis=1).mean()
    assert spread == pytest.approx(0.12, abs=0.01)
    assert truth.var() / values.var() == pytest.approx(0.33, abs=0.08)


def test_styles_meet_contents_as_the_scenario_says() -> None:
    scenario = Scenario("test", (3, 2), n_contents=6, contents_per_style=2)
    _, _, design = simulate_board(scenario, np.random.default_rng(0))
    assert np.bincount(design.style_of_pair).tolist() == [2] * 5
    assert np.bincount(design.culture_of_style).tolist() == [3, 2]
    assert design.n_contents == 6


def test_equal_seeds_give_equal_figures() -> None:
    scenario = Scenario("test", (6, 6), n_contents=3, contents_per_style=3, n_entries=3)
    first, again, other = (measure_coverage(scenario, boards=3, draws=50, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_figures_out_of_limits_are_unsound() -> None:
    good = Coverage(
        "x", 100, mean=0.95, difference=0.95, rank=0.97, equal_share=0.98, false_p=0.05, groups=2.0
    )
    assert good.is_sound
    assert not replace(good, mean=0.91).is_sound
    assert not replace(good, mean=0.99).is_sound
    assert not replace(good, rank=0.92).is_sound
    assert not replace(good, equal_share=0.94).is_sound


def test_the_command_prints_every_scenario_and_its_verdict_is_its_exit_status() -> None:
    done = CliRunner().invoke(main, ["--boards", "1", "--draws", "50", "--json"])
    printed = json.loads(done.stdout)
    assert [row["scenario"] for row in printed["scenarios"]] == [scenario.name for scenario in SCENARIOS]
    assert done.exit_code == (0 if printed["is_sound"] else 1)
    table = CliRunner().invoke(main, ["--boards", "1", "--draws", "50"]).stdout
    assert all(scenario.name in table for scenario in SCENARIOS)
