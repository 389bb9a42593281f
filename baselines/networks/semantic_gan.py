"""Semantic transfer: find regions that content and style share, and give each the style of its counterpart."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

BLOCKS = ((16, 2), (32, 2), (64, 3), (128, 1))  # of the encoder: channels, convolutions between poolings
MEAN = (0.485, 0.456, 0.406)  # of ImageNet, which the encoder expects
DEVIATION = (0.229, 0.224, 0.225)
DESCRIPTION = 2 * sum(channels for channels, _ in BLOCKS)  # means and deviations
REGIONS = 4
TURNS = 4  # of the clustering
SOFTNESS = 0.1  # temperature of the assignment
ATTACHMENT = 0.02  # of a center to its prototype, as a share of a picture's positions
FLOOR = 0.01  # weight that every position has in every region
WIDTHS = (24, 48, 96)  # channels of the decoder at full, half and quarter size
CODE = 128
LONGEST = 512  # pixels
NOISE = 0.04  # colors that differ by less are smoothed
STRIDE = 8
EPSILON = 1e-3  # of variances: below a deviation of 0.03 a channel counts as silent


class Encoder(nn.Module):
    """The first eight convolutions of `tiny-vgg-1`; never trained here."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        """Lay out 3 x 3 convolutions with reflection padding."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        widths = [channels for channels, count in BLOCKS for _ in range(count)]
        self.layers = nn.ModuleList(convolution(i, o) for i, o in zip([3, *widths], widths, strict=False))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) in [0, 1] to the first rectified maps of each block.

        Returns:
            (N, 16, H, W), (N, 32, H/2, W/2), (N, 64, H/4, W/4), (N, 128, H/8, W/8).
        """
        maps, taps = (images - self.mean) / self.deviation, []  # (N, 3, H, W)
        layers = iter(self.layers)
        for number, (_, count) in enumerate(BLOCKS):
            maps = F.max_pool2d(maps, 2) if number else maps
            for place in range(count):
                maps = F.relu(next(layers)(maps))  # (N, C, H / 2^number, W / 2^number)
                if place == 0:
                    taps.append(maps)
        return taps


class Styled(nn.Module):
    """A convolution whose result gets gain and shift from the region of its position.

    Source: Park et al. 2019 (SPADE), equation 1, with gains computed from codes of regions (Zhu et al. 2020, SEAN).
    Deviation: no normalization, which would undo the moments that the maps were just given; gains stay below 2.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build all layers with torch's present random state."""
        super().__init__()
        self.layer = convolution(inputs, outputs)
        self.gains, self.shifts = nn.Linear(CODE, outputs), nn.Linear(CODE, outputs)

    def forward(self, maps: Tensor, shares: Tensor, codes: Tensor) -> Tensor:
        """Map (N, C, H, W), shares (N, K, H, W) and codes (N, K, 128) to (N, C', H, W)."""
        maps = self.layer(maps)  # (N, C', H, W)
        gains, shifts = spread(self.gains(codes), shares), spread(self.shifts(codes), shares)
        return F.relu(maps * (1 + torch.tanh(gains)) + shifts)


