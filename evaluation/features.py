"""Everything that the metrics look at in one picture, from a single pass of each network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evaluation.backbones.registry import Backbone
from evaluation.ingredients import FROM_NETWORK, FROM_PIXELS, Named
from evaluation.metrics.style import StyleStatistics


@dataclass(frozen=True)
class Features:
    """One picture, uint8 (H, W, 3), and its ingredients: tensors of batch size 1, named ``ingredient.layer``."""

    pixels: np.ndarray
    tensors: dict[str, Tensor]

    def layers(self, name: str) -> tuple[Tensor, ...]:
        """Return the tensors of one ingredient, from the first layer to the last."""
        found: list[Tensor] = []
        while (key := f"{name}.{len(found)}") in self.tensors:
            found.append(self.tensors[key])
        return tuple(found)

    @property
    def statistics(self) -> tuple[StyleStatistics, ...]:
        """Return Gram matrix, mean and deviation of every layer."""
        layers = (self.layers(name) for name in ("gram", "mean", "std"))
        return tuple(StyleStatistics(*layer) for layer in zip(*layers, strict=True))


class Extractor:
    """Derives a fixed set of ingredients; pictures of one size go through each network together."""

    def __init__(self, networks: Mapping[str, Backbone], ingredients: Sequence[str]) -> None:
        """Sort the ingredients by the network that they need."""
        self.ingredients = tuple(dict.fromkeys(ingredients))
        needed = {FROM_NETWORK[name].network for name in self.ingredients if name in FROM_NETWORK}
        self.networks = {name: networks[name] for name in sorted(needed)}
        self._from_pixels = [name for name in self.ingredients if name in FROM_PIXELS]
        self._by_network: dict[str, list[str]] = {}
        for name in self.ingredients:
            if name in FROM_NETWORK:
                self._by_network.setdefault(FROM_NETWORK[name].network, []).append(name)

    @property
    def device(self) -> str:
        """Return where the tensors are."""
        return next((network.device for network in self.networks.values()), "cpu")

    def extract(self, pictures: Sequence[np.ndarray]) -> list[Features]:
        """Return the features of uint8 pictures (H, W, 3) of one size, in their order."""
        stacked = self._network_tensors(pictures)
        result = []
        for index, pixels in enumerate(pictures):
            tensors = {name: tensor[index : index + 1] for name, tensor in stacked.items()}
            for name in self._from_pixels:
                tensors |= {key: t.to(self.device) for key, t in FROM_PIXELS[name](pixels).items()}
            result.append(Features(pixels, tensors))
        return result

    def _network_tensors(self, pictures: Sequence[np.ndarray]) -> Named:
        tensors: Named = {}
        if self._by_network:
            batch = image_batch(pictures)
        for network, names in self._by_network.items():
            backbone = self.networks[network]
            taps = backbone.extract(batch)
            with torch.inference_mode():
                for name in names:
                    tensors |= FROM_NETWORK[name].compute(taps, backbone)
        return tensors


def image_batch(pictures: Sequence[np.ndarray]) -> Tensor:
    """Return N uint8 pictures (H, W, 3) as fp32 (N, 3, H, W) in [0, 1]."""
    stacked = torch.from_numpy(np.stack(pictures))  # (N, H, W, 3)
    # the memory order stays that of the pictures: convolutions and SSIM read it fastest
    return stacked.permute(0, 3, 1, 2).float() / 255
