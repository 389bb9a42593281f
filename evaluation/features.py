"""Everything that the metrics look at in one picture, from a single backbone pass."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evaluation.backbones.registry import Backbone
from evaluation.metrics.colour import colour_histogram
from evaluation.metrics.perceptual import unit_normalize
from evaluation.metrics.style import StyleStatistics, style_statistics


@dataclass(frozen=True)
class StyleFeatures:
    """What style metrics need of a picture, without where things are: small enough to keep for all styles."""

    statistics: tuple[StyleStatistics, ...]
    histogram: np.ndarray


@dataclass(frozen=True)
class Features:
    """What all metrics need of one picture.

    `pixels` is uint8 (H, W, 3); `content_map` (1, C, H, W) is the content tap; `units` are all taps,
    unit-normalized, (1, C, H, W) each.
    """

    pixels: np.ndarray
    content_map: Tensor
    units: tuple[Tensor, ...]
    style: StyleFeatures


def image_tensor(pixels: np.ndarray) -> Tensor:
    """Return a uint8 picture (H, W, 3) as fp32 (1, 3, H, W) in [0, 1]."""
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return torch.from_numpy(planes).unsqueeze(0).float() / 255


def extract_features(pixels: np.ndarray, backbone: Backbone) -> Features:
    """Run the backbone once over a uint8 picture (H, W, 3) and derive what the metrics need.

    Pictures go through one at a time, so a score never depends on what else was scored with it.
    """
    taps = backbone.extract(image_tensor(pixels))
    with torch.inference_mode():
        layers = [taps[name] for name in backbone.taps]
        statistics = tuple(style_statistics(layer) for layer in layers)
        content_map = taps[backbone.content_tap].clone()
        # the taps are ours alone and not needed again: new memory would cost more than the arithmetic
        units = tuple(unit_normalize(layer, out=layer) for layer in layers)
    style = StyleFeatures(statistics, colour_histogram(pixels))
    return Features(pixels, content_map, units, style)
