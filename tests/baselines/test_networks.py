"""Every learned generator: sizes, ranges, gradients, learning, and the same picture through every way out."""

import importlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from baselines.export import Variant, export_baseline
from baselines.registry import BASELINES
from baselines.training.recipe import Recipe
from baselines.training.run import Run
from tests.baselines.learning import LEARNED, SIDE, fixed_batch, new_method, train_briefly

every_network = pytest.mark.parametrize("name", LEARNED)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that trains a baseline for thirty steps, once, and returns the folder of the run."""
    folders: dict[str, Path] = {}

    def train(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            train_briefly(BASELINES[name], folders[name])
        return folders[name]

    return train


def generator_of(name: str) -> nn.Module:
    """Build an untrained generator whose pictures differ all the same: its weights are far from their start."""
    generator = new_method(name).generator.eval()
    with torch.no_grad():
        for parameter in generator.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn_like(parameter)
    return generator


def clouds(height: int, width: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.interpolate(
        torch.rand(1, 3, 8, 8, generator=generator), (height, width), mode="bicubic"
    ).clamp(0, 1)


@every_network
def test_odd_sizes_keep_shape_and_stay_near_the_range(name: str) -> None:
    generator = generator_of(name)
    with torch.inference_mode():
        for height, width in ((200, 311), (17, 33)):
            stylized = generator(clouds(height, width, 1), clouds(64, 50, 2))
            assert stylized.shape == (1, 3, height, width)
            assert bool(torch.isfinite(stylized).all())


@every_network
def test_a_picture_does_not_depend_on_its_batch(name: str) -> None:
    generator = generator_of(name)
    contents, styles = (torch.cat([clouds(40, 56, seed + k) for k in range(3)]) for seed in (1, 11))
    with torch.inference_mode():
        together = generator(contents, styles)
        alone = [generator(contents[k : k + 1], styles[k : k + 1]) for k in range(3)]
    scale = max(
        1.0, together.abs().max().item()
    )  # random weights leave [0, 1], and so do their rounding errors
    assert torch.allclose(together, torch.cat(alone), atol=2e-5 * scale)


@every_network
def test_a_gradient_reaches_every_parameter(name: str) -> None:
    method = new_method(name)
    reached: set[int] = set()
    for turn in method.turns():
        torch.manual_seed(0)
        total = torch.stack(list(turn.losses(fixed_batch()).values())).sum()
        gradients = torch.autograd.grad(total, turn.parameters, allow_unused=True)
        for parameter, gradient in zip(turn.parameters, gradients, strict=True):
            assert gradient is not None
            if bool((gradient != 0).any()):
                reached.add(id(parameter))
    names = {id(p): key for key, p in method.named_parameters() if p.requires_grad}
    assert {names[key] for key in names.keys() - reached} == set()


@pytest.mark.slow
@every_network
def test_a_single_pair_is_learned_by_heart(name: str) -> None:
    method, batch = new_method(name), fixed_batch(1)
    run = Run(method, Recipe(steps=40, batch=1, size=SIDE), {}, "cpu")
    turns = {turn.name: turn for turn in method.turns()}

    def own_loss() -> float:
        """What the generator minimizes but for the adversary, who moves the goal."""
        losses = turns["generator"].losses(batch)
        return sum(loss.item() for key, loss in losses.items() if "adversarial" not in key)

    torch.manual_seed(0)
    before = own_loss()
    for _ in range(40):
        run.take(batch)
    torch.manual_seed(0)
    assert own_loss() < 0.6 * before


@pytest.mark.slow
@every_network
def test_thirty_steps_on_generated_pictures_lower_the_loss_of_a_fixed_batch(trained: Any, name: str) -> None:
    state = torch.load(trained(name) / "checkpoint.pt", weights_only=True)

    def loss(method: Any) -> float:
        torch.manual_seed(0)
        losses = next(turn for turn in method.turns() if turn.name == "generator").losses(fixed_batch())
        return sum(value.item() for key, value in losses.items() if "adversarial" not in key)

    method = new_method(name)
    before = loss(method)
    method.load_state_dict(state["method"])
    assert loss(method) < before


@pytest.mark.slow
@every_network
def test_weights_come_back_bit_for_bit_through_file_and_archive(
    trained: Any, picture: Any, tmp_path: Path, name: str
) -> None:
    folder = trained(name)
    data = (folder / "weights.safetensors").read_bytes()
    assert save(load(data)) == data
    export = export_baseline(name, tmp_path, Variant(run=folder))
    with zipfile.ZipFile(export.path) as archive:
        archive.extractall(tmp_path / "bundle")
    module = importlib.import_module(BASELINES[name].code)
    model = module.Model(str(tmp_path / "bundle"), "cpu")
    kept = module.build(load(data)).state_dict()
    assert all(torch.equal(kept[key], value) for key, value in model.generator.state_dict().items())
    stylized = model.stylize(picture(50, 77, seed=1), picture(50, 77, seed=2))
    assert (stylized.shape, stylized.dtype) == ((50, 77, 3), np.uint8)


@pytest.mark.slow
@every_network
def test_onnx_and_python_give_the_same_picture(trained: Any, tmp_path: Path, name: str) -> None:
    export = export_baseline(name, tmp_path, Variant(form="onnx", run=trained(name)))
    with zipfile.ZipFile(export.path) as archive:
        session = onnxruntime.InferenceSession(
            archive.read("generator.onnx"), providers=["CPUExecutionProvider"]
        )
    weights = load((trained(name) / "weights.safetensors").read_bytes())
    generator = importlib.import_module(BASELINES[name].code).build(weights)
    for height, width in ((64, 64), (45, 71)):
        content, style = clouds(height, width, 1), clouds(height, width, 2)
        feed = {"content": (2 * content - 1).numpy(), "style": (2 * style - 1).numpy()}
        with torch.inference_mode():
            expected = generator(content, style).clamp(0, 1).numpy()
        assert np.abs((session.run(None, feed)[0] + 1) / 2 - expected).max() < 1e-4


@pytest.mark.parametrize("name", [name for name in LEARNED if BASELINES[name].has_strength])
def test_strength_moves_between_two_ends(name: str) -> None:
    generator = generator_of(name)
    content, style = clouds(48, 48, 1), clouds(48, 48, 2)
    with torch.inference_mode():
        none, half, full = (generator(content, style, strength) for strength in (0.0, 0.5, 1.0))
        other = generator(content, clouds(48, 48, 5), 0.0)
    assert torch.allclose(none, other, atol=1e-6), "without strength the style makes no difference"
    assert not torch.allclose(none, full, atol=1e-3)
    assert 0 < (half - none).abs().mean() < 1.5 * (full - none).abs().mean()
