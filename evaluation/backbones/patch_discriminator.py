"""The PatchGAN discriminator: one logit for every 70 x 70 patch of a picture, higher for real art."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SLOPE = 0.2  # of the leaky ReLU
_SPREAD = 0.02  # standard deviation of the first weights


class PatchDiscriminator(nn.Module):
    """Map images (N, 3, H, W) in [0, 1] to patch logits (N, 1, H/8 - 2, W/8 - 2).

    Five 4 x 4 convolutions of strides 2, 2, 2, 1, 1 and widths n, 2n, 4n, 8n, 1; each logit sees 70 x 70
    pixels. 2.8 million parameters at n = 64.

    Source: Isola et al. 2017, appendix 6.1.2. Deviation: instance normalization as in CycleGAN (Zhu et al.
    2017), or spectral normalization (Miyato et al. 2018) in its place, so that a picture's logits never
    depend on the batch.
    """

    def __init__(self, width: int = 64, *, spectral_norm: bool = False) -> None:
        """Build the layers with torch's present random state; see `build_discriminator` for a seeded one."""
        super().__init__()
        self.has_instance_norm = not spectral_norm
        widths = (3, width, 2 * width, 4 * width, 8 * width, 1)
        strides = (2, 2, 2, 1, 1)
        self.layers = nn.ModuleList()
        for inputs, outputs, stride in zip(widths, widths[1:], strides, strict=False):
            layer = nn.Conv2d(inputs, outputs, kernel_size=4, stride=stride, padding=1)
            nn.init.normal_(layer.weight, 0.0, _SPREAD)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
            self.layers.append(nn.utils.parametrizations.spectral_norm(layer) if spectral_norm else layer)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logit of each patch."""
        x = 2 * images - 1  # (N, 3, H, W) in [-1, 1]
        for number, layer in enumerate(self.layers):
            x = layer(x)  # (N, C, H', W')
            if number == len(self.layers) - 1:
                break
            if number > 0 and self.has_instance_norm:
                x = F.instance_norm(x)
            x = F.leaky_relu(x, _SLOPE)
        return x  # (N, 1, H/8 - 2, W/8 - 2)


def build_discriminator(width: int = 64, *, spectral_norm: bool = False, seed: int) -> PatchDiscriminator:
    """Build a discriminator with seeded weights on the CPU, leaving torch's random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PatchDiscriminator(width, spectral_norm=spectral_norm)
