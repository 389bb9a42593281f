"""Gatys lowers its loss step by step, keeps the content in sight, and leaves trivial answers alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from baselines import gatys
from evaluation.backbones import tiny_vgg

NETWORK = gatys.load_network(Path(tiny_vgg.__file__).parent)


def tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1)[None].copy()).float() / 255


def gram_loss(image: Tensor, style: Tensor) -> float:
    grams = [gatys.gram_matrix(tap) for tap in gatys.style_taps(NETWORK, style)]
    return float(gatys.style_loss(gatys.style_taps(NETWORK, image), grams))


def test_more_steps_lower_the_gram_loss(picture) -> None:
    content, style = tensor(picture(64, 64, seed=1)), tensor(picture(64, 64, seed=2))
    losses = [
        gram_loss(gatys.optimize(NETWORK, (content, style), content, steps), style) for steps in (0, 2, 6, 18)
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(("method", "steps"), [("l-bfgs", (0, 2, 5, 10, 20)), ("adam", (0, 5, 15, 40))])
def test_more_steps_lower_the_whole_loss_with_either_optimizer(
    picture, method: str, steps: tuple[int]
) -> None:
    content, style = tensor(picture(48, 48, seed=1)), tensor(picture(48, 48, seed=2))
    targets = gatys.measure_targets(NETWORK, content, style)
    losses = []
    for count in steps:
        image = gatys.optimize(NETWORK, (content, style), content, count, method)
        losses.append(float(gatys.total_loss(NETWORK, image, targets)))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]


def test_another_optimizer_is_refused(picture) -> None:
    image = tensor(picture(32, 32, seed=1))
    with pytest.raises(ValueError, match="choose l-bfgs or adam"):
        gatys.optimize(NETWORK, (image, image), image, 1, "sgd")


def test_no_steps_return_the_start(picture) -> None:
    content, style = tensor(picture(32, 40, seed=1)), tensor(picture(32, 40, seed=2))
    assert torch.equal(gatys.optimize(NETWORK, (content, style), content, 0), content)


def test_the_whole_schedule_nears_the_style_and_keeps_the_content(load, picture) -> None:
    content, style = picture(96, 96, seed=1), picture(96, 96, seed=2)
    stylized = load("gatys").stylize(content, style)
    assert gram_loss(tensor(stylized), tensor(style)) < 0.1 * gram_loss(tensor(content), tensor(style))
    tap = gatys.CONTENT_TAP
    features = {
        name: NETWORK(tensor(image))[tap]
        for name, image in (("content", content), ("style", style), ("stylized", stylized))
    }
    kept = (features["stylized"] - features["content"]).square().sum()
    lost = (features["style"] - features["content"]).square().sum()
    assert kept < 0.5 * lost


def test_a_content_in_its_own_style_stays(load, picture) -> None:
    content = picture(64, 64, seed=1)
    difference = load("gatys").stylize(content, content).astype(int) - content
    assert np.abs(difference).mean() < 3


def test_flat_black_pictures_give_a_finite_answer(load) -> None:
    black = np.zeros((32, 32, 3), dtype=np.uint8)
    assert load("gatys").stylize(black, black).max() <= 1


def test_the_gram_matrix_agrees_with_a_loop() -> None:
    features = torch.rand(1, 3, 4, 5)
    expected = torch.zeros(3, 3)
    for y in range(4):
        for x in range(5):
            expected += torch.outer(features[0, :, y, x], features[0, :, y, x]) / 20
    assert torch.allclose(gatys.gram_matrix(features), expected)


def test_a_bundle_without_the_feature_network_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="tiny_vgg.py"):
        gatys.Model(str(tmp_path), "cpu")
