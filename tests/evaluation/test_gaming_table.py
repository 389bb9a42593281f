"""The gaming table in small: the attack works, is seen through, and no trick wins without a flag."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from evaluation.demo.dataset import write_demo_dataset
from evaluation.errors import InvalidPairs, InvalidSuite, InvalidTensor
from evaluation.features import image_batch
from evaluation.gaming.__main__ import cli
from evaluation.gaming.attack import attack, headline_surrogates, jitter_tensor
from evaluation.gaming.entries import BLENDS, Effort, Kind, make_outputs, shipped_entries, stored_entry
from evaluation.gaming.gauges import Gauges
from evaluation.gaming.table import Row, build_rows, to_markdown, unflagged_winners
from evaluation.images import read_rgb, write_png
from evaluation.jitters import JITTERS, apply_jitter
from evaluation.pairs import PAIRS_FILE, Pair, read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import load_suite

pytestmark = pytest.mark.slow
SIZE = 64
EFFORT = Effort(short=4, long=8, adain=4, attack=6)


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
def gauges(pairs: tuple[Pair, ...]) -> Gauges:
    """The demo suite and its audit at the size of the small pictures, which are too small for MS-SSIM."""
    official, audit = (replace(load_suite(name), size=SIZE) for name in ("sts-demo-2", "sts-demo-1"))
    return Gauges(replace(official, content_parts=audit.content_parts), audit, pairs)


@pytest.fixture(scope="module")
def rows(gauges: Gauges, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Row]:
    """The whole table, little effort each."""
    table = build_rows(shipped_entries(EFFORT), gauges, tmp_path_factory.mktemp("outputs"))
    return {row.name: row for row in table}


def test_the_table_has_every_entry_best_first(rows: Mapping[str, Row]) -> None:
    assert set(rows) == {entry.name for entry in shipped_entries(EFFORT)}
    headlines = [row.headline for row in rows.values()]
    assert headlines == sorted(headlines, reverse=True)
    assert all(row.low <= row.headline <= row.high for row in rows.values())
    assert {row.kind for row in rows.values()} == set(Kind)


def test_no_trick_wins_without_a_flag(rows: Mapping[str, Row]) -> None:
    table = [row for row in rows.values() if not row.name.startswith("attack_jitters")]
    # that one is left to the second network, which needs more pairs than these: see the recorded table
    assert unflagged_winners(table) == ()


def test_copies_and_collages_carry_their_flags(rows: Mapping[str, Row]) -> None:
    assert rows["identity"].headline == rows["style_copy"].headline == 0.0
    assert "COPY_CONTENT" in rows["identity"].raised
    assert "COPY_STYLE" in rows["style_copy"].raised
    assert "QUILT" in rows["style_shuffle"].raised
    for alpha in BLENDS[1:]:
        assert "BLEND" in rows[f"blend_{100 * alpha:.0f}"].raised


def test_honest_entries_are_no_copies_and_no_collages(rows: Mapping[str, Row]) -> None:
    shapes = {"COPY_CONTENT", "COPY_STYLE", "BLEND", "QUILT", "IGNORES_STYLE", "IGNORES_CONTENT"}
    for name in ("reinhard", "linear", "histogram", "palette", "adain_4", "gatys_8", "gatys_audit_8"):
        assert not shapes & set(rows[name].raised), name


def test_a_winner_is_named_until_it_carries_a_flag(rows: Mapping[str, Row]) -> None:
    real = [row for row in rows.values() if row.kind == Kind.REAL]
    lucky = replace(rows["reinhard"], headline=0.99, flags=())
    assert unflagged_winners([*real, lucky]) == ("reinhard",)
    assert unflagged_winners([*real, replace(lucky, headline=0.01)]) == ()
    flagged = replace(lucky, flags=tuple(replace(flag, is_raised=True) for flag in rows["reinhard"].flags))
    assert unflagged_winners([*real, flagged]) == ()
    assert unflagged_winners([*real, replace(lucky, kind=Kind.REAL)]) == ()


def test_the_markdown_table_has_one_line_for_each_entry(rows: Mapping[str, Row]) -> None:
    lines = to_markdown(list(rows.values())).splitlines()
    assert len(lines) == len(rows) + 2
    assert any("| style_copy | gaming | 0.0 (0.0 to 0.0) | 0.0 | 100.0 |" in line for line in lines)
    assert {line.count("|") for line in lines} == {8}


def test_the_attack_raises_the_headline_within_its_budget(gauges: Gauges) -> None:
    pair = gauges.pairs[0]
    content, surrogates = read_rgb(pair.content), headline_surrogates(gauges.official, pair)
    small = attack(surrogates, content, steps=12, budget=8 / 255)
    free = attack(surrogates, content, steps=12)
    assert np.abs(small.astype(int) - content).max() <= 8
    assert np.abs(free.astype(int) - content).max() > 8
    scores = [gauges.official.score_pair(pair.id, image).values for image in (content, small, free)]
    headlines = [score["headline"] for score in scores]
    assert headlines == sorted(headlines)
    assert headlines[1] > 0.1


def test_an_attack_under_all_jitters_keeps_its_score_under_them(gauges: Gauges) -> None:
    pair = gauges.pairs[0]
    gains = []
    for scorer in (gauges.official, gauges.jittered):
        surrogates = headline_surrogates(scorer, pair)
        assert len(surrogates) == len(scorer.suite.jitters)
        output = attack(surrogates, read_rgb(pair.content), steps=24)
        gains.append(gauges.jittered.score_pair(pair.id, output).values["jitter_gain"])
    assert gains[1] < gains[0]


@pytest.mark.parametrize("name", JITTERS)
def test_a_tensor_is_jittered_as_a_picture_is(name: str, gauges: Gauges) -> None:
    picture = read_rgb(gauges.pairs[0].content)
    assert torch.equal(
        jitter_tensor(name, image_batch([picture])), image_batch([apply_jitter(name, picture)])
    )


def test_the_attack_refuses_what_it_cannot_do(gauges: Gauges) -> None:
    pair = gauges.pairs[0]
    surrogates = headline_surrogates(gauges.official, pair)
    for steps, budget in ((0, 1.0), (1, 0.0), (1, 1.5)):
        with pytest.raises(InvalidTensor, match="steps above 0"):
            attack(surrogates, read_rgb(pair.content), steps=steps, budget=budget)
    by_pixels = Scorer(replace(gauges.official.suite, content_parts=("ssim",)), gauges.pairs[:1])
    with pytest.raises(InvalidSuite, match="nothing that can be derived"):
        headline_surrogates(by_pixels, pair)


def test_stored_outputs_are_read_and_never_made_again(gauges: Gauges, tmp_path: Path) -> None:
    marked = np.full((SIZE, SIZE, 3), 7, np.uint8)
    for pair in gauges.pairs:
        write_png(marked, tmp_path / f"{pair.id}.png")
    mine = stored_entry("mine", tmp_path)
    assert all((made == 7).all() for made in make_outputs(mine, gauges, tmp_path / "out").values())
    write_png(marked + 1, tmp_path / "out" / "mine" / f"{gauges.pairs[0].id}.png")
    assert (make_outputs(mine, gauges, tmp_path / "out")[gauges.pairs[0].id] == 8).all()


def test_the_command_refuses_an_entry_without_a_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["table", "--pairs", str(tmp_path), "--entry", "adain"])
    assert isinstance(result.exception, InvalidPairs)
    assert "NAME=FOLDER" in str(result.exception)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_command_prints_the_table_of_the_demo_dataset(tmp_path: Path) -> None:
    write_demo_dataset(tmp_path)
    file = tmp_path / PAIRS_FILE
    listed = json.loads(file.read_text())
    listed["pairs"] = [row for row in listed["pairs"] if row["style"] in ("style/s01.png", "style/s07.png")]
    file.write_text(json.dumps(listed))
    arguments = ["table", "--pairs", str(tmp_path), "--contents", "4", "--effort", "0.1", "--json"]
    result = CliRunner().invoke(cli, arguments)
    printed = json.loads(result.stdout)
    assert result.exit_code == bool(printed["unflagged_winners"])
    raised = {row["name"]: [f["code"] for f in row["flags"] if f["is_raised"]] for row in printed["rows"]}
    assert raised["style_copy"][0] == "COPY_STYLE"
    assert all("of 8 pairs" in row["flags"][0]["sentence"] for row in printed["rows"])
