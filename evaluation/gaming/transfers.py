"""A real transfer that needs no trained decoder: AdaIN, whose features are turned back by optimizing the picture."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from evaluation.features import image_batch
from evaluation.images import to_uint8
from evaluation.metrics.style import style_statistics

TAPS = ("r11", "r21", "r31")
_HISTORY = 20


def transfer_adain(
    network: Callable[[Tensor], dict[str, Tensor]], content: np.ndarray, style: np.ndarray, steps: int
) -> np.ndarray:
    """Look for the picture whose features are those of the content image with the style's means and deviations.

    ``t = std(s) (f(c) - mean(f(c))) / std(f(c)) + mean(f(s))`` at each of `TAPS`, channel by channel, and
    ``o = argmin sum |f(o) - t|^2 / |t|^2`` from the content image on.

    Args:
        network: pictures (1, 3, H, W) in [0, 1] to the maps of `TAPS` and others.
        content: uint8 (H, W, 3).
        style: uint8 (H', W', 3).
        steps: of L-BFGS.

    Returns:
        uint8 (H, W, 3).

    Source: Huang and Belongie 2017, equation 8. Deviations: optimization instead of a decoder; two shallower layers
    beside relu3_1, because their means and deviations keep the optimization from making noise.
    """
    start = image_batch([content]).contiguous()  # (1, 3, H, W)
    with torch.no_grad():
        ours, theirs = network(start), network(image_batch([style]))
        targets = {tap: _normalize(ours[tap], theirs[tap]) for tap in TAPS}
    image = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [image], max_iter=steps, history_size=_HISTORY, line_search_fn="strong_wolfe"
    )

    def measure() -> Tensor:
        optimizer.zero_grad()
        taps = network(image)
        terms = [
            (taps[tap] - target).square().sum() / target.square().sum() for tap, target in targets.items()
        ]
        loss = torch.stack(terms).sum()
        loss.backward()
        return loss

    optimizer.step(measure)
    return to_uint8(image.detach().clamp(0, 1)[0].permute(1, 2, 0).contiguous().numpy())


def _normalize(maps: Tensor, style: Tensor) -> Tensor:
    """Give (1, C, H, W) the means and deviations of (1, C, H', W')."""
    (mean, std), (wanted_mean, wanted_std) = (_moments(each) for each in (maps, style))
    return (maps - mean) / std * wanted_std + wanted_mean


def _moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    found = style_statistics(maps)
    return found.mean.float()[:, :, None, None], found.std.float()[:, :, None, None]  # (1, C, 1, 1)
