"""The gaming table in small: the attack works, is seen through, and no trick wins without a flag."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from evaluation.demo.dataset import write_demo_dataset
from evaluation.errors import InvalidPairs, InvalidSuite, InvalidTensor
from evaluation.gaming.__main__ import cli
from evaluation.gaming.attack import attack, headline_surrogate
from evaluation.gaming.entries import BLENDS, Effort, Kind, make_outputs, shipped_entries, stored_entry
from evaluation.gaming.table import Gauges, Row, build_rows, to_markdown, unflagged_winners
from evaluation.images import read_rgb, write_png
from evaluation.pairs import Pair, read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite, load_suite

SIZE = 64
EFFORT = Effort(short=2, long=8, attack=6)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, ...]:
    """Two contents crossed with four styles, hidden."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo_dataset(folder, size=SIZE)
    hidden = sorted(read_pairs(folder, "hidden"), key=lambda pair: (pair.content, pair.style))
    contents = sorted({pair.content for pair in hidden})[1:3]
    styles = sorted({pair.style for pair in hidden})[::2]
    return tuple(pair for pair in hidden if pair.content in contents and pair.style in styles)


@pytest.fixture(scope="module")
def small_suite() -> MetricSuite:
    """The suite of fixed filters at the size of the small pictures."""
    return replace(load_suite("sts-demo-1"), size=SIZE)


@pytest.fixture(scope="module")
def rows(
    pairs: tuple[Pair, ...], small_suite: MetricSuite, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Row]:
    """The whole table, little effort each."""
    gauges = Gauges(small_suite, replace(small_suite, style_parts=("mean_std",)), pairs)
    table = build_rows(shipped_entries(EFFORT), gauges, tmp_path_factory.mktemp("outputs"))
    return {row.name: row for row in table}


@pytest.fixture(scope="module")
def scorer(pairs: tuple[Pair, ...], small_suite: MetricSuite) -> Scorer:
    return Scorer(small_suite, pairs[:2])


def test_the_table_has_every_entry_best_first(rows: Mapping[str, Row]) -> None:
    assert set(rows) == {entry.name for entry in shipped_entries(EFFORT)}
    headlines = [row.headline for row in rows.values()]
    assert headlines == sorted(headlines, reverse=True)
    assert all(row.low <= row.headline <= row.high for row in rows.values())
    assert {row.kind for row in rows.values()} == set(Kind)


def test_no_trick_wins_without_a_flag(rows: Mapping[str, Row]) -> None:
    assert unflagged_winners(list(rows.values())) == ()


def test_copies_and_collages_carry_their_flags(rows: Mapping[str, Row]) -> None:
    assert rows["identity"].headline == rows["style_copy"].headline == 0.0
    assert "COPY_CONTENT" in rows["identity"].raised
    assert "COPY_STYLE" in rows["style_copy"].raised
    assert "QUILT" in rows["style_shuffle"].raised
    for alpha in BLENDS[1:]:
        assert "BLEND" in rows[f"blend_{100 * alpha:.0f}"].raised


def test_honest_entries_are_no_copies_and_no_collages(rows: Mapping[str, Row]) -> None:
    shapes = {"COPY_CONTENT", "COPY_STYLE", "BLEND", "QUILT", "IGNORES_STYLE", "IGNORES_CONTENT"}
    for name in ("reinhard", "linear", "histogram", "palette", "gatys_8", "gatys_filters_8"):
        assert not shapes & set(rows[name].raised), name


def test_a_winner_is_named_until_it_carries_a_flag(rows: Mapping[str, Row]) -> None:
    lucky = replace(rows["reinhard"], headline=0.99, flags=())
    assert unflagged_winners([*rows.values(), lucky]) == ("reinhard",)
    flagged = replace(lucky, flags=tuple(replace(flag, is_raised=True) for flag in rows["reinhard"].flags))
    assert unflagged_winners([*rows.values(), flagged]) == ()
    assert unflagged_winners([*rows.values(), replace(lucky, kind=Kind.REAL)]) == ()


def test_the_markdown_table_has_one_line_for_each_entry(rows: Mapping[str, Row]) -> None:
    lines = to_markdown(list(rows.values())).splitlines()
    assert len(lines) == len(rows) + 2
    assert any("| style_copy | gaming | 0 (0 to 0) | 0 | 100 |" in line for line in lines)
    assert {line.count("|") for line in lines} == {8}


def test_the_attack_raises_the_headline_within_its_budget(scorer: Scorer) -> None:
    pair = scorer.pairs[0]
    content, surrogate = read_rgb(pair.content), headline_surrogate(scorer, pair)
    small = attack(surrogate, content, steps=12, budget=8 / 255)
    free = attack(surrogate, content, steps=12)
    assert np.abs(small.astype(int) - content).max() <= 8
    assert np.abs(free.astype(int) - content).max() > 8
    headlines = [scorer.score_pair(pair.id, image).values["headline"] for image in (content, small, free)]
    assert headlines == sorted(headlines)
    assert headlines[1] > 0.1


def test_the_attack_refuses_what_it_cannot_do(scorer: Scorer, pairs: tuple[Pair, ...]) -> None:
    surrogate = headline_surrogate(scorer, scorer.pairs[0])
    content = read_rgb(scorer.pairs[0].content)
    for steps, budget in ((0, 1.0), (1, 0.0), (1, 1.5)):
        with pytest.raises(InvalidTensor, match="steps above 0"):
            attack(surrogate, content, steps=steps, budget=budget)
    by_pixels = Scorer(replace(scorer.suite, content_parts=("ssim",)), pairs[:2])
    with pytest.raises(InvalidSuite, match="nothing that can be derived"):
        headline_surrogate(by_pixels, pairs[0])


def test_stored_outputs_are_read_and_never_made_again(
    scorer: Scorer, pairs: tuple[Pair, ...], tmp_path: Path
) -> None:
    marked = np.full((SIZE, SIZE, 3), 7, np.uint8)
    write_png(marked, tmp_path / f"{pairs[0].id}.png")
    (output,) = make_outputs(stored_entry("mine", tmp_path), scorer, pairs[:1], tmp_path / "out").values()
    assert (output == marked).all()
    write_png(marked + 1, tmp_path / "out" / "mine" / f"{pairs[0].id}.png")
    (output,) = make_outputs(stored_entry("mine", tmp_path), scorer, pairs[:1], tmp_path / "out").values()
    assert (output == marked + 1).all()


def test_the_command_refuses_an_entry_without_a_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["table", "--pairs", str(tmp_path), "--entry", "adain"])
    assert isinstance(result.exception, InvalidPairs)
    assert "NAME=FOLDER" in str(result.exception)


@pytest.mark.slow
def test_the_command_prints_the_table_of_the_demo_dataset(tmp_path: Path) -> None:
    write_demo_dataset(tmp_path / "demo")
    arguments = ["table", "--pairs", str(tmp_path / "demo"), "--contents", "2", "--effort", "0.1", "--json"]
    result = CliRunner().invoke(cli, arguments)
    printed = json.loads(result.stdout)
    assert result.exit_code == bool(printed["unflagged_winners"])
    assert {"identity", "attack_free"} <= {row["name"] for row in printed["rows"]}
