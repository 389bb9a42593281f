"""AdaIN: give the features of the content image the mean and deviation of the style image, and decode them."""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

BLOCKS = ((16, 2), (32, 2), (64, 1))  # of the encoder: channels, convolutions between poolings
DECODER = (
    (96, 1),  # channels, factor by which the maps grow before the convolution
    (96, 1),
    (64, 1),
    (48, 2),
    (48, 1),
    (24, 2),
)
MEAN = (0.485, 0.456, 0.406)  # of ImageNet, which the encoder expects
DEVIATION = (0.229, 0.224, 0.225)
STRIDE = 4
EPSILON = 1e-5


class Encoder(nn.Module):
    """The first five convolutions of `tiny-vgg-1`, to the first one of the third block; never trained here."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        """Lay out 3 x 3 convolutions with reflection padding."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        widths = [channels for channels, count in BLOCKS for _ in range(count)]
        self.layers = nn.ModuleList(convolution(i, o) for i, o in zip([3, *widths], widths, strict=False))

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 1] to rectified features (N, 64, H/4, W/4)."""
        maps = (images - self.mean) / self.deviation  # (N, 3, H, W)
        layers = iter(self.layers)
        for number, (_, count) in enumerate(BLOCKS):
            if number:
                maps = F.max_pool2d(maps, 2)
            for _ in range(count):
                maps = F.relu(next(layers)(maps))  # (N, C, H / 2^number, W / 2^number)
        return maps


class Decoder(nn.Module):
    """The encoder's mirror image: convolutions, nearest enlargement in place of pooling, no normalization."""

    def __init__(self) -> None:
        """Lay out the convolutions of `DECODER` and the one that gives colors; He's start keeps the signal alive."""
        super().__init__()
        widths = [BLOCKS[-1][0], *(channels for channels, _ in DECODER)]
        layers = [convolution(i, o) for i, o in zip(widths, widths[1:], strict=False)]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.layers = nn.ModuleList(layers)
        self.colors = convolution(widths[-1], 3)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, 64, H/4, W/4) to (N, 3, H, W), about [0, 1]."""
        for layer, (_, factor) in zip(self.layers, DECODER, strict=True):
            if factor > 1:
                maps = F.interpolate(maps, scale_factor=float(factor), mode="nearest")
            maps = F.relu(layer(maps))  # (N, C, H', W')
        colors: Tensor = self.colors(maps)
        return colors + 0.5  # (N, 3, H, W)


class Generator(nn.Module):
    """Encoder, adaptive instance normalization, decoder.

    Source: Huang and Belongie 2017, equations 8 and 14. Deviations: the encoder is `tiny-vgg-1` to relu3_1 (64
    channels) instead of VGG-19 to relu4_1 (512), and the decoder is as much narrower.
    """

    def __init__(self) -> None:
        """Build both networks with torch's present random state."""
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        self.encoder.requires_grad_(False)

    def forward(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """Stylize a batch.

        Args:
            content: (N, 3, H, W) in [0, 1], sides of at least 16 pixels.
            style: (N, 3, H', W') in [0, 1].
            strength: in [0, 1]; 0 decodes the features of the content image as they are.

        Returns:
            (N, 3, H, W), about [0, 1].
        """
        height, width = content.shape[2:]
        return self.decoder(self.transfer(content, style, strength))[:, :, :height, :width]

    def transfer(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """Return the features t that shall be decoded (equation 14), (N, 64, H/4, W/4), sides rounded up."""
        maps, goal = self.encoder(pad(content)), self.encoder(pad(style))  # (N, 64, H/4, W/4)
        return strength * adaptive_norm(maps, goal) + (1 - strength) * maps


class Model:
    """The generator as it runs in a contest."""

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Load `weights.safetensors`, and the strength from `settings.json`."""
        folder = Path(bundle_dir)
        self.generator = build(load_file(folder / "weights.safetensors")).to(device)
        self.strength = float(json.loads((folder / "settings.json").read_text())["strength"])
        self.device = device

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Stylize one pair: uint8 (H, W, 3) and uint8 (H', W', 3) to uint8 (H, W, 3)."""
        with torch.inference_mode():
            pair = (to_tensor(image).to(self.device) for image in (content, style))
            return to_image(self.generator(*pair, self.strength))


def adaptive_norm(maps: Tensor, style: Tensor) -> Tensor:
    """Compute ``sigma(y) (x - mu(x)) / sigma(x) + mu(y)``, channel by channel.

    Args:
        maps: x, (N, C, H, W).
        style: y, (N, C, H', W').

    Returns:
        (N, C, H, W).

    Source: Huang and Belongie 2017, equation 8.
    """
    maps, style = maps.float(), style.float()
    (mean, deviation), (goal_mean, goal_deviation) = moments(maps), moments(style)
    return (maps - mean) / deviation * goal_deviation + goal_mean


def moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation over positions, (N, C, 1, 1) each."""
    mean = maps.mean(dim=(2, 3), keepdim=True)
    return mean, ((maps - mean).square().mean(dim=(2, 3), keepdim=True) + EPSILON).sqrt()


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 3 x 3 convolution that pads by reflection."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


def pad(images: Tensor) -> Tensor:
    """Reflect the right and lower edge until the sides are multiples of the stride."""
    height, width = images.shape[2:]
    return F.pad(images, (0, -width % STRIDE, 0, -height % STRIDE), mode="reflect")


def build(state: dict[str, Tensor]) -> Generator:
    """Return the generator with trained weights, frozen; half precision is widened."""
    generator = Generator()
    generator.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return generator.eval().requires_grad_(False)


def to_tensor(image: np.ndarray) -> Tensor:
    """Turn uint8 (H, W, 3) into float32 (1, 3, H, W) in [0, 1]."""
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    return planes[None].to(torch.float32) / 255


def to_image(images: Tensor) -> np.ndarray:
    """Turn (1, 3, H, W) into uint8 (H, W, 3), clipped and rounded to nearest."""
    levels = (images[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())
