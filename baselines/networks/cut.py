"""CUT: redraw a photograph as one collection of pictures would show it, one way, whatever the style image is."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

WIDTH = 32  # channels at full size
BLOCKS = 3
TAPS = (3, WIDTH, 2 * WIDTH, 4 * WIDTH, 4 * WIDTH, 4 * WIDTH)  # channels of what `encode` returns


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions whose result is added to what came in."""

    def __init__(self, channels: int) -> None:
        """Keep size and number of channels."""
        super().__init__()
        self.first, self.second = convolution(channels, channels, 3), convolution(channels, channels, 3)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        inner = F.relu(F.instance_norm(self.first(maps)))  # (N, C, H, W)
        return maps + F.instance_norm(self.second(inner))


class Generator(nn.Module):
    """Encoder (two strided convolutions, residual blocks) and decoder (two enlargements with convolutions).

    Source: Park et al. 2020, section 4: the generator of CycleGAN, whose first half is the encoder of the contrastive
    loss, and whose enlargement is antialiased. Deviations: 3 blocks instead of 9, 32 channels instead of 64, plain
    strides on the way down, and the first maps are added to the last ones, so that in a short training detail need not
    pass the middle.
    """

    def __init__(self) -> None:
        """Draw the first weights as Glorot and Bengio (2010), as the authors do."""
        super().__init__()
        wide, wider = 2 * WIDTH, 4 * WIDTH
        self.start = convolution(3, WIDTH, 7)
        self.down = nn.ModuleList([convolution(WIDTH, wide, 3, 2), convolution(wide, wider, 3, 2)])
        self.blocks = nn.ModuleList(ResidualBlock(wider) for _ in range(BLOCKS))
        self.up = nn.ModuleList([convolution(wider, wide, 3), convolution(wide, WIDTH, 3)])
        self.colors = nn.Conv2d(WIDTH, 3, 7, padding=3, padding_mode="reflect")
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_normal_(parameter)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return the pictures and the maps on which patches are compared.

        Args:
            images: (N, 3, H, W) in [0, 1].

        Returns:
            (N, 3, H, W) in [-1, 1], (N, 32, H, W), (N, 64, H/2, W/2), then (N, 128, H/4, W/4) three times: after the
            second strided convolution, after the first residual block and after the last one. Sides are rounded up.
        """
        pixels = 2 * images - 1  # (N, 3, H, W)
        maps = F.relu(F.instance_norm(self.start(pixels)))  # (N, 32, H, W)
        taps = [pixels, maps]
        for layer in self.down:
            maps = F.relu(F.instance_norm(layer(maps)))  # (N, 64, H/2, W/2), (N, 128, H/4, W/4)
            taps.append(maps)
        for number, block in enumerate(self.blocks):
            maps = block(maps)  # (N, 128, H/4, W/4)
            if number in (0, BLOCKS - 1):
                taps.append(maps)
        return taps

    def decode(self, taps: list[Tensor]) -> Tensor:
        """Map what `encode` returned to pictures (N, 3, H, W) in [0, 1]."""
        fine, maps = taps[1], taps[-1]
        height, width = fine.shape[2:]
        for layer in self.up:
            maps = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
            maps = F.relu(F.instance_norm(layer(maps)))  # (N, 64, H/2, W/2), (N, 32, H, W)
        maps = maps[:, :, :height, :width] + fine  # (N, 32, H, W)
        return (torch.tanh(self.colors(maps)) + 1) / 2  # (N, 3, H, W)

    def forward(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """Translate a batch.

        Args:
            content: (N, 3, H, W) in [0, 1], sides of at least 16 pixels.
            style: (N, 3, H', W'), not looked at: the style is that of the collection of the training.
            strength: not used, because this method has none.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        return self.decode(self.encode(content))


class Model:
    """The generator as it runs in a contest."""

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Load `weights.safetensors`."""
        self.generator = build(load_file(Path(bundle_dir) / "weights.safetensors")).to(device)
        self.device = device

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Stylize one pair: uint8 (H, W, 3) and uint8 (H', W', 3), not looked at, to uint8 (H, W, 3)."""
        with torch.inference_mode():
            photo, painting = (to_tensor(image).to(self.device) for image in (content, style))
            return to_image(self.generator(photo, painting))


def convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution that pads by reflection, without the bias that a normalization would take away."""
    return nn.Conv2d(inputs, outputs, side, stride, side // 2, padding_mode="reflect", bias=False)


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
