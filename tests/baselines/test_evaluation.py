"""The scores of the baselines make sense, as recorded and in a short live run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from baselines.baseline import BACKBONES
from baselines.cli import cli
from baselines.evaluation import Score, count_parameters, evaluate
from baselines.export import Variant, export_baseline, ready_names
from baselines.readme import read_report
from baselines.registry import BASELINES
from baselines.training.losses import Taps, content_loss, gram_loss
from evaluation.archive import unpack_archive
from evaluation.demo.dataset import write_demo_dataset
from evaluation.images import read_rgb
from evaluation.pairs import read_pairs
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
    others = [name for name in by_name if name not in TRIVIAL]
    assert [name for name in others if by_name[name].headline <= best] == []


def test_the_recorded_scores_make_sense() -> None:
    scores = read_report()
    assert {score.name for score in scores} >= set(TRIVIAL)
    assert {score.name for score in scores} <= set(ready_names())
    check_sanity(scores)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo dataset, which takes seconds to paint."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo_dataset(folder, size=256)
    return folder


def with_few_pairs(demo: Path, folder: Path, keep: slice) -> Path:
    """Copy the demo dataset with some of its public pairs only."""
    shutil.copytree(demo, folder)
    pairs = json.loads((folder / "pairs.json").read_text())
    public = [row for row in pairs["pairs"] if row["split"] == "public"]
    (folder / "pairs.json").write_text(json.dumps(pairs | {"pairs": public[keep]}))
    return folder


@pytest.mark.slow
def test_a_short_live_run_makes_sense(demo: Path, tmp_path: Path) -> None:
    names = [name for name in ready_names() if BASELINES[name].kind != "optimized"]
    folder = with_few_pairs(demo, tmp_path / "demo", slice(None, None, 2))
    scores = evaluate(names, folder=folder, threads=1)
    assert [score.name for score in scores] == names
    check_sanity(scores)
    for score in scores:
        assert score.headline_ci is not None
        assert score.headline_ci[0] <= score.headline <= score.headline_ci[1]
        assert score.seconds_per_image > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_STRENGTH)
def test_more_strength_means_less_style_loss_and_more_content_loss(
    name: str, demo: Path, tmp_path: Path
) -> None:
    module = __import__(BASELINES[name].code, fromlist=["Model"])
    models = []
    for strength in (0.0, 0.5, 1.0):
        bundle = tmp_path / f"{strength}"
        unpack_archive(export_baseline(name, tmp_path, Variant(strength=strength)).path, bundle)
        models.append(module.Model(str(bundle), "cpu"))
    network = features()

    def taps(image: np.ndarray) -> Taps:
        with torch.inference_mode():
            found: Taps = network(module.to_tensor(image))
            return found

    is_monotone = []
    for pair in read_pairs(demo, None)[::6]:
        content, style = read_rgb(pair.content), read_rgb(pair.style)
        made = [taps(model.stylize(content, style)) for model in models]
        of_content, of_style = taps(content), taps(style)
        content_losses = [float(content_loss(one, of_content)) for one in made]
        style_losses = [float(gram_loss(one, of_style)) for one in made]
        is_monotone.append(
            content_losses == sorted(content_losses) and style_losses == sorted(style_losses, reverse=True)
        )
    assert sum(is_monotone) >= 0.9 * len(is_monotone)


def test_parameters_are_counted_in_every_weight_file(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes((BACKBONES / "tiny-vgg-1.safetensors").read_bytes())
    assert count_parameters(tmp_path) == 625_616


def test_the_command_line_prints_what_was_measured(demo: Path, tmp_path: Path) -> None:
    folder = with_few_pairs(demo, tmp_path / "demo", slice(4))
    options = ["--pairs", str(folder), "--threads", "1", "--outputs", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(cli, ["evaluate", "identity", *options])
    (row,) = json.loads(result.stdout)
    keys = {"name", "headline", "headline_ci", "content", "style", "seconds_per_image", "parameters"}
    assert keys <= set(row)
    assert (row["name"], row["content"], row["style"]) == ("identity", 1.0, 0.0)
    assert len(list((tmp_path / "out" / "identity").glob("*.png"))) == 4
    assert CliRunner().invoke(cli, ["evaluate"]).exit_code == 2
