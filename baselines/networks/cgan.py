"""The conditional generator of the founding documents: content is encoded, a code of the style drives its decoding."""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

WIDTH = 24  # channels after the first convolution
CODE = 64
BLOCKS = 4
STRIDE = 4
EPSILON = 1e-5


class ContentEncoder(nn.Module):
    """Three convolutions with instance normalization, two of them halving the sides."""

    def __init__(self) -> None:
        """Lay out the convolutions."""
        super().__init__()
        self.first = convolution(3, WIDTH, 7)
        self.halve = nn.ModuleList(
            [convolution(WIDTH, 2 * WIDTH, 3, stride=2), convolution(2 * WIDTH, 4 * WIDTH, 3, stride=2)]
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) in [-1, 1] to (N, WIDTH, H, W), (N, 2 * WIDTH, H/2, W/2), (N, 4 * WIDTH, H/4, W/4)."""
        taps = [F.relu(normalize(self.first(images)))]
        for layer in self.halve:
            taps.append(F.relu(normalize(layer(taps[-1]))))
        return taps


class StyleEncoder(nn.Module):
    """Four strided convolutions, the mean over positions, and a linear layer: a code that has no places left."""

    def __init__(self) -> None:
        """Lay out the layers; there is no normalization, which would take away the colors."""
        super().__init__()
        widths = (3, WIDTH, 2 * WIDTH, 4 * WIDTH, 4 * WIDTH)
        layers = [convolution(i, o, 3, stride=2) for i, o in zip(widths, widths[1:], strict=False)]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, 0.2)  # or styles would hardly differ at the start
        self.layers = nn.ModuleList(layers)
        self.code = nn.Linear(2 * widths[-1], CODE)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [-1, 1] to (N, CODE)."""
        maps = images
        for layer in self.layers:
            maps = F.leaky_relu(layer(maps), 0.2)  # (N, C, H / 2^k, W / 2^k)
        mean, deviation = moments(maps)
        code: Tensor = self.code(torch.cat([mean, deviation], dim=1).flatten(1))
        return code


class Block(nn.Module):
    """Two convolutions around a shortcut, each followed by instance normalization with given scale and shift."""

    def __init__(self) -> None:
        """Lay out the convolutions."""
        super().__init__()
        self.layers = nn.ModuleList(convolution(4 * WIDTH, 4 * WIDTH, 3) for _ in range(2))

    def forward(self, maps: Tensor, styles: Tensor) -> Tensor:
        """Map (N, 4 * WIDTH, H/4, W/4) to the same shape; `styles` is (N, 16 * WIDTH)."""
        first, second = styles.chunk(2, dim=1)  # (N, 8 * WIDTH) each
        inner = F.relu(modulate(self.layers[0](maps), first))
        result: Tensor = maps + modulate(self.layers[1](inner), second)
        return result


class Generator(nn.Module):
    """Content encoder, residual blocks that the style's code modulates, decoder.

    Source: the founding documents' encoder-decoder that takes content and style; modulation after Huang and
    Belongie 2017, residual blocks and their order after Johnson et al. 2016, shortcuts from the encoder's maps to the
    decoder's after Isola et al. 2017 (added, not concatenated). 1.2 million parameters.
    """

    def __init__(self) -> None:
        """Build all layers with torch's present random state."""
        super().__init__()
        self.content_encoder, self.style_encoder = ContentEncoder(), StyleEncoder()
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.grow = nn.ModuleList([convolution(4 * WIDTH, 2 * WIDTH, 3), convolution(2 * WIDTH, WIDTH, 3)])
        self.colors = convolution(WIDTH, 3, 7)
        # of each modulated convolution: a scale and a shift per channel
        self.sizes = [16 * WIDTH] * BLOCKS + [4 * WIDTH, 2 * WIDTH]
        self.mapping = nn.Sequential(
            nn.Linear(CODE, 2 * CODE), nn.LeakyReLU(0.2), nn.Linear(2 * CODE, sum(self.sizes))
        )

    def forward(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """Stylize a batch.

        Args:
            content: (N, 3, H, W) in [0, 1], sides of at least 16 pixels.
            style: (N, 3, H', W') in [0, 1], sides of at least 16 pixels.
            strength: in [0, 1]; 0 decodes with the code of the content image itself, which gives it back.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        code = strength * self.encode_style(style)  # (N, CODE)
        code = code + (1 - strength) * self.encode_style(content)
        return self.decode(content, code)

    def encode_style(self, images: Tensor) -> Tensor:
        """Return the code of style images, (N, CODE)."""
        code: Tensor = self.style_encoder(2 * images - 1)
        return code

    def decode(self, content: Tensor, code: Tensor) -> Tensor:
        """Draw content images in the style of a code: (N, 3, H, W) in [0, 1]."""
        height, width = content.shape[2:]
        styles = iter(self.mapping(code).split(self.sizes, dim=1))
        *fine, maps = self.content_encoder(2 * pad(content) - 1)  # (N, 4 * WIDTH, H/4, W/4)
        for block in self.blocks:
            maps = block(maps, next(styles))
        for layer, kept in zip(self.grow, reversed(fine), strict=True):
            maps = F.interpolate(maps, scale_factor=2.0, mode="nearest")
            maps = layer(maps) + kept  # (N, 2 * WIDTH, H/2, W/2), (N, WIDTH, H, W)
            maps = F.relu(modulate(maps, next(styles)))
        colors = torch.tanh(self.colors(maps))  # (N, 3, H, W) in [-1, 1]
        return (colors[:, :, :height, :width] + 1) / 2


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


def modulate(maps: Tensor, styles: Tensor) -> Tensor:
    """Compute ``(1 + scale) * normalized + shift`` for each channel.

    Args:
        maps: (N, C, H, W).
        styles: (N, 2 C): scales, then shifts.

    Returns:
        (N, C, H, W).
    """
    scale, shift = styles[:, :, None, None].chunk(2, dim=1)  # (N, C, 1, 1) each
    return (1 + scale) * normalize(maps) + shift


def normalize(maps: Tensor) -> Tensor:
    """Bring each channel of each image to mean 0 and deviation 1: (N, C, H, W)."""
    return F.instance_norm(maps)


def moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation over positions, (N, C, 1, 1) each."""
    mean = maps.mean(dim=(2, 3), keepdim=True)
    return mean, ((maps - mean).square().mean(dim=(2, 3), keepdim=True) + EPSILON).sqrt()


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution that pads by reflection."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode="reflect")


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
