"""VGG-19 as the teacher: exact to relu3_1, estimated above it, with decoders that turn features into pictures."""

from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EXACT_FILE = "vgg19_normalised_conv1_1-conv3_1.pt"
DISTILLED_FILE = "vgg19_cd16x_encoder5.pt"
INVERTORS_FILE = "wct_feature_invertors_1-3.pt"
WIDTHS = (64, 128, 256, 512, 512)
NARROW = (16, 32, 64, 128, 128)
COUNTS = (2, 2, 4, 4, 1)
INVERTOR_LAYERS = {1: (1,), 2: (1, 5, 8), 3: (1, 5, 8, 12, 15)}  # indices of convolutions in the file
DOUBLED_AFTER = {2: (1,), 3: (1, 8)}  # upsampling follows these


class Encoder(nn.Module):
    """VGG-19's convolutions up to one of them, with reflection padding, after a 1 x 1 change of colors."""

    def __init__(self, widths: tuple[int, ...], last: tuple[int, int]) -> None:
        """Lay out the convolutions up to number `last` = (block, place in the block), both from 1."""
        super().__init__()
        self.conv0 = nn.Conv2d(3, 3, 1)
        self.places = [(b, k) for b in range(1, 6) for k in range(1, COUNTS[b - 1] + 1) if (b, k) <= last]
        channels = [3, *(widths[b - 1] for b, _ in self.places)]
        for (b, k), (i, o) in zip(self.places, pairwise(channels), strict=True):
            self.add_module(f"conv{b}_{k}", nn.Conv2d(i, o, 3, padding=1, padding_mode="reflect"))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map (N, 3, H, W) in [0, 1] to the rectified first convolution of each block, r11 to r51."""
        maps, taps = self.conv0(images), {}
        for b, k in self.places:
            if k == 1 and b > 1:
                maps = F.max_pool2d(maps, 2)
            maps = F.relu(self.get_submodule(f"conv{b}_{k}")(maps))
            if k == 1:
                taps[f"r{b}1"] = maps
        return taps


class Distilled(Encoder):
    """The 16 times compressed VGG-19 with the 1 x 1 heads that estimate VGG-19's own features."""

    def __init__(self) -> None:
        """Lay out the narrow network and its heads."""
        super().__init__(NARROW, (5, 1))
        for b, (i, o) in enumerate(zip(NARROW, WIDTHS, strict=True), start=1):
            self.add_module(f"conv{b}_1_aux", nn.Conv2d(i, o, 1))

    def estimate(self, images: Tensor, tap: str) -> dict[str, Tensor]:
        """Return estimates of VGG-19's features from `tap` on."""
        taps = self(images)
        return {
            name: F.relu(self.get_submodule(f"conv{name[1]}_1_aux")(maps))
            for name, maps in taps.items()
            if name >= tap
        }


class Teacher(nn.Module):
    """The reference of the study: exact relu1_1 to relu3_1, estimated relu4_1 and relu5_1 of VGG-19.

    All features are those of the activation-normalized network (mean activation about 1 per channel).
    """

    def __init__(self, folder: Path) -> None:
        """Load the three weight files of `folder`."""
        super().__init__()
        self.exact, self.distilled = Encoder(WIDTHS, (3, 1)), Distilled()
        self.exact.load_state_dict(torch.load(folder / EXACT_FILE, weights_only=True))
        self.distilled.load_state_dict(torch.load(folder / DISTILLED_FILE, weights_only=True))
        self.invertors = torch.load(folder / INVERTORS_FILE, weights_only=True)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map (N, 3, H, W) in [0, 1] to r11 (N, 64, H, W) .. r51 (N, 512, H/16, W/16)."""
        taps: dict[str, Tensor] = self.exact(images)
        return taps | self.distilled.estimate(images, "r41")

    def invert(self, level: int, maps: Tensor) -> Tensor:
        """Turn features of relu`level`_1, level 1 to 3, back into pictures (N, 3, H, W), not yet clipped."""
        for place in INVERTOR_LAYERS[level]:
            weight, bias = (self.invertors[f"l{level}.{place}.{kind}"] for kind in ("weight", "bias"))
            maps = F.conv2d(F.pad(maps, (1, 1, 1, 1), mode="reflect"), weight, bias)
            if place != INVERTOR_LAYERS[level][-1]:
                maps = F.relu(maps)
            if place in DOUBLED_AFTER.get(level, ()):
                maps = F.interpolate(maps, scale_factor=2.0, mode="nearest")
        return maps
