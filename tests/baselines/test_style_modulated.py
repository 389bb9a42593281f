"""Style modulation: kernels are scaled as in the paper, noise stands still, codes can be mixed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from baselines.baseline import BACKBONES
from baselines.cli import cli
from baselines.methods.style_modulated import R1_EVERY, StyleModulated
from baselines.networks.style_modulated import CODE, EPSILON, NOISE_SIDE, Model, Modulated, mix
from evaluation.backbones import tiny_vgg
from evaluation.images import read_rgb, write_png
from tests.baselines.learning import fixed_batch, new_method


def style_modulated() -> StyleModulated:
    method = new_method("style_modulated")
    assert isinstance(method, StyleModulated)
    return method


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Return the generator of an untrained method, as a contest would run it."""
    save_file(style_modulated().generator.state_dict(), tmp_path / "weights.safetensors")
    (tmp_path / "settings.json").write_text(json.dumps({"strength": 1.0}))
    return Model(str(tmp_path), "cpu")


@pytest.fixture
def layer() -> Modulated:
    torch.manual_seed(0)
    return Modulated(6, 5).eval()


def test_scaling_channels_equals_a_kernel_for_every_picture(layer: Modulated) -> None:
    maps, scales = torch.randn(3, 6, 9, 11), 1 + 0.5 * torch.randn(3, 6)
    kernels = scales[:, None, :, None, None] * layer.weight[None]  # (N, C', C, 3, 3), equation 1
    length = kernels.square().sum(dim=(2, 3, 4), keepdim=True)
    kernels = kernels / (length + EPSILON).sqrt()  # equation 3
    padded = F.pad(maps, (1, 1, 1, 1), mode="reflect").reshape(1, 18, 11, 13)
    expected = F.conv2d(padded, kernels.reshape(15, 6, 3, 3), groups=3).reshape(3, 5, 9, 11)
    torch.testing.assert_close(layer.convolve(maps, scales), expected, rtol=1e-4, atol=1e-5)


def test_demodulation_keeps_unit_variance_and_forgets_the_common_scale(layer: Modulated) -> None:
    maps, scales = torch.randn(4, 6, 64, 64), 1 + 0.5 * torch.randn(4, 6)
    result = layer.convolve(maps, scales)
    torch.testing.assert_close(result.std(dim=(2, 3)), torch.ones(4, 5), rtol=0.1, atol=0)
    torch.testing.assert_close(layer.convolve(maps, 7 * scales), result, rtol=1e-3, atol=1e-4)


def test_noise_stands_still_at_inference_and_is_fresh_in_training(layer: Modulated) -> None:
    maps = torch.zeros(2, 5, NOISE_SIDE + 6, 30)
    noise = layer.draw_noise(maps)
    assert noise.shape == (1, 1, NOISE_SIDE + 6, 30)
    assert torch.equal(noise, layer.draw_noise(maps))
    assert torch.equal(noise[:, :, :6], noise[:, :, NOISE_SIDE:])
    layer.train()
    fresh = layer.draw_noise(maps)
    assert fresh.shape == (2, 1, NOISE_SIDE + 6, 30)
    assert not torch.equal(fresh[0], fresh[1])
    assert not torch.equal(fresh, layer.draw_noise(maps))


def test_noise_enters_by_its_learned_strength(layer: Modulated) -> None:
    maps, code = torch.randn(1, 6, 8, 8), torch.randn(1, CODE)
    with torch.no_grad():
        plain = layer(maps, code)
        layer.noise_strength.fill_(0.5)
        noisy = layer(maps, code)
    assert not torch.allclose(plain, noisy, atol=1e-2)


def test_a_style_is_described_by_the_moments_of_the_shipped_features() -> None:
    images = fixed_batch().style
    network = tiny_vgg.build(load_file(BACKBONES / tiny_vgg.WEIGHTS_FILE))
    expected = []
    for maps in list(network(images).values())[:4]:
        expected += [maps.mean(dim=(2, 3)), maps.std(dim=(2, 3), correction=0)]
    found = style_modulated().generator.style_encoder(images)
    torch.testing.assert_close(found, torch.cat(expected, dim=1), rtol=1e-2, atol=5e-3)


def test_at_strength_zero_a_picture_is_drawn_in_its_own_style() -> None:
    generator, batch = style_modulated().generator.eval(), fixed_batch()
    with torch.inference_mode():
        own = generator(batch.content, batch.content)
        assert torch.allclose(generator(batch.content, batch.style, 0.0), own, atol=1e-5)
        assert not torch.allclose(generator(batch.content, batch.style, 1.0), own, atol=1e-2)


def test_codes_mix_along_a_line_from_the_first_to_the_second() -> None:
    first, second = torch.randn(1, CODE), torch.randn(1, CODE)
    torch.testing.assert_close(mix(first, second, 0.0), first)
    torch.testing.assert_close(mix(first, second, 1.0), second)
    torch.testing.assert_close(mix(first, second, 0.25), 0.75 * first + 0.25 * second)


def test_a_row_between_two_cultures_leads_from_one_to_the_other(model: Model, picture: Any) -> None:
    cultures = [[picture(40, 52, seed=seed), picture(33, 64, seed=seed + 1)] for seed in (10, 20)]
    codes = [model.encode(styles) for styles in cultures]
    content = picture(45, 61, seed=1)
    row = [model.draw(content, mix(*codes, share / 4)).astype(int) for share in range(5)]
    assert all(image.shape == (45, 61, 3) for image in row)
    distances = [np.abs(image - row[0]).mean() for image in row]
    assert distances == sorted(distances)
    assert distances[-1] > distances[1] > 0


def test_the_command_line_draws_a_photograph_from_one_culture_to_another(
    model: Model, picture: Any, tmp_path: Path
) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "row.png"
    write_png(picture(40, 60, seed=1), photo)
    for seed, culture in enumerate(["rinpa", "rinpa", "rococo", "rococo"], start=10):
        (tmp_path / "styles" / culture).mkdir(parents=True, exist_ok=True)
        write_png(picture(40, 50, seed=seed), tmp_path / "styles" / culture / f"{seed}.png")
    arguments = ["interpolate", str(photo), "rinpa", "rococo", "--style", str(tmp_path / "styles")]
    arguments += ["--run", str(tmp_path), "--count", "3", "--out", str(out)]
    result = CliRunner().invoke(cli, arguments)
    assert "3 pictures from rinpa to rococo" in result.output
    first, middle, last = np.split(read_rgb(out, (40, 180)).astype(int), 3, axis=1)
    assert 0 < np.abs(middle - first).mean() < np.abs(last - first).mean()
    unknown = CliRunner().invoke(cli, [*arguments[:2], "Martian", *arguments[3:]])
    assert "no style images of martian" in str(unknown.exception)


def test_the_code_of_one_style_gives_the_picture_of_that_style(model: Model, picture: Any) -> None:
    content, style = picture(40, 40, seed=1), picture(40, 40, seed=2)
    assert np.array_equal(model.draw(content, model.encode([style])), model.stylize(content, style))


def test_the_slope_penalty_comes_every_sixteenth_step() -> None:
    method = style_modulated()
    found = []
    for step in (0, 1, R1_EVERY - 1, R1_EVERY):
        batch = replace(fixed_batch(), step=step)
        method.generator_losses(batch)
        found.append(method.discriminator_losses(batch)["r1"].item() > 0)
    assert found == [True, False, False, True]
