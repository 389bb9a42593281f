"""The backbone `tiny-vgg-1`: a small network that this project distilled from VGG-19.

The weights lie beside this file, with a card that says how they were made. They order style transfers nearly
as VGG-19 does, at a twentieth of its cost; scores through them are demo scores all the same.
This file needs nothing but torch, because submission archives carry a copy of it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = ("r11", "r21", "r31", "r41", "r51")
CONTENT_TAP = "r41"
ARITHMETIC = (
    "tiny-vgg-1: sRGB in [0,1] less the mean over the deviation of ImageNet; 3 x 3 convolutions with reflection "
    "padding, ReLU, 2 x 2 maximum pooling between blocks; taps after the first ReLU of each block"
)
WEIGHTS_FILE = "tiny-vgg-1.safetensors"
BLOCKS = ((16, 2), (32, 2), (64, 3), (128, 3), (128, 1))  # channels and convolutions between poolings
MEAN = (0.485, 0.456, 0.406)  # of ImageNet, as torchvision's VGG-19 expects
DEVIATION = (0.229, 0.224, 0.225)


class TinyVGG(nn.Module):
    """Map images to the first rectified convolution of each of five blocks.

    Eleven convolutions of 3 x 3 with reflection padding and ReLU, 2 x 2 maximum pooling between blocks. There is no
    normalization inside, so a picture's taps never depend on what else is in the batch.
    Source: after VGG (Simonyan and Zisserman 2015), narrower and shallower; the widths are this project's own.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        """Build the layers with torch's random start; `build` fills in trained weights."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        layers, incoming = [], 3
        for channels, count in BLOCKS:
            for _ in range(count):
                layers.append(nn.Conv2d(incoming, channels, 3, padding=1, padding_mode="reflect"))
                incoming = channels
        self.layers = nn.ModuleList(layers)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the five taps of a batch.

        Args:
            images: (N, 3, H, W), floating point, sRGB in [0, 1], sides of at least 32 pixels.

        Returns:
            tap name -> (N, C, H // 2^k, W // 2^k) with C = 16, 32, 64, 128, 128 for k = 0..4, nonnegative;
            differentiable with respect to `images`.
        """
        maps = (images - self.mean) / self.deviation  # (N, 3, H, W)
        taps: dict[str, Tensor] = {}
        layers = iter(self.layers)
        for tap, (_, count) in zip(TAPS, BLOCKS, strict=True):
            if taps:
                maps = F.max_pool2d(maps, 2)
            taps[tap] = maps = F.relu(next(layers)(maps))  # (N, C, H / 2^k, W / 2^k)
            for _ in range(count - 1):
                maps = F.relu(next(layers)(maps))
        return taps


def definition() -> bytes:
    """Return bytes that change whenever the arithmetic changes; the weights have the digest of their file."""
    return repr((ARITHMETIC, TAPS, BLOCKS, MEAN, DEVIATION)).encode()


def build(state: dict[str, Tensor]) -> TinyVGG:
    """Return the network with the weights of `state`, e.g. those of the file `WEIGHTS_FILE`.

    Args:
        state: parameter name -> floating tensor; half precision is widened to fp32.

    Raises:
        RuntimeError: names or shapes that do not fit, from torch.
    """
    network = TinyVGG()
    network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return network.eval().requires_grad_(False)
