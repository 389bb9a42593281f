"""Style copy returns the style image, in the size of the content image."""

import numpy as np
from PIL import Image


def test_a_style_of_the_same_size_comes_back_untouched(load, picture) -> None:
    style = picture(24, 33, seed=2)
    assert np.array_equal(load("style_copy").stylize(picture(24, 33, seed=1), style), style)


def test_another_style_size_is_resized_by_bicubic_filtering(load, picture) -> None:
    style = picture(64, 48, seed=2)
    stylized = load("style_copy").stylize(picture(20, 31, seed=1), style)
    expected = np.asarray(Image.fromarray(style).resize((31, 20), Image.Resampling.BICUBIC))
    assert np.array_equal(stylized, expected)
