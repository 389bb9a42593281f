"""Histogram matching meets the distribution of each channel of the style image."""

import numpy as np
from skimage.exposure import match_histograms


def cumulative(channel: np.ndarray) -> np.ndarray:
    return np.cumsum(np.bincount(channel.ravel(), minlength=256)) / channel.size


def test_distributions_are_met_up_to_the_largest_level(load, picture) -> None:
    content, style = picture(60, 90, seed=1), picture(90, 60, seed=2)
    stylized = load("histogram").stylize(content, style)
    for channel in range(3):
        gap = np.abs(cumulative(stylized[..., channel]) - cumulative(style[..., channel])).max()
        largest = max(
            np.bincount(image[..., channel].ravel()).max() / image[..., channel].size
            for image in (content, style)
        )
        assert gap <= largest + 1e-9
        assert np.abs(cumulative(content[..., channel]) - cumulative(style[..., channel])).max() > 3 * gap


def test_it_agrees_with_an_independent_implementation(load, picture) -> None:
    content, style = picture(60, 90, seed=1), picture(90, 60, seed=2)
    reference = np.rint(match_histograms(content.astype(float), style.astype(float), channel_axis=-1))
    assert np.abs(load("histogram").stylize(content, style) - reference).max() <= 1


def test_order_of_levels_is_kept(load, picture) -> None:
    content = picture(40, 40, seed=1)
    stylized = load("histogram").stylize(content, picture(40, 40, seed=2))
    for channel in range(3):
        order = np.argsort(content[..., channel].ravel(), kind="stable")
        assert (np.diff(stylized[..., channel].ravel()[order].astype(int)) >= 0).all()


def test_a_picture_is_its_own_match(load, picture) -> None:
    content = picture(40, 40, seed=1)
    assert np.array_equal(load("histogram").stylize(content, content), content)
