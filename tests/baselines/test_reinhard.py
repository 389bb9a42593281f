"""Reinhard's color transfer meets the mean and the spread of the style image in l-alpha-beta."""

import numpy as np
import pytest

from baselines import reinhard


def test_statistics_are_met_exactly_before_rounding(picture) -> None:
    content, style = reinhard.to_lab(picture(40, 31, seed=1)), reinhard.to_lab(picture(50, 21, seed=2))
    matched = reinhard.match_statistics(content, style)
    assert matched.mean(axis=(0, 1)) == pytest.approx(style.mean(axis=(0, 1)), abs=1e-12)
    assert matched.std(axis=(0, 1)) == pytest.approx(style.std(axis=(0, 1)), rel=1e-9)


def test_statistics_of_the_picture_are_met_up_to_rounding(load, picture) -> None:
    content, style = picture(96, 96, seed=1), picture(96, 96, seed=2)
    before, after, goal = (
        reinhard.to_lab(image) for image in (content, load("reinhard").stylize(content, style), style)
    )
    for moment in (np.mean, np.std):
        gap = np.abs(moment(after, axis=(0, 1)) - moment(goal, axis=(0, 1)))
        assert (gap < 0.004).all()
        assert gap.sum() < 0.1 * np.abs(moment(before, axis=(0, 1)) - moment(goal, axis=(0, 1))).sum()


def test_the_conversion_comes_back_to_the_level() -> None:
    levels = np.array([0, 1, 64, 128, 254, 255], dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 6, 3)
    assert np.array_equal(reinhard.to_rgb(reinhard.to_lab(colors)), colors)


def test_the_axes_are_those_of_the_paper() -> None:
    gray = np.full((1, 1, 3), 1.0) @ reinhard.LAB_FROM_LOG.T
    assert gray[0, 0] == pytest.approx([np.sqrt(3), 0, 0])
    products = reinhard.LAB_FROM_LOG @ reinhard.LAB_FROM_LOG.T
    assert products == pytest.approx(np.eye(3))
    assert reinhard.LMS_FROM_RGB.sum(axis=1) == pytest.approx(np.ones(3), abs=4e-3)


def test_a_flat_content_takes_the_mean_color_of_the_style(load, picture) -> None:
    flat, style = np.full((16, 16, 3), 90, dtype=np.uint8), picture(16, 16, seed=2)
    stylized = load("reinhard").stylize(flat, style)
    assert len(np.unique(stylized.reshape(-1, 3), axis=0)) == 1
    mean = reinhard.to_lab(style).mean(axis=(0, 1), keepdims=True)
    assert np.array_equal(stylized[:1, :1], reinhard.to_rgb(mean))
