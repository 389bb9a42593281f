"""What the project ships of its learned baselines: weights, record and card, and how they get there."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load, save

from baselines import baseline as places
from baselines import cards, readme
from baselines.cards import card_path, render_card
from baselines.cli import cli
from baselines.record import InvalidRecord, read_record
from baselines.registry import BASELINES
from baselines.shipping import MOST_BYTES, UnfitWeights, check_weights, ship_run
from baselines.training.command import TrainOptions, run_train
from baselines.training.pictures import VARIANTS
from tests.baselines.learning import LEARNED, train_briefly

SHIPPED = [name for name in LEARNED if BASELINES[name].is_ready]
MOST_TOGETHER = 25_000_000  # bytes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished training."""
    folder = tmp_path_factory.mktemp("run")
    train_briefly(BASELINES["adain"], folder, steps=2)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let weights and cards go to a folder that is thrown away."""
    monkeypatch.setattr(places, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(cards, "CARDS", tmp_path / "cards")
    return tmp_path


@pytest.mark.parametrize("name", list(BASELINES))
def test_every_baseline_has_the_card_that_registry_and_record_make(name: str) -> None:
    baseline = BASELINES[name]
    assert card_path(baseline).read_text(encoding="utf-8") == render_card(baseline), (
        "run: python -m baselines cards"
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_fit_and_are_those_of_their_record(name: str) -> None:
    data = BASELINES[name].weights.read_bytes()
    check_weights(BASELINES[name], data)
    record = read_record(BASELINES[name].record)
    assert (record.name, record.sha256) == (name, hashlib.sha256(data).hexdigest())


def test_all_shipped_weights_together_stay_small() -> None:
    assert sum(BASELINES[name].weights.stat().st_size for name in SHIPPED) <= MOST_TOGETHER


def test_a_finished_run_is_shipped_with_record_and_card(run: Path, project: Path) -> None:
    path = ship_run(BASELINES["adain"], run)
    assert path == project / "weights" / "adain.safetensors"
    assert path.read_bytes() == (run / "weights.safetensors").read_bytes()
    card = (project / "cards" / "adain.md").read_text()
    record = read_record(run / "record.json")
    assert record.sha256 in card
    assert "training data: generated pictures" in card
    assert "2 steps of 2 crops, 32 pixels, seed 0" in card


def test_bad_weights_replace_nothing(run: Path, project: Path, tmp_path: Path) -> None:
    good = ship_run(BASELINES["adain"], run)
    before = good.read_bytes()
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "record.json").write_bytes((run / "record.json").read_bytes())
    state = load(before)
    broken = {name: torch.full_like(tensor, float("nan")) for name, tensor in state.items()}
    for weights, message in (
        (save(broken), "not all finite"),
        (save({"other": torch.zeros(1)}), "do not fit adain"),
        (save({name: tensor + 1 for name, tensor in state.items()}), "record of other weights"),
        (save({"large": torch.zeros(MOST_BYTES)}), "at most"),
    ):
        (bad / "weights.safetensors").write_bytes(weights)
        with pytest.raises(UnfitWeights, match=message):
            ship_run(BASELINES["adain"], bad)
    with pytest.raises(InvalidRecord):
        ship_run(BASELINES["adain"], tmp_path / "nowhere")
    assert good.read_bytes() == before


def test_the_readme_shows_the_recorded_scores() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert readme.insert_table(text) == text
    for score in readme.read_report():
        assert f"(cards/{score.name}.md) | {score.headline:.3f} |" in text


def test_the_command_line_trains_and_exports_what_it_trained(tmp_path: Path) -> None:
    runner, folder = CliRunner(), tmp_path / "run"
    options = ["--steps", "2", "--size", "64", "--batch", "1", "--culture", "Dutch", "--json"]
    done = runner.invoke(cli, ["train", "adain", "--out", str(folder), *options])
    record = json.loads(done.stdout)
    assert (record["steps"], record["batch"], record["size"], record["styles"]) == (2, 1, 64, 8)
    assert "scikit-image" in record["note"]
    out = ["--run", str(folder), "--out", str(tmp_path), "--strength", "0.5", "--json"]
    exported = json.loads(runner.invoke(cli, ["export", "adain", *out]).stdout)
    assert Path(exported[0]["path"]).exists()


@pytest.mark.parametrize(("culture", "painters"), [((), 1), (("Dutch", "Persian"), 2)])
def test_what_draws_like_one_collection_learns_one_where_none_is_named(
    culture: tuple[str, ...], painters: int, tmp_path: Path
) -> None:
    options = TrainOptions(culture=culture, steps=1, batch=1, size=64)
    record = run_train(BASELINES["cut"], tmp_path / "run", options)
    assert record.styles == painters * VARIANTS
    assert "cultures: Byzantine" in record.note or culture


def test_the_command_line_refuses_to_train_what_cannot_learn(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["train", "identity", "--out", str(tmp_path)])
    assert "identity has nothing to learn" in str(result.exception)


def test_a_record_with_other_fields_is_refused(tmp_path: Path, run: Path) -> None:
    record = read_record(run / "record.json")
    path = tmp_path / "record.json"
    path.write_text(replace(record, steps=3).to_json().replace('"steps"', '"strides"'))
    with pytest.raises(InvalidRecord, match="not the record of a training"):
        read_record(path)
