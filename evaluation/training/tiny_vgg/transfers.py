"""Style transfers that need no training of their own: AdaIN, WCT and Gatys on the teacher's features."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from evaluation.controls import Control
from evaluation.images import to_uint8
from evaluation.training.tiny_vgg.pictures import to_tensor
from evaluation.training.tiny_vgg.teacher import Teacher

_EPSILON = 1e-5
_HISTORY = 20
_STYLE_WEIGHT = 1.0


def transfer_adain(
    teacher: Teacher, content: np.ndarray, style: np.ndarray, alpha: float = 1.0
) -> np.ndarray:
    """Give relu3_1 of the content image the mean and deviation of the style image, channel by channel.

    Args:
        teacher: encoder and decoder.
        content: uint8 (H, W, 3), sides multiples of 4.
        style: uint8 (H', W', 3).
        alpha: strength in [0, 1].

    Returns:
        uint8 (H, W, 3).

    Source: Huang and Belongie 2017, equations 8 and 14. Deviation: relu3_1 and the decoder of WCT.
    """
    with torch.inference_mode():
        ours, theirs = (teacher.exact(to_tensor([image]))["r31"] for image in (content, style))
        moved = (ours - _mean(ours)) / _deviation(ours) * _deviation(theirs) + _mean(theirs)
        return _picture(teacher.invert(3, alpha * moved + (1 - alpha) * ours))


def transfer_wct(
    teacher: Teacher, content: np.ndarray, style: np.ndarray, strength: float = 1.0
) -> np.ndarray:
    """Whiten and color the features of relu3_1, then relu2_1, then relu1_1.

    Args:
        teacher: encoder and decoders.
        content: uint8 (H, W, 3), sides multiples of 4.
        style: uint8 (H', W', 3).
        strength: share of the transformed features at each level, in [0, 1].

    Returns:
        uint8 (H, W, 3).

    Source: Li, Fang, Yang, Wang, Lu, Yang 2017, equations 3 to 5, three levels instead of five.
    """
    with torch.inference_mode():
        theirs = teacher.exact(to_tensor([style]))
        image = to_tensor([content])
        for level in (3, 2, 1):
            tap = f"r{level}1"
            ours = teacher.exact(image)[tap]
            moved = whiten_and_color(ours, theirs[tap])
            image = teacher.invert(level, strength * moved + (1 - strength) * ours).clamp(0, 1)
        return _picture(image)


def whiten_and_color(maps: Tensor, style: Tensor) -> Tensor:
    """Give features the mean and the covariance of others.

    Args:
        maps: (1, C, H, W).
        style: (1, C, H', W').

    Returns:
        (1, C, H, W).

    Source: Li et al. 2017, equations 3 and 4. Deviation: variances below 1e-5 count as 1e-5.
    """
    values, vectors = _spectrum(maps)
    white = _apply(vectors * values.rsqrt() @ vectors.T, maps - _mean(maps))
    values, vectors = _spectrum(style)
    return _apply(vectors * values.sqrt() @ vectors.T, white) + _mean(style)


def transfer_gatys(
    network: Callable[[Tensor], dict[str, Tensor]], content: np.ndarray, style: np.ndarray, steps: int
) -> np.ndarray:
    """Optimize the pixels of the content image until features say content and Gram matrices say style.

    Args:
        network: pictures to taps r11 to r51.
        content: uint8 (H, W, 3).
        style: uint8 (H', W', 3).
        steps: of L-BFGS.

    Returns:
        uint8 (H, W, 3).

    Source: Gatys, Ecker, Bethge 2016, equation 7. Deviations: relu4_1 for content, Gram losses and content
    loss relative to the size of their targets, no limits on pixels until the end.
    """
    start = to_tensor([content])
    with torch.no_grad():
        kept = network(start)["r41"]
        wanted = [_gram(maps) for maps in network(to_tensor([style])).values()]
    image = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [image], max_iter=steps, history_size=_HISTORY, line_search_fn="strong_wolfe"
    )

    def measure() -> Tensor:
        optimizer.zero_grad()
        taps = network(image)
        loss = (taps["r41"] - kept).square().mean() / kept.square().mean()
        for maps, target in zip(taps.values(), wanted, strict=True):
            loss = loss + _STYLE_WEIGHT * (_gram(maps) - target).square().sum() / target.square().sum()
        loss.backward()
        return loss

    optimizer.step(measure)
    return _picture(image.detach())


def study_transfers(teacher: Teacher) -> Mapping[str, Control]:
    """Return the transfers of the study set, in the form of the controls."""
    narrow = teacher.distilled
    return {
        "adain": lambda content, style, seed: transfer_adain(teacher, content, style),
        "wct_60": lambda content, style, seed: transfer_wct(teacher, content, style, 0.6),
        "wct": lambda content, style, seed: transfer_wct(teacher, content, style),
        "gatys_10": lambda content, style, seed: transfer_gatys(narrow, content, style, 10),
        "gatys_50": lambda content, style, seed: transfer_gatys(narrow, content, style, 50),
    }


def lesson_transfers(teacher: Teacher) -> Mapping[str, Control]:
    """Return transfers with strengths that the seed draws, in the form of the controls."""
    narrow = teacher.distilled

    def draw(seed: int, low: float, high: float) -> float:
        return float(np.random.default_rng(seed).uniform(low, high))

    return {
        "adain": lambda c, s, seed: transfer_adain(teacher, c, s, draw(seed, 0.7, 1.0)),
        "wct_weak": lambda c, s, seed: transfer_wct(teacher, c, s, draw(seed, 0.3, 0.8)),
        "wct": lambda c, s, seed: transfer_wct(teacher, c, s, draw(seed, 0.8, 1.0)),
        "gatys": lambda c, s, seed: transfer_gatys(narrow, c, s, int(draw(seed, 4, 40))),
    }


def _mean(maps: Tensor) -> Tensor:
    return maps.mean(dim=(2, 3), keepdim=True)  # (N, C, 1, 1)


def _deviation(maps: Tensor) -> Tensor:
    return (maps.var(dim=(2, 3), keepdim=True) + _EPSILON).sqrt()  # (N, C, 1, 1)


def _gram(maps: Tensor) -> Tensor:
    flat = maps.flatten(2)  # (N, C, M)
    return flat @ flat.transpose(1, 2) / flat.shape[2]  # (N, C, C)


def _spectrum(maps: Tensor) -> tuple[Tensor, Tensor]:
    centered = (maps - _mean(maps)).double()
    values, vectors = torch.linalg.eigh(_gram(centered)[0])  # (C,), (C, C)
    return values.clamp_min(_EPSILON), vectors


def _apply(matrix: Tensor, maps: Tensor) -> Tensor:
    return torch.einsum("ij,njhw->nihw", matrix.float(), maps)


def _picture(image: Tensor) -> np.ndarray:
    return to_uint8(image.clamp(0, 1)[0].permute(1, 2, 0).contiguous().numpy())
