"""Identity returns the content image."""

import numpy as np


def test_the_content_comes_back_whatever_the_style(load, picture) -> None:
    content = picture(20, 31, seed=1)
    for seed in (2, 3):
        assert np.array_equal(load("identity").stylize(content, picture(20, 31, seed=seed)), content)
