"""A stack of layers that hands out what some of them return, shared by VGG-19 and the LPIPS trunks."""

from collections.abc import Mapping

from torch import Tensor, nn
from torchvision.transforms.functional import normalize

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
PREPROCESSING = f"sRGB in [0,1] minus {MEAN} over {STD}"


class TappedLayers(nn.Module):
    """Normalize images by the mean and standard deviation of ImageNet, run layers, keep the taps.

    The attribute is called `features`, as in torchvision, so that its weight files fit.
    """

    def __init__(self, layers: nn.Sequential, taps: Mapping[int, str]) -> None:
        """Take the layers up to the last tap.

        Args:
            layers: `features` of a torchvision network.
            taps: index of a layer -> name of its output.
        """
        super().__init__()
        self.features = layers[: max(taps) + 1]
        self._taps = dict(taps)
        for layer in self.features.modules():
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # or a tap in front of it would change after it was taken

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the taps of (N, 3, H, W) in [0, 1], in the order of the layers, (N, C, H', W') each."""
        maps = normalize(images, MEAN, STD)  # (N, 3, H, W)
        taps = {}
        for index, layer in enumerate(self.features):
            maps = layer(maps)
            if index in self._taps:
                taps[self._taps[index]] = maps
        return taps
