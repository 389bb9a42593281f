"""The backbone `oriented-pyramid-1`: opponent colors seen through fixed oriented filters at five octaves.

It has no weights to download, so tests and the demo run anywhere. It tells copies and controls from
transfers, but it must not rank real methods: only learned features order those as people do.
This file needs nothing but torch, because submission archives carry a copy of it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAPS = ("r11", "r21", "r31", "r41", "r51")
ARITHMETIC = (
    "oriented-pyramid-1: opponent colors of sRGB in [0,1]; replicate padding; cross-correlation; "
    "half-wave rectified lightness, signed chroma and bands; halving by binomial 1-3-3-1 with stride 2"
)
ORIENTATIONS = 6
PHASES = (0.0, math.pi / 2)  # even filters see lines, odd filters see edges
RADIUS = 4
WAVELENGTH = 4.5  # pixels
SIGMA = 1.9  # pixels; about one octave of bandwidth at this wavelength
GAIN = 15.0  # brings the bands of photographs to about half the spread of their lightness
SCALE = 65536  # filter weights are whole multiples of 1/SCALE, so that the definition is exact
OPPONENT = ((1.0, 1.0, 1.0), (6.0, -6.0, 0.0), (3.0, 3.0, -6.0))  # lightness, red-green, yellow-blue


class OrientedPyramid(nn.Module):
    """Map images to five taps of falling resolution, 41 channels each.

    Channels of a tap: lightness, the positive and negative parts of two chroma axes, then for each
    opponent color 6 orientations times 2 phases of a Gabor filter, all half-wave rectified.
    Source: after oriented-filter models of early vision (Gabor filters, Daugman 1985; image pyramids,
    Burt and Adelson 1983); the constants are this project's own.
    """

    bank: Tensor
    opponent: Tensor
    binomial: Tensor

    def __init__(self) -> None:
        """Build the fixed filters; there are no parameters."""
        super().__init__()
        bank = torch.tensor(filter_bank(), dtype=torch.float32) * (GAIN / SCALE)
        self.register_buffer("bank", bank.unsqueeze(1))  # (12, 1, 9, 9)
        self.register_buffer("opponent", torch.tensor(OPPONENT).view(3, 3, 1, 1))
        taps = torch.tensor((1.0, 3.0, 3.0, 1.0)) / 8
        self.register_buffer("binomial", torch.outer(taps, taps).repeat(3, 1, 1, 1))  # (3, 1, 4, 4)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the five taps of a batch.

        Args:
            images: (N, 3, H, W), floating point, sRGB in [0, 1].

        Returns:
            tap name -> (N, 41, H / 2^k, W / 2^k), nonnegative; differentiable with respect to `images`.
        """
        colors = F.conv2d(images, self.opponent)  # (N, 3, H, W)
        taps = {}
        for tap in TAPS[:-1]:
            taps[tap] = self._bands(colors)
            colors = self._halve(colors)
        taps[TAPS[-1]] = self._bands(colors)
        return taps

    def _bands(self, colors: Tensor) -> Tensor:
        n, channels, height, width = colors.shape
        padded = F.pad(colors, (RADIUS,) * 4, mode="replicate")
        planes = padded.reshape(n * channels, 1, height + 2 * RADIUS, width + 2 * RADIUS)
        bands = F.conv2d(planes, self.bank).view(n, -1, height, width)  # (N, 3 * 12, H, W)
        return torch.cat([colors, -colors[:, 1:], bands], dim=1).relu_()  # (N, 41, H, W)

    def _halve(self, colors: Tensor) -> Tensor:
        padded = F.pad(colors, (1, 2, 1, 2), mode="replicate")  # odd sides round up
        return F.conv2d(padded, self.binomial, stride=2, groups=3)


def filter_bank() -> list[list[list[int]]]:
    """Return the 12 Gabor filters of 9 x 9 weights in units of 1/65536: zero mean, unit sum of magnitudes."""
    angles = [math.pi * k / ORIENTATIONS for k in range(ORIENTATIONS)]
    return [_gabor(angle, phase) for angle in angles for phase in PHASES]


def definition() -> bytes:
    """Return bytes that change whenever the filters or the arithmetic change; their sha256 is the digest."""
    return repr((ARITHMETIC, TAPS, GAIN, OPPONENT, filter_bank())).encode()


def _gabor(angle: float, phase: float) -> list[list[int]]:
    steps = range(-RADIUS, RADIUS + 1)
    envelope = [[math.exp(-(x * x + y * y) / (2 * SIGMA**2)) for x in steps] for y in steps]
    frequency = 2 * math.pi / WAVELENGTH
    wave = [
        [math.cos(frequency * (x * math.cos(angle) + y * math.sin(angle)) + phase) for x in steps]
        for y in steps
    ]
    weights = [e * w for rows in zip(envelope, wave, strict=True) for e, w in zip(*rows, strict=True)]
    flat = [e for row in envelope for e in row]
    offset = sum(weights) / sum(flat)
    centered = [w - offset * e for w, e in zip(weights, flat, strict=True)]
    total = sum(abs(w) for w in centered)
    quantized = [round(SCALE * w / total) for w in centered]
    side = 2 * RADIUS + 1
    return [quantized[row * side : (row + 1) * side] for row in range(side)]
