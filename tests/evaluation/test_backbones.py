"""The oriented pyramid: shapes, selectivity, determinism, gradients, and the digest that pins it."""

import ast
import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation.backbones import oriented_pyramid, registry
from evaluation.backbones.oriented_pyramid import OrientedPyramid, filter_bank
from evaluation.backbones.registry import backbone_digest, backbone_names, load_backbone
from evaluation.errors import InvalidSuite

PINNED = "d0e6cda1bda9d8d37e3ffadcef9d18c5a10071d883e12e0881dadd66679ea321"
RECORDED = [0.18513, 0.24982, 0.40872, 0.80651, 1.58377]


def test_the_digest_is_the_pinned_one() -> None:
    assert load_backbone("oriented-pyramid-1").digest == PINNED
    assert hashlib.sha256(oriented_pyramid.definition()).hexdigest() == PINNED


@pytest.mark.parametrize(
    ("name", "value"), [("GAIN", 1.0), ("SIGMA", 2.0), ("OPPONENT", ()), ("ARITHMETIC", "")]
)
def test_a_changed_definition_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    monkeypatch.setattr(oriented_pyramid, name, value)
    with pytest.raises(InvalidSuite, match="was changed"):
        load_backbone("oriented-pyramid-1")


def test_the_arithmetic_gives_the_recorded_numbers() -> None:
    """Change the arithmetic, and this fails: then ARITHMETIC must change, and with it the digest."""
    ramp = torch.linspace(0, 1, 64)
    image = torch.stack([ramp.expand(64, 64), ramp.view(64, 1).expand(64, 64), ramp.flip(0).expand(64, 64)])
    with torch.inference_mode():
        taps = OrientedPyramid()(image.square().unsqueeze(0))
    sums = [round(taps[tap].double().mean().item(), 5) for tap in oriented_pyramid.TAPS]
    assert sums == pytest.approx(RECORDED, rel=1e-4)


@pytest.mark.parametrize("name", ["oriented-pyramid-1", "tiny-vgg-1"])
def test_embedded_backbones_need_no_weight_file_and_have_nothing_to_randomize(name: str) -> None:
    backbone, seeded = load_backbone(name), load_backbone(name, random_seed=1)
    assert backbone.digest == seeded.digest == backbone_digest(name)
    image = torch.rand(1, 3, 32, 32)
    for tap, maps in backbone.extract(image).items():
        assert torch.equal(maps, seeded.extract(image)[tap])


def test_an_unknown_backbone_names_the_known_ones() -> None:
    with pytest.raises(InvalidSuite, match="oriented-pyramid-1"):
        load_backbone("vgg-99")
    assert "oriented-pyramid-1" in backbone_names()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 77), (16, 16), (1, 3)])
def test_taps_halve_and_are_rectified(height: int, width: int) -> None:
    taps = OrientedPyramid()(torch.rand(2, 3, height, width))
    assert tuple(taps) == oriented_pyramid.TAPS
    for tap in taps.values():
        assert tuple(tap.shape) == (2, 41, height, width)
        assert bool((tap >= 0).all())
        height, width = -(-height // 2), -(-width // 2)


def test_filters_have_no_mean_and_unit_magnitude() -> None:
    bank = np.array(filter_bank())
    assert bank.shape == (12, 9, 9)
    assert np.abs(bank.sum(axis=(1, 2))).max() <= 40  # of 65536: rounding of 81 weights
    assert np.abs(np.abs(bank).sum(axis=(1, 2)) - 65536).max() <= 81


def test_a_grating_excites_its_own_orientation_most() -> None:
    x = torch.arange(64.0)
    wave = 0.5 + 0.5 * torch.sin(2 * torch.pi * x / oriented_pyramid.WAVELENGTH)
    vertical = wave.expand(3, 64, 64).unsqueeze(0)
    bands = OrientedPyramid()(vertical)["r11"][0, 5:17].mean(dim=(1, 2)).view(6, 2).sum(dim=1)
    assert int(bands.argmax()) == 0
    turned = (
        OrientedPyramid()(vertical.transpose(2, 3))["r11"][0, 5:17].mean(dim=(1, 2)).view(6, 2).sum(dim=1)
    )
    assert int(turned.argmax()) == 3


def test_a_flat_gray_picture_shows_lightness_only() -> None:
    taps = OrientedPyramid()(torch.full((1, 3, 32, 32), 0.5))
    for tap in taps.values():
        assert torch.allclose(tap[:, 0], torch.tensor(1.5))
        assert float(tap[:, 1:].max()) < 0.02


def test_a_batch_gives_what_single_pictures_give() -> None:
    network, images = OrientedPyramid(), torch.rand(3, 3, 40, 40)
    batch = network(images)
    for k in range(3):
        for name, tap in network(images[k : k + 1]).items():
            torch.testing.assert_close(batch[name][k : k + 1], tap, rtol=1e-5, atol=1e-6)


def test_gradients_reach_the_picture() -> None:
    image = torch.rand(1, 3, 24, 24, dtype=torch.float32, requires_grad=True)
    sum(tap.square().mean() for tap in OrientedPyramid()(image).values()).backward()
    assert image.grad is not None
    assert float(image.grad.abs().max()) > 0
    assert bool(torch.isfinite(image.grad).all())


def test_the_file_imports_torch_and_math_alone() -> None:
    """Submission archives carry a copy of this file, where nothing of ours is importable."""
    with open(oriented_pyramid.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    names = {
        alias.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
    }
    names |= {str(n.module).split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert names == {"torch", "math"}


def test_extract_runs_without_gradients() -> None:
    taps = load_backbone("oriented-pyramid-1").extract(torch.rand(1, 3, 16, 16))
    assert not any(tap.requires_grad for tap in taps.values())


def test_a_registered_backbone_with_another_pin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = registry._BACKBONES["oriented-pyramid-1"]
    monkeypatch.setitem(registry._BACKBONES, "oriented-pyramid-1", replace(entry, pinned="0" * 64))
    with pytest.raises(InvalidSuite, match="pinned is 000000000000"):
        load_backbone("oriented-pyramid-1")
