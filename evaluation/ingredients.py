"""What metrics read of a picture: each ingredient is derived once, from one pass of the network it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.backbones.registry import Backbone
from evaluation.metrics.colour import colour_histogram, colour_quantiles
from evaluation.metrics.perceptual import unit_normalize
from evaluation.metrics.projections import project_quantiles, projection_directions
from evaluation.metrics.style import style_statistics
from evaluation.spec import BACKBONE, INCEPTION, LPIPS

_GRID = 8  # cells a side, in which retrieval sees the layout of a picture

Named = dict[str, Tensor]


@dataclass(frozen=True)
class FromNetwork:
    """Named tensors, batch first, derived from the taps of one network."""

    network: str
    compute: Callable[[Mapping[str, Tensor], Backbone], Named]


def numbered(name: str, tensors: Sequence[Tensor]) -> Named:
    """Name the tensors of several layers ``name.0``, ``name.1`` and so on."""
    return {f"{name}.{index}": tensor for index, tensor in enumerate(tensors)}


def _statistics(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    layers = [style_statistics(taps[tap]) for tap in backbone.taps]
    return (
        numbered("gram", [layer.gram for layer in layers])
        | numbered("mean", [layer.mean for layer in layers])
        | numbered("std", [layer.std for layer in layers])
    )


def _projections(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    layers = [taps[tap] for tap in backbone.taps]
    return numbered(
        "projections", [project_quantiles(layer, projection_directions(layer.shape[1])) for layer in layers]
    )


def _content_map(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    return {"content_map.0": taps[backbone.content_tap]}


def _deep_maps(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    return numbered("deep_maps", [taps[tap] for tap in backbone.taps[-2:]])


def _layout(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    return {"layout.0": F.adaptive_avg_pool2d(taps[backbone.content_tap], _GRID).flatten(1)}


def _pooled(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    return {"pooled.0": torch.cat([taps[tap].mean(dim=(2, 3)) for tap in backbone.taps[-2:]], dim=1)}


def _units(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    return numbered("units", [unit_normalize(taps[tap]) for tap in backbone.taps])


def _lpips(name: str) -> Callable[[Mapping[str, Tensor], Backbone], Named]:
    def compute(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
        # with the root of the head in both sides, the plain squared distance is the weighted one
        layers = zip(backbone.taps, backbone.heads, strict=True)
        return numbered(name, [unit_normalize(taps[tap]).mul_(head.sqrt()) for tap, head in layers])

    return compute


def _inception(taps: Mapping[str, Tensor], backbone: Backbone) -> Named:
    return {"inception.0": taps[backbone.taps[-1]]}


def _colour(pixels: np.ndarray) -> Named:
    return {"colour.0": torch.from_numpy(colour_quantiles(pixels)).unsqueeze(0)}


def _histogram(pixels: np.ndarray) -> Named:
    return {"histogram.0": torch.from_numpy(colour_histogram(pixels)).unsqueeze(0)}


FROM_NETWORK: dict[str, FromNetwork] = {
    "statistics": FromNetwork(BACKBONE, _statistics),
    "projections": FromNetwork(BACKBONE, _projections),
    "content_map": FromNetwork(BACKBONE, _content_map),
    "deep_maps": FromNetwork(BACKBONE, _deep_maps),
    "layout": FromNetwork(BACKBONE, _layout),
    "pooled": FromNetwork(BACKBONE, _pooled),
    "units": FromNetwork(BACKBONE, _units),
    "middle_map": FromNetwork(BACKBONE, lambda taps, b: {"middle_map.0": taps[b.taps[2]]}),
    "lpips": FromNetwork(LPIPS, _lpips("lpips")),
    "lpips_vgg": FromNetwork("lpips-vgg-0.1", _lpips("lpips_vgg")),
    "lpips_squeeze": FromNetwork("lpips-squeeze-0.1", _lpips("lpips_squeeze")),
    "inception": FromNetwork(INCEPTION, _inception),
    "keys": FromNetwork("dino-vits8", lambda taps, _: {"keys.0": taps["keys"]}),
}

FROM_PIXELS: dict[str, Callable[[np.ndarray], Named]] = {"colour": _colour, "histogram": _histogram}
