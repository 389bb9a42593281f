"""The usual way to score: every metric by its usual tool on its own, each with its own pass over both images."""

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from lpips import LPIPS
from skimage.metrics import structural_similarity
from torch import Tensor
from torchvision.models import vgg19

from evaluation.backbones.registry import load_backbone
from evaluation.errors import WeightsMissing
from evaluation.features import image_batch
from evaluation.spec import INCEPTION

_STYLE_LAYERS = (1, 6, 11, 20, 29)
_CONTENT_LAYER = 22


class NaiveChain:
    """Two VGG-19 losses, LPIPS-VGG, scikit-image's SSIM and Inception on both sides, for one pair at a time."""

    def __init__(self, device: str = "cpu", weights_dir: Path | None = None) -> None:
        """Load the networks; with random weights where files are absent, for only the time counts."""
        self._device = device
        self._vgg = vgg19(weights=None).features[: _STYLE_LAYERS[-1] + 1].eval().to(device)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # lpips calls torchvision in a way that is going away
            self._lpips = LPIPS(net="vgg", pnet_rand=True, verbose=False).eval().to(device)
        self._inception = load_any(INCEPTION, device, weights_dir)
        self._mean = torch.tensor((0.485, 0.456, 0.406), device=device).view(1, 3, 1, 1)
        self._std = torch.tensor((0.229, 0.224, 0.225), device=device).view(1, 3, 1, 1)

    def score(self, output: np.ndarray, content: np.ndarray, style: np.ndarray) -> dict[str, float]:
        """Measure one output, uint8 (H, W, 3), against its content and its style image."""
        with torch.inference_mode():
            stylized, contents, styles = (image_batch([x]).to(self._device) for x in (output, content, style))
            distance = self._lpips(stylized * 2 - 1, contents * 2 - 1).item()
            features = [self._inception(image)["pool3"] for image in (stylized, styles)]
            return {
                "content_loss": self._content_loss(stylized, contents),
                "gram": self._style_loss(stylized, styles),
                "lpips": distance,
                "ssim": _ssim(output, content),
                "inception": float((features[0] - features[1]).square().sum()),
            }

    def _content_loss(self, stylized: Tensor, content: Tensor) -> float:
        maps = [self._layers(image, (_CONTENT_LAYER,))[0] for image in (stylized, content)]
        return torch.nn.functional.mse_loss(maps[0], maps[1]).item()

    def _style_loss(self, stylized: Tensor, style: Tensor) -> float:
        layers = zip(*(self._layers(image, _STYLE_LAYERS) for image in (stylized, style)), strict=True)
        return sum(torch.nn.functional.mse_loss(_gram(ours), _gram(theirs)).item() for ours, theirs in layers)

    def _layers(self, image: Tensor, wanted: tuple[int, ...]) -> list[Tensor]:
        found, x = [], (image - self._mean) / self._std
        for index, layer in enumerate(self._vgg[: wanted[-1] + 1]):
            x = layer(x)
            if index in wanted:
                found.append(x)
        return found


def load_any(name: str, device: str, weights_dir: Path | None) -> Callable[[Tensor], dict[str, Tensor]]:
    """Load a network with its published weights, or with random ones where the file is absent."""
    try:
        return load_backbone(name, device, weights_dir).extract
    except WeightsMissing:
        return load_backbone(name, device, weights_dir, random_seed=0).extract


def _gram(features: Tensor) -> Tensor:
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def _ssim(output: np.ndarray, content: np.ndarray) -> float:
    return float(
        structural_similarity(
            output,
            content,
            data_range=255,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