class Generator(nn.Module):
    """Encoder, soft clustering of content and style together, adaptive normalization by region, decoder.

    Source: the clustering is k-means (Lloyd 1982) with soft assignment; the normalization is Huang and Belongie 2017,
    equation 8, for each region with its own moments; a position gets the mix of its regions' results.
    """

    def __init__(self) -> None:
        """Build all networks with torch's present random state."""
        super().__init__()
        full, half, quarter = WIDTHS
        first, second, third, _ = (channels for channels, _ in BLOCKS)
        self.encoder = Encoder().requires_grad_(False)
        self.prototypes = nn.Parameter(0.5 * torch.randn(REGIONS, third))
        self.mapping = nn.ModuleList([nn.Linear(DESCRIPTION, 2 * CODE), nn.Linear(2 * CODE, CODE)])
        self.start = nn.ModuleList([Styled(third, quarter), Styled(quarter, quarter)])
        self.growth = nn.ModuleList([Styled(quarter + second, half), Styled(half + first, full)])
        self.refinement = nn.ModuleList([Styled(half, half), Styled(full, full)])
        self.colors = convolution(full, 3)

    def forward(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """Stylize a batch.

        Args:
            content: (N, 3, H, W) in [0, 1], sides of at least 16 pixels.
            style: (N, 3, H', W') in [0, 1].
            strength: in [0, 1]; at 0 every region keeps the moments that it has in the content image.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        height, width = content.shape[2:]
        views = self.look(content), self.look(style)
        shares = self.assign(*views, strength)
        return self.draw(views, shares, strength)[:, :, :height, :width]

    def look(self, images: Tensor) -> list[Tensor]:
        """Remove noise, fill up to whole strides, and return the encoder's maps."""
        return self.encoder(pad(denoise(images)))

    def assign(self, content: list[Tensor], style: list[Tensor], strength: float = 1.0) -> list[Tensor]:
        """Cluster the positions of both pictures together.

        Args:
            content: maps of `look`; those at a quarter of the size are clustered.
            style: likewise.
            strength: how much the style image counts.

        Returns:
            for each picture the share of every region in every position, (N, K, H/4, W/4), summing to one over K.
        """
        points = [positions(taps[2]) for taps in (content, style)]  # (N, M, 64) each
        centers = self.prototypes.expand(len(points[0]), -1, -1)  # (N, K, 64)
        for _ in range(TURNS):
            shares = [memberships(rows, centers) / rows.shape[1] for rows in points]  # sizes do not matter
            ours, theirs = (s.transpose(1, 2) @ rows for s, rows in zip(shares, points, strict=True))
            own, other = (share.sum(dim=1)[:, :, None] for share in shares)  # (N, K, 1) each
            total = ours + strength * theirs + ATTACHMENT * self.prototypes  # (N, K, 64)
            centers = total / (own + strength * other + ATTACHMENT)
        sizes = content[2].shape[2:], style[2].shape[2:]
        shares = [memberships(rows, centers).transpose(1, 2) for rows in points]  # (N, K, M) each
        return [share.reshape(-1, REGIONS, *size) for share, size in zip(shares, sizes, strict=True)]

    def draw(
        self, views: tuple[list[Tensor], list[Tensor]], shares: list[Tensor], strength: float = 1.0
    ) -> Tensor:
        """Decode the content's maps after each region took on the moments of its counterpart: (N, 3, H, W), padded."""
        levels = [scales(shares[0]), scales(shares[1])]
        moved, described = [], []
        for content, style, ours, theirs in zip(*views, *levels, strict=True):
            own, other = moments(content, ours), moments(style, theirs)  # (N, K, C) twice, each
            goal = [a + strength * (b - a) for a, b in zip(own, other, strict=True)]
            described += goal
            gains = goal[1] / own[1]  # (N, K, C)
            moved.append(
                content * spread(gains, ours) + spread(goal[0] - gains * own[0], ours)
            )  # (N, C, H', W')
        codes = F.relu(self.mapping[0](torch.cat(described, dim=2)))  # (N, K, 256)
        codes = self.mapping[1](codes)  # (N, K, 128)
        maps, places = moved[2], levels[0]
        for styled in self.start:
            maps = styled(maps, places[2], codes)  # (N, 96, H/4, W/4)
        for level, growth, refinement in zip((1, 0), self.growth, self.refinement, strict=True):
            maps = F.interpolate(maps, scale_factor=2.0, mode="nearest")
            maps = growth(torch.cat([maps, moved[level]], dim=1), places[level], codes)
            maps = refinement(maps, places[level], codes)  # (N, 48, H/2, W/2), (N, 24, H, W)
        return torch.sigmoid(self.colors(maps))


class Model:
    """The generator as it runs in a contest, with its pre- and post-processing.

    A picture with a side above 512 pixels is shrunk first, by antialiased bicubic filtering; small noise is removed by
    `denoise` and the sides are filled up to multiples of eight by reflection; the result is cut and scaled back.
    """

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Load `weights.safetensors`, and the strength from `settings.json`."""
        folder = Path(bundle_dir)
        self.generator = build(load_file(folder / "weights.safetensors")).to(device)
        self.strength = float(json.loads((folder / "settings.json").read_text())["strength"])
        self.device = device

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Stylize one pair: uint8 (H, W, 3) and uint8 (H', W', 3) to uint8 (H, W, 3)."""
        with torch.inference_mode():
            pair = (limit(to_tensor(image).to(self.device)) for image in (content, style))
            stylized = self.generator(*pair, self.strength)
            return to_image(resize(stylized, content.shape[:2]))


def positions(maps: Tensor) -> Tensor:
    """Smooth (N, C, H, W) over 3 x 3, bring each channel to mean 0 and deviation 1, and list positions: (N, M, C)."""
    smooth = F.avg_pool2d(F.pad(maps, (1, 1, 1, 1), mode="reflect"), 3, 1).flatten(2)  # (N, C, M)
    centered = smooth - smooth.mean(dim=2, keepdim=True)
    deviation = (centered.square().mean(dim=2, keepdim=True) + EPSILON).sqrt()
    return (centered / deviation).transpose(1, 2)


def memberships(points: Tensor, centers: Tensor) -> Tensor:
    """Compute ``softmax_k(-|x - p_k|^2 / (C tau))`` of points (N, M, C) and centers (N, K, C): (N, M, K)."""
    return F.softmax(-distances(points, centers) / SOFTNESS, dim=2)


def distances(points: Tensor, centers: Tensor) -> Tensor:
    """Return mean squared differences over C of points (N, M, C) and centers (N, K, C): (N, M, K)."""
    products = points @ centers.transpose(1, 2) / points.shape[2]  # (N, M, K)
    squares = points.square().mean(dim=2)[:, :, None] + centers.square().mean(dim=2)[:, None]
    return squares - 2 * products


def scales(shares: Tensor) -> list[Tensor]:
    """Resize shares (N, K, H/4, W/4) to the sizes of the encoder's four maps."""
    half, full = (
        F.interpolate(shares, scale_factor=factor, mode="bilinear", align_corners=False)
        for factor in (2.0, 4.0)
    )
    return [full, half, shares, F.avg_pool2d(shares, 2)]


def moments(maps: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of (N, C, H, W) in each region of shares (N, K, H, W): (N, K, C) each.

    Every position weighs at least `FLOOR`, so a region that is missing in a picture has the picture's moments.
    """
    weights = shares.flatten(2) + FLOOR  # (N, K, M)
    weights = (weights / weights.sum(dim=2, keepdim=True)).transpose(1, 2)  # (N, M, K)
    flat = maps.flatten(2)  # (N, C, M)
    middle = flat.mean(
        dim=2, keepdim=True
    )  # (N, C, 1); taken away first, or squares would swallow small deviations
    mean = (flat - middle) @ weights  # (N, C, K)
    variance = ((flat - middle).square() @ weights - mean.square()).clamp_min(0)  # (N, C, K)
    return (mean + middle).transpose(1, 2), (variance + EPSILON).sqrt().transpose(1, 2)


def spread(values: Tensor, shares: Tensor) -> Tensor:
    """Mix the regions' values (N, K, C) at each position by shares (N, K, H, W): (N, C, H, W)."""
    mixed = values.transpose(1, 2) @ shares.flatten(2)  # (N, C, M)
    return mixed.reshape(*mixed.shape[:2], *shares.shape[2:])


def denoise(images: Tensor) -> Tensor:
    """Average each pixel of (N, 3, H, W) with those of its eight neighbors that have nearly its color.

    Source: Tomasi and Manduchi 1998 (bilateral filter), over 3 x 3 pixels that weigh the same wherever they are.
    """
    height, width = images.shape[2:]
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    total, weight = torch.zeros_like(images), torch.zeros_like(images[:, :1])
    for top, left in product(range(3), repeat=2):
        neighbor = padded[:, :, top : top + height, left : left + width]  # (N, 3, H, W)
        difference = (neighbor - images).square().sum(dim=1, keepdim=True)  # (N, 1, H, W)
        near = torch.exp(-difference / (2 * NOISE**2))
        total, weight = total + near * neighbor, weight + near
    return total / weight


def limit(images: Tensor) -> Tensor:
    """Shrink (1, 3, H, W) in [0, 1] until no side is above 512 pixels."""
    share = min(1.0, LONGEST / max(images.shape[2:]))
    return resize(images, tuple(max(16, round(share * side)) for side in images.shape[2:])).clamp(0, 1)


def resize(images: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize (1, 3, H, W) by antialiased bicubic filtering, unless it has that size."""
    if images.shape[2:] == size:
        return images
    return F.interpolate(images, size, mode="bicubic", antialias=True)


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
