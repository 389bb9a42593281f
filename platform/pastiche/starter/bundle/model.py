"""A small generator: colour statistics of the style image, and a correction that a training fills in."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

WEIGHTS = "weights.safetensors"
CHANNELS = 24


class Generator(nn.Module):
    """Stylize pictures in [0, 1], shape (1, 3, height, width); untrained, it only changes the colours."""

    def __init__(self) -> None:
        """Make the layers; the last one begins with zeros, so that the correction begins with nothing."""
        super().__init__()
        self.describe = nn.Conv2d(3, CHANNELS, 5, padding=2, padding_mode="replicate")
        self.mix = nn.Conv2d(3 * CHANNELS, CHANNELS, 3, padding=1, padding_mode="replicate")
        self.draw = nn.Conv2d(CHANNELS, 3, 5, padding=2, padding_mode="replicate")
        nn.init.zeros_(self.draw.weight)
        if self.draw.bias is not None:
            nn.init.zeros_(self.draw.bias)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Return the stylized picture."""
        mean, spread = statistics(style)
        own_mean, own_spread = statistics(content)
        recolored = (content - own_mean) / own_spread * spread + mean  # (1, 3, H, W)
        seen = torch.relu(self.describe(recolored))
        texture = torch.cat(
            [part.expand_as(seen) for part in statistics(torch.relu(self.describe(style)))], 1
        )
        drawn = self.draw(torch.relu(self.mix(torch.cat([seen, texture], 1))))
        return (recolored + drawn).clamp(0, 1)


def statistics(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel, both of shape (1, C, 1, 1)."""
    mean = picture.mean((2, 3), keepdim=True)
    return mean, ((picture - mean).square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


def to_tensor(image: np.ndarray) -> Tensor:
    """Turn uint8 (H, W, 3) into floats in [0, 1] of shape (1, 3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255


def load_generator(folder: Path) -> Generator:
    """Return the generator, with weights where a training has left them."""
    torch.manual_seed(0)  # the same first layers in the training, in the archive and in the graph
    generator = Generator()
    if (folder / WEIGHTS).exists():
        generator.load_state_dict(load_file(folder / WEIGHTS))
    return generator.eval()


class Model:
    """What the platform constructs once, and then asks for one picture after the other."""

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Load the weights from the folder of the archive; there is no network and no other file."""
        self.device = device
        self.generator = load_generator(Path(bundle_dir)).to(device)

    @torch.inference_mode()
    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Take and return uint8 RGB of shape (H, W, 3); the result is as large as the content image."""
        stylized = self.generator(to_tensor(content).to(self.device), to_tensor(style).to(self.device))
        pixels = (stylized[0] * 255).round().to(torch.uint8)
        return pixels.permute(1, 2, 0).cpu().numpy()
