"""Style modulation: a code of the style image scales the convolutions that redraw the content image."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

BLOCKS = (
    (16, 2),
    (32, 2),
    (64, 3),
    (128, 1),
)  # of the style encoder: channels, convolutions between poolings
MEAN = (0.485, 0.456, 0.406)  # of ImageNet, which the style encoder expects
DEVIATION = (0.229, 0.224, 0.225)
DESCRIPTION = 2 * sum(channels for channels, _ in BLOCKS)  # means and deviations
WIDTHS = (24, 48, 96)  # channels at full, half and quarter size
CODE = 128  # length of w
NOISE_SIDE = 64  # pixels
SLOPE = 0.2  # of the leaky ReLU
STRIDE = 8
EPSILON = 1e-5


class StyleEncoder(nn.Module):
    """The first eight convolutions of `tiny-vgg-1`, and the moments of their four blocks; never trained here."""

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
        """Map (N, 3, H, W) in [0, 1] to means and deviations of the first maps of each block, (N, 480)."""
        maps = (images - self.mean) / self.deviation  # (N, 3, H, W)
        layers, found = iter(self.layers), []
        for number, (_, count) in enumerate(BLOCKS):
            maps = F.max_pool2d(maps, 2) if number else maps
            for place in range(count):
                maps = F.relu(next(layers)(maps))  # (N, C, H / 2^number, W / 2^number)
                if place == 0:
                    mean = maps.mean(dim=(2, 3), keepdim=True)
                    spread = ((maps - mean).square().mean(dim=(2, 3)) + EPSILON).sqrt()
                    found += [mean.flatten(1), spread]  # (N, C) each
        return torch.cat(found, dim=1)  # (N, 480)


class Modulated(nn.Module):
    """A convolution whose input channels are scaled by the style, demodulated, with noise and a leaky ReLU.

    ``w'_ijk = s_i w_ijk`` and ``w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + eps)``. Scaling channels before and after the
    convolution gives the same as a kernel for every picture.

    Source: Karras et al. 2020, equations 1 and 3; noise, bias and activation as in its figure 2d.
    """

    noise: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        """Start with scales about one, without noise and bias; the fixed tile is drawn with torch's random state."""
        super().__init__()
        self.scales = affine(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3) / (9 * inputs) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(1, 1, NOISE_SIDE, NOISE_SIDE))

    def forward(self, maps: Tensor, code: Tensor) -> Tensor:
        """Map (N, C, H, W) and w, (N, 128), to (N, C', H, W)."""
        maps = self.convolve(maps, self.scales(code)) + self.noise_strength * self.draw_noise(maps)
        return F.leaky_relu(maps + self.bias, SLOPE) * 2**0.5  # (N, C', H, W)

    def convolve(self, maps: Tensor, scales: Tensor) -> Tensor:
        """Convolve (N, C, H, W) with the modulated and demodulated kernels of scales (N, C): (N, C', H, W)."""
        squares = scales.square() @ self.weight.square().sum(dim=(2, 3)).T  # (N, C')
        padded = F.pad(maps * scales[:, :, None, None], (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, self.weight) * (squares + EPSILON).rsqrt()[:, :, None, None]

    def draw_noise(self, maps: Tensor) -> Tensor:
        """Return noise for (N, C, H, W): (N, 1, H, W), fresh, in training, else (1, 1, H, W), the tile repeated."""
        height, width = maps.shape[2:]
        if self.training:
            return torch.randn_like(maps[:, :1])
        tiles = self.noise.repeat(1, 1, height // NOISE_SIDE + 1, width // NOISE_SIDE + 1)
        return tiles[:, :, :height, :width]


class Colors(nn.Module):
    """A modulated 1 x 1 convolution to red, green and blue, without demodulation (tRGB of the paper)."""

    def __init__(self, inputs: int) -> None:
        """Start with scales about one."""
        super().__init__()
        self.scales = affine(inputs)
        self.layer = nn.Conv2d(inputs, 3, 1)

    def forward(self, maps: Tensor, code: Tensor) -> Tensor:
        """Map (N, C, H, W) and w, (N, 128), to (N, 3, H, W)."""
        colors: Tensor = self.layer(maps * self.scales(code)[:, :, None, None])
        return colors


class Generator(nn.Module):
    """Content encoder, mapping network, and a synthesis network that starts from the content's maps.

    Source: Karras et al. 2020, figures 2d and 7b (skip generator); 2019 for the mapping network and the noise.
    Deviations: the constant start is replaced by maps of the content image, which also enter at every size; the mapping
    network takes a description of the style image instead of a random vector, and has three layers instead of eight.
    """

    def __init__(self) -> None:
        """Build all networks with torch's present random state."""
        super().__init__()
        full, half, quarter = WIDTHS
        self.style_encoder = StyleEncoder().requires_grad_(False)
        widths = (DESCRIPTION, 2 * CODE, 2 * CODE, CODE)
        layers = [nn.Linear(i, o) for i, o in zip(widths, widths[1:], strict=False)]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, SLOPE)  # torch's own start hardly tells styles apart
        self.mapping = nn.ModuleList(layers)
        self.down = nn.ModuleList([encoding(3, full, 1), encoding(full, half, 2), encoding(half, quarter, 2)])
        self.start = nn.ModuleList([Modulated(quarter, quarter), Modulated(quarter, quarter)])
        self.growth = nn.ModuleList([Modulated(quarter, half), Modulated(half, full)])
        self.refinement = nn.ModuleList([Modulated(half, half), Modulated(full, full)])
        self.colors = nn.ModuleList(Colors(width) for width in (quarter, half, full))

    def forward(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """Stylize a batch.

        Args:
            content: (N, 3, H, W) in [0, 1], sides of at least 16 pixels.
            style: (N, 3, H', W') in [0, 1].
            strength: in [0, 1]; 0 uses the code of the content image itself.

        Returns:
            (N, 3, H, W), about [0, 1].
        """
        return self.draw(content, mix(self.encode(content), self.encode(style), strength))

    def encode(self, style: Tensor) -> Tensor:
        """Map style images (N, 3, H, W) in [0, 1] to their codes w, (N, 128)."""
        code = self.style_encoder(pad(style))  # (N, 480)
        for layer in self.mapping:
            code = F.leaky_relu(layer(code), SLOPE)  # (N, 256), (N, 256), (N, 128)
        return code

    def draw(self, content: Tensor, code: Tensor) -> Tensor:
        """Draw content images (N, 3, H, W) in [0, 1] as codes (N, 128) say: (N, 3, H, W), about [0, 1]."""
        height, width = content.shape[2:]
        maps, kept = 2 * pad(content) - 1, []
        for layer in self.down:
            maps = F.relu(F.instance_norm(layer(maps)))  # (N, 24, H, W), (N, 48, H/2, W/2), (N, 96, H/4, W/4)
            kept.append(maps)
        for styled in self.start:
            maps = styled(maps, code)  # (N, 96, H/4, W/4)
        image = self.colors[0](maps, code)  # (N, 3, H/4, W/4)
        steps = zip(self.growth, self.refinement, self.colors[1:], kept[1::-1], strict=True)
        for growth, refinement, colors, skip in steps:
            maps = growth(F.interpolate(maps, scale_factor=2.0, mode="nearest"), code)  # (N, C, 2H', 2W')
            maps = refinement((maps + skip) / 2**0.5, code)  # (N, C, 2H', 2W')
            larger = F.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
            image = larger + colors(maps, code)  # (N, 3, 2H', 2W')
        return (image[:, :, :height, :width] + 1) / 2


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

    def encode(self, styles: Sequence[np.ndarray]) -> Tensor:
        """Return the mean code, (1, 128), of pictures uint8 (H, W, 3) of any sizes, e.g. of all of one culture."""
        with torch.inference_mode():
            codes = [self.generator.encode(to_tensor(style).to(self.device)) for style in styles]
            return torch.cat(codes).mean(dim=0, keepdim=True)

    def draw(self, content: np.ndarray, code: Tensor) -> np.ndarray:
        """Draw one picture, uint8 (H, W, 3), as a code (1, 128) says; a row between two cultures:

        >>> japanese, persian = model.encode(prints), model.encode(tiles)
        >>> row = [model.draw(content, mix(japanese, persian, share / 4)) for share in range(5)]
        """
        with torch.inference_mode():
            return to_image(self.generator.draw(to_tensor(content).to(self.device), code))


def mix(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Interpolate codes (N, 128) along a straight line: the first at 0, the second at 1."""
    return first + share * (second - first)


def affine(outputs: int) -> nn.Linear:
    """Return the layer from a code to the scales of channels, which are about one at first."""
    layer = nn.Linear(CODE, outputs)
    nn.init.normal_(layer.weight, 0.0, CODE**-0.5)
    nn.init.ones_(layer.bias)
    return layer


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 3 x 3 convolution that pads by reflection."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


def encoding(inputs: int, outputs: int, stride: int) -> nn.Conv2d:
    """Return the same with a stride, and without the bias that a normalization would take away."""
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="reflect", bias=False)


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
