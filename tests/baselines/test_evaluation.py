"""The scores of the baselines make sense, as recorded and in a short live run."""

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from baselines.baseline import BACKBONES
from baselines.cli import cli
from baselines.evaluation import Score, count_parameters, evaluate
from baselines.export import Variant, export_baseline, ready_names
from baselines.readme import read_report
from baselines.registry import BASELINES
from baselines.training.losses import content_loss, gram_loss
from evaluation.archive import unpack_archive
from evaluation.demo.dataset import write_demo_dataset
from evaluation.images import read_rgb
from tests.baselines.learning import features

TRIVIAL = [name for name, baseline in BASELINES.items() if baseline.kind == "trivial"]
WITH_STRENGTH = [name for name in ready_names() if BASELINES[name].has_strength]


def check_sanity(scores: list[Score]) -> None:
    """The anchors stand at their ends, and whatever learned stands above all that is trivial."""
    by_name = {score.name: score for score in scores}
    assert max(scores, key=lambda score: score.content).name == "identity"
    assert min(scores, key=lambda score: score.style).name == "identity"
    assert max(scores, key=lambda score: score.style).name == "style_copy"
    assert min(scores, key=lambda score: score.content).name == "style_copy"
    order = [score.name for score in sorted(scores, key=lambda score: -score.headline)]
    assert not {"identity", "style_copy"} & set(order[: len(order) // 2])
    best = max(by_name[name].headline for name in TRIVIAL)
    kinds = {name: BASELINES[name] for name in by_name}
    reading = [name for name, b in kinds.items() if b.kind != "trivial" and not b.collection]
    assert [name for name in reading if by_name[name].headline <= best] == []


def test_the_recorded_scores_make_sense() -> None:
    scores = read_report()
    assert {score.name for score in scores} >= set(TRIVIAL)
    assert {score.name for score in scores} <= set(ready_names())
    check_sanity(scores)


def write_few_pairs(folder: Path, keep: slice) -> Path:
    """Write the demo dataset with some of its public pairs only."""
    folder.mkdir()
    write_demo_dataset(folder, size=256)
    pairs = json.loads((folder / "pairs.json").read_text())
    public = [row for row in pairs["pairs"] if row["split"] == "public"]
    (folder / "pairs.json").write_text(json.dumps(pairs | {"pairs": public[keep]}))
    return folder


@pytest.mark.slow
def test_a_short_live_run_makes_sense(tmp_path: Path) -> None:
    names = [name for name in ready_names() if BASELINES[name].kind != "optimized"]
    folder = write_few_pairs(tmp_path / "demo", slice(None, None, 5))
    scores = evaluate(names, folder=folder, threads=1)
    assert [score.name for score in scores] == names
    check_sanity(scores)
    for score in scores:
        assert score.headline_ci is not None
        assert score.headline_ci[0] <= score.headline <= score.headline_ci[1]
        assert score.seconds_per_image > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_STRENGTH)
def test_more_strength_means_less_style_loss_and_more_content_loss(name: str, tmp_path: Path) -> None:
    pairs = write_demo_dataset(tmp_path / "demo", size=256)[::6]
    network = features()
    kept: dict[str, list[tuple[float, float]]] = {pair.id: [] for pair in pairs}
    for strength in (0.0, 0.5, 1.0):
        bundle = tmp_path / f"{strength}"
        unpack_archive(export_baseline(name, tmp_path, Variant(strength=strength)).path, bundle)
        module = __import__(BASELINES[name].code, fromlist=["Model"])
        model = module.Model(str(bundle), "cpu")
        for pair in pairs:
            content, style = read_rgb(pair.content), read_rgb(pair.style)
            images = (model.stylize(content, style), content, style)
            with torch.inference_mode():
                taps = [network(module.to_tensor(image)) for image in images]
                losses = float(content_loss(taps[0], taps[1])), float(gram_loss(taps[0], taps[2]))
            kept[pair.id].append(losses)
    monotone = [
        rows[0][0] <= rows[1][0] <= rows[2][0] and rows[0][1] >= rows[1][1] >= rows[2][1]
        for rows in kept.values()
    ]
    assert sum(monotone) >= 0.9 * len(monotone)


def test_parameters_are_counted_in_every_weight_file(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes((BACKBONES / "tiny-vgg-1.safetensors").read_bytes())
    assert count_parameters(tmp_path) == 625_616


def test_the_command_line_prints_what_was_measured(tmp_path: Path) -> None:
    folder = write_few_pairs(tmp_path / "demo", slice(4))
    options = ["--pairs", str(folder), "--threads", "1", "--outputs", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(cli, ["evaluate", "identity", *options])
    (row,) = json.loads(result.stdout)
    keys = {"name", "headline", "headline_ci", "content", "style", "seconds_per_image", "parameters"}
    assert keys <= set(row)
    assert (row["name"], row["content"], row["style"]) == ("identity", 1.0, 0.0)
    assert len(list((tmp_path / "out" / "identity").glob("*.png"))) == 4
    assert CliRunner().invoke(cli, ["evaluate"]).exit_code == 2
