"""Controls: what each keeps and what each meets, repeatability, odd sizes, flat pictures, refusals."""

from itertools import product

import numpy as np
import pytest
from skimage.color import rgb2lab

from evaluation.controls import (
    CONTROLS,
    add_noise,
    apply_control,
    blend,
    blur,
    match_colors,
    quilt,
    reduce_palette,
    shuffle_patches,
    transfer_linear,
    transfer_mean_std,
)
from evaluation.errors import InvalidTensor


def picture(seed: int, shape: tuple[int, int] = (48, 64), low: int = 60, high: int = 190) -> np.ndarray:
    """Draw blocks of colors of 4 pixels with some grain, away from black and white unless asked for."""
    generator = np.random.default_rng(seed)
    cells = generator.integers(low, high, (-(-shape[0] // 4), -(-shape[1] // 4), 3))
    large = cells.repeat(4, axis=0).repeat(4, axis=1)[: shape[0], : shape[1]]
    return np.clip(large + generator.integers(-8, 9, large.shape), 0, 255).astype(np.uint8)


CONTENT, STYLE = picture(0), picture(1)
STYLE[..., 0] //= 2


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_returns_a_new_picture_of_the_same_size(name: str) -> None:
    content, style = CONTENT.copy(), STYLE.copy()
    result = apply_control(name, content, style, 3)
    assert result.shape == CONTENT.shape
    assert result.dtype == np.uint8
    assert not np.shares_memory(result, content)
    assert not np.shares_memory(result, style)
    assert (content == CONTENT).all()
    assert (style == STYLE).all()


@pytest.mark.parametrize("name", CONTROLS)
def test_equal_seeds_give_equal_pictures(name: str) -> None:
    first, second = (apply_control(name, CONTENT, STYLE, 5) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("name", ["noise", "style_shuffle", "reinhard_noise"])
def test_other_seeds_give_other_pictures(name: str) -> None:
    assert (apply_control(name, CONTENT, STYLE, 1) != apply_control(name, CONTENT, STYLE, 2)).any()


def test_no_two_controls_are_the_same() -> None:
    results = [apply_control(name, CONTENT, STYLE).tobytes() for name in CONTROLS]
    assert len(set(results)) == len(CONTROLS)


@pytest.mark.parametrize("name", CONTROLS)
def test_flat_saturated_and_odd_pictures_are_fine(name: str) -> None:
    flat = [np.full((17, 21, 3), value, np.uint8) for value in (0, 128, 255)]
    pictures = [*flat, picture(2, (17, 21), 0, 256), np.full((17, 21, 3), (0, 0, 255), np.uint8)]
    for content, style in product(pictures, pictures):
        assert apply_control(name, content, style).shape == content.shape


def test_copies_are_exact() -> None:
    assert (apply_control("identity", CONTENT, STYLE) == CONTENT).all()
    assert (apply_control("style_copy", CONTENT, STYLE) == STYLE).all()


def test_blend_goes_from_content_to_style() -> None:
    assert (blend(CONTENT, STYLE, 0.0) == CONTENT).all()
    assert (blend(CONTENT, STYLE, 1.0) == STYLE).all()
    middle = blend(CONTENT, STYLE, 0.25)
    assert np.abs(middle - (0.75 * CONTENT + 0.25 * STYLE)).max() <= 0.5 + 1e-9


def test_blur_keeps_the_mean_and_takes_away_detail() -> None:
    once, twice = blur(CONTENT, 1.0), blur(CONTENT, 4.0)
    assert CONTENT.std() > once.std() > twice.std()
    assert twice.mean() == pytest.approx(CONTENT.mean(), abs=0.5)
    assert np.abs(twice.mean(axis=(0, 1)) - CONTENT.mean(axis=(0, 1))).max() < 1  # channels do not mix


def test_noise_has_the_deviation_asked_for() -> None:
    added = add_noise(CONTENT, 0, 0.05).astype(float) - CONTENT
    assert added.std() == pytest.approx(0.05 * 255, rel=0.03)
    assert added.mean() == pytest.approx(0.0, abs=0.5)


def test_shuffling_moves_whole_patches() -> None:
    result = shuffle_patches(STYLE, 0, 16)

    def squares(image: np.ndarray) -> list[bytes]:
        return sorted(image[y : y + 16, x : x + 16].tobytes() for y in (0, 16, 32) for x in (0, 16, 32, 48))

    assert squares(result) == squares(STYLE)
    assert (result != STYLE).any()


def test_a_quilt_of_the_picture_itself_is_that_picture() -> None:
    own = quilt(STYLE, STYLE, 8)
    foreign = quilt(CONTENT, STYLE, 8)
    assert np.abs(own.astype(float) - STYLE).mean() < 0.5 * np.abs(foreign.astype(float) - STYLE).mean()
    assert foreign.max() <= STYLE.max()
    assert foreign.min() >= STYLE.min()


def test_a_quilt_follows_the_content() -> None:
    content = np.zeros((64, 64, 3), np.uint8)
    content[:, 32:] = 200
    style = np.zeros((64, 64, 3), np.uint8)
    style[32:] = (220, 180, 20)
    result = quilt(content, style, 8).astype(float)
    assert result[:, :28].mean() < 20
    assert result[:, 36:, 0].mean() > 200


def test_reinhard_meets_mean_and_deviation_in_lab() -> None:
    content, style = picture(0, low=90, high=150), picture(1, low=110, high=180)
    result, wanted = rgb2lab(transfer_mean_std(content, style)), rgb2lab(style)
    assert result.mean(axis=(0, 1)) == pytest.approx(wanted.mean(axis=(0, 1)), abs=0.2)
    assert result.std(axis=(0, 1)) == pytest.approx(wanted.std(axis=(0, 1)), rel=0.02)


def test_histogram_matching_meets_the_values_of_each_channel() -> None:
    result = match_colors(CONTENT, STYLE)
    for channel in range(3):
        ours, theirs = (np.sort(image[..., channel], axis=None).astype(float) for image in (result, STYLE))
        assert np.abs(ours - theirs).mean() < 1.5
    order = np.argsort(CONTENT[..., 1], axis=None)
    assert (np.diff(result[..., 1].ravel()[order].astype(int)) >= 0).all()


def test_linear_transfer_meets_the_covariance() -> None:
    style = (STYLE @ np.array([[0.6, 0.3, 0.0], [0.2, 0.5, 0.2], [0.0, 0.1, 0.6]])).astype(np.uint8)
    result = transfer_linear(CONTENT, style)
    ours, theirs = (image.reshape(-1, 3).astype(float) for image in (result, style))
    assert ours.mean(axis=0) == pytest.approx(theirs.mean(axis=0), abs=0.5)
    assert np.abs(np.cov(ours.T) - np.cov(theirs.T)).max() < 0.02 * np.cov(theirs.T).max()


def test_linear_transfer_of_a_picture_to_itself_changes_nothing() -> None:
    assert (transfer_linear(CONTENT, CONTENT) == CONTENT).all()


def test_a_palette_has_few_colors_near_those_of_the_style() -> None:
    colors = np.array([[10, 20, 30], [200, 30, 40], [20, 180, 60]], np.uint8)
    style = colors[np.random.default_rng(0).integers(0, 3, (48, 64))]
    result = reduce_palette(CONTENT, style, 0, 3)
    assert set(map(tuple, result.reshape(-1, 3))) <= set(map(tuple, colors))
    assert 2 <= len(np.unique(reduce_palette(CONTENT, STYLE, 0).reshape(-1, 3), axis=0)) <= 8


@pytest.mark.parametrize("name", CONTROLS)
def test_different_sizes_and_types_are_refused(name: str) -> None:
    for wrong in (STYLE[:-1], STYLE.astype(float), STYLE[..., 0]):
        with pytest.raises(InvalidTensor):
            apply_control(name, CONTENT, wrong)


def test_unknown_names_and_impossible_numbers_are_refused() -> None:
    with pytest.raises(InvalidTensor, match="identity"):
        apply_control("best", CONTENT, STYLE)
    with pytest.raises(InvalidTensor, match="alpha"):
        blend(CONTENT, STYLE, 1.5)
    for patch in (1, 49):
        with pytest.raises(InvalidTensor, match="patch"):
            shuffle_patches(CONTENT, 0, patch)
        with pytest.raises(InvalidTensor, match="patch"):
            quilt(CONTENT, STYLE, patch)
    for sigma in (0.0, -1.0):
        with pytest.raises(InvalidTensor, match="above 0"):
            blur(CONTENT, sigma)
    with pytest.raises(InvalidTensor, match="at least 0"):
        add_noise(CONTENT, 0, -0.1)
    with pytest.raises(InvalidTensor, match="color"):
        reduce_palette(CONTENT, STYLE, 0, 0)
