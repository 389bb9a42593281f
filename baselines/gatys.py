"""Gatys: optimize the pixels until features say content and Gram matrices say style."""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

STYLE_TAPS = ("r11", "r21", "r31", "r41", "r51")
CONTENT_TAP = "r41"
ALPHA = 1.0
BETA = 4.0
SCHEDULE = ((0.5, 16), (1.0, 6))  # (share of the side, steps): most of the work where it is cheap
HISTORY = 12
ADAM_RATE = 0.02
SMALLEST_SIDE = 32  # pixels


class Model:
    """Gatys et al. 2016 on the features of `tiny-vgg-1`, whose source and weights lie in the bundle."""

    def __init__(self, bundle_dir: str, device: str) -> None:
        """Load the feature network from `tiny_vgg.py` and `tiny-vgg-1.safetensors` of the bundle."""
        self.device = torch.device(device)
        self.network = load_network(Path(bundle_dir)).to(self.device)

    def stylize(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """Minimize ``alpha * L_content + beta * L_style`` from the content image on, coarse to fine.

        Args:
            content: uint8 (H, W, 3).
            style: uint8 (H', W', 3); any size, Gram matrices are means over positions.

        Returns:
            uint8 (H, W, 3).
        """
        photo, painting = self._tensor(content), self._tensor(style)
        change = torch.zeros_like(photo)
        for share, steps in SCHEDULE:
            small = resize(photo, share)
            start = small + functional.interpolate(change, small.shape[2:], mode="bicubic")
            change = (
                optimize(self.network, (small, resize(painting, share)), start.clamp(0, 1), steps) - small
            )
        return to_image(photo + functional.interpolate(change, photo.shape[2:], mode="bicubic"))

    def _tensor(self, image: np.ndarray) -> Tensor:
        planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        return planes[None].to(self.device, torch.float32) / 255  # (1, 3, H, W)


def optimize(
    network: nn.Module, pair: tuple[Tensor, Tensor], start: Tensor, steps: int, method: str = "l-bfgs"
) -> Tensor:
    """Minimize the Gatys loss over pixels.

    Args:
        network: maps (1, 3, H, W) in [0, 1] to the five taps.
        pair: content (1, 3, H, W) and style (1, 3, H', W') in [0, 1].
        start: (1, 3, H, W) in [0, 1].
        steps: iterations; 0 returns the start.
        method: "l-bfgs", or "adam", which needs many more steps.

    Returns:
        (1, 3, H, W) in [0, 1].

    Source: Gatys, Ecker, Bethge 2016, equation 7. Deviations: a small network taught by VGG-19 instead of it; w_l
    divides each layer by the squared norm of its style Gram matrix, so that all layers weigh alike; the
    content loss is divided by the energy of the content features; pixels are clipped to [0, 1] at the end.
    """
    image = start.clone().requires_grad_(True)
    targets = measure_targets(network, *pair)

    def loss() -> float:
        optimizer.zero_grad()
        total = total_loss(network, image, targets)
        total.backward()
        return total.item()

    optimizer = make_optimizer(image, steps, method)
    for _ in range(min(steps, 1) if method == "l-bfgs" else steps):
        optimizer.step(loss)
    return image.detach().clamp(0, 1)


def make_optimizer(image: Tensor, steps: int, method: str) -> torch.optim.Optimizer:
    """Return L-BFGS, which takes all its steps in one call, or Adam; the others have no place here."""
    if method == "adam":
        return torch.optim.Adam([image], lr=ADAM_RATE)
    if method != "l-bfgs":
        raise ValueError(f"there is no optimizer {method!r}; choose l-bfgs or adam")
    return torch.optim.LBFGS(
        [image],
        max_iter=max(steps, 1),
        history_size=HISTORY,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
        max_eval=int(1.25 * steps) + 1,
    )


def measure_targets(network: nn.Module, content: Tensor, style: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return what the loss compares with: content features (1, C, H', W') and Gram matrices (C, C) of the style."""
    with torch.no_grad():
        return network(content)[CONTENT_TAP], [gram_matrix(tap) for tap in style_taps(network, style)]


def total_loss(network: nn.Module, image: Tensor, targets: tuple[Tensor, list[Tensor]]) -> Tensor:
    """Compute ``alpha * L_content + beta * L_style`` (equation 7): a scalar, lower is better."""
    target, grams = targets
    taps = network(image)
    content_loss = (taps[CONTENT_TAP] - target).square().sum() / target.square().sum().clamp_min(1e-12)
    return ALPHA * content_loss + BETA * style_loss([taps[tap] for tap in STYLE_TAPS], grams)


def style_taps(network: nn.Module, image: Tensor) -> list[Tensor]:
    """Return the taps whose Gram matrices carry the style, each (1, C, H, W)."""
    taps = network(image)
    return [taps[tap] for tap in STYLE_TAPS]


def gram_matrix(features: Tensor) -> Tensor:
    """Compute ``G_ij = 1/M sum_k F_ik F_jk`` (equation 3, divided by the number of positions M).

    Args:
        features: (1, C, H, W).

    Returns:
        (C, C).
    """
    flat = features.flatten(2)[0]  # (C, M)
    return flat @ flat.T / flat.shape[1]


def style_loss(taps: list[Tensor], grams: list[Tensor]) -> Tensor:
    """Compute the mean over layers of ``||G_l(o) - G_l(s)||^2 / ||G_l(s)||^2`` (equations 4 and 5).

    Args:
        taps: features of the image, each (1, C, H, W).
        grams: Gram matrices of the style image, each (C, C).

    Returns:
        scalar >= 0; lower is better.
    """
    terms = [
        (gram_matrix(tap) - gram).square().sum() / gram.square().sum().clamp_min(1e-12)
        for tap, gram in zip(taps, grams, strict=True)
    ]
    return torch.stack(terms).mean()


def load_network(bundle: Path) -> nn.Module:
    """Build the feature network from its source and its weights in the bundle, frozen."""
    spec = importlib.util.spec_from_file_location("tiny_vgg", bundle / "tiny_vgg.py")
    if spec is None or spec.loader is None:
        raise ImportError("tiny_vgg.py is not a Python source file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network: nn.Module = module.build(load_file(bundle / module.WEIGHTS_FILE))
    return network


def resize(image: Tensor, share: float) -> Tensor:
    """Resize (1, 3, H, W) by bicubic antialiased filtering to a share of its sides, values kept in [0, 1].

    The network needs sides of 32 pixels, so a smaller picture is enlarged first.
    """
    size = [max(SMALLEST_SIDE, round(side * share)) for side in image.shape[2:]]
    if size == list(image.shape[2:]):
        return image
    return functional.interpolate(image, size, mode="bicubic", antialias=True).clamp(0, 1)


def to_image(pixels: Tensor) -> np.ndarray:
    """Turn (1, 3, H, W) in [0, 1] into uint8 (H, W, 3), rounded to nearest."""
    levels = (pixels[0] * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())
