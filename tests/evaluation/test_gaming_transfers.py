"""AdaIN by optimization: it meets the style's moments, keeps the picture, and leaves alone what fits already."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.backbones.registry import Backbone, load_backbone
from evaluation.features import image_batch
from evaluation.gaming.transfers import TAPS, transfer_adain
from evaluation.images import read_rgb
from evaluation.metrics.style import mean_std_loss, style_statistics
from evaluation.pairs import read_pairs


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    """The network of the demo suite."""
    return load_backbone("tiny-vgg-1")


@pytest.fixture
def images(dataset: Path) -> tuple[np.ndarray, np.ndarray]:
    """A content and a style image."""
    pair = read_pairs(dataset)[0]
    return read_rgb(pair.content), read_rgb(pair.style)


def moment_distance(backbone: Backbone, first: np.ndarray, second: np.ndarray) -> float:
    """Compare means and deviations at the layers of the transfer."""
    sides = [
        [style_statistics(backbone.extract(image_batch([picture]))[tap]) for tap in TAPS]
        for picture in (first, second)
    ]
    return mean_std_loss(*sides).item()


def test_the_moments_of_the_style_are_neared_and_the_picture_stays(
    backbone: Backbone, images: tuple[np.ndarray, np.ndarray]
) -> None:
    content, style = images
    output = transfer_adain(backbone.network, content, style, steps=10)
    assert output.dtype == np.uint8
    assert output.shape == content.shape
    assert moment_distance(backbone, output, style) < 0.5 * moment_distance(backbone, content, style)
    of_content, of_style = (
        np.corrcoef(output.mean(axis=2).ravel(), image.mean(axis=2).ravel())[0, 1] for image in images
    )
    assert of_content > 0.7 > of_style


def test_a_picture_in_its_own_style_stays_as_it_is(
    backbone: Backbone, images: tuple[np.ndarray, np.ndarray]
) -> None:
    output = transfer_adain(backbone.network, images[0], images[0], steps=5)
    assert np.abs(output.astype(int) - images[0]).max() <= 1


def test_the_same_steps_make_the_same_picture(
    backbone: Backbone, images: tuple[np.ndarray, np.ndarray]
) -> None:
    first, second = (transfer_adain(backbone.network, *images, steps=2) for _ in range(2))
    assert (first == second).all()
