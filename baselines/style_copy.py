"""Style copy: return the style image in place of the content image; the anchor of the style score."""

import numpy as np
from PIL import Image


class Model:
    """The generator that ignores the content image: content 0, style 1, headline 0."""

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Need nothing from the bundle or the device."""

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Return `style`, resized by antialiased bicubic filtering where its size is not that of `content`.

        Args:
            content: uint8 (H, W, 3); only its size matters.
            style: uint8 (H', W', 3).

        Returns:
            uint8 (H, W, 3).
        """
        height, width = content.shape[:2]
        if style.shape == content.shape:
            return style
        return np.array(Image.fromarray(style).resize((width, height), Image.Resampling.BICUBIC))
