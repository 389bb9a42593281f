"""A gradient attack on the public scorer: pixels optimized for the headline itself, as far as it can be derived."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.backbones.registry import Backbone
from evaluation.errors import InvalidSuite, InvalidTensor
from evaluation.features import image_batch
from evaluation.images import read_rgb, to_uint8
from evaluation.jitters import IDENTITY, apply_jitter
from evaluation.metrics.content import content_loss
from evaluation.metrics.perceptual import perceptual_distance
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.metrics.style import gram_loss, mean_std_loss, style_statistics
from evaluation.pairs import Pair
from evaluation.scoring import Scorer
from evaluation.spec import BACKBONE

Surrogate = Callable[[Tensor], Tensor]
_Taps = dict[str, Tensor]
_FLOOR = 1e-6  # keeps roots off 0, where a copy of the content image starts
_BEND = 20.0  # how sharply scores bend to stay above 0
_STEP = 0.01  # of Adam, in units of the range 0..1


def headline_surrogates(scorer: Scorer, pair: Pair) -> tuple[Surrogate, ...]:
    """Build ``log C + log S`` of one pair as differentiable functions of the pixels, one for each jitter of the suite.

    C and S are anchored as in the headline, by the anchors of the scorer, but only those parts count that the
    backbone computes (perceptual, content_loss, gram, mean_std), and scores bend softly instead of being cut off at 0.

    Args:
        scorer: of a suite with such parts for content and for style.
        pair: one of its pairs.

    Returns:
        functions of float32 (1, 3, H, W) in [0, 1]; each result is a scalar, higher is better.

    Raises:
        InvalidSuite: content or style has no such part.
    """
    images = [read_rgb(path) for path in (pair.content, pair.style)]
    return tuple(_surrogate(scorer, pair, jitter, images) for jitter in scorer.suite.jitters)


def attack(
    surrogates: Sequence[Surrogate], content: np.ndarray, *, steps: int, budget: float = 1.0
) -> np.ndarray:
    """Climb surrogates from the content image on, each in its turn, by Adam, inside a box around the start.

    Args:
        surrogates: of `headline_surrogates`.
        content: uint8 (H, W, 3).
        steps: of Adam with rate 0.01, at least 1.
        budget: largest change of a pixel value, in units of the range 0..1; 1 sets no limit.

    Returns:
        uint8 (H, W, 3).

    Raises:
        InvalidTensor: no steps, or a budget outside (0, 1].

    Source: projected gradient descent after Madry et al. 2018, with the steps of Adam (Kingma and Ba 2015).
    """
    if steps < 1 or not 0 < budget <= 1:
        raise InvalidTensor(
            f"attack: expected steps above 0 and a budget in (0, 1], found {steps}, {budget}."
        )
    start = image_batch([content])  # (1, 3, H, W)
    low, high = (start - budget).clamp(min=0), (start + budget).clamp(max=1)
    image = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([image], lr=min(_STEP, budget / 4))
    for step in range(steps):
        optimizer.zero_grad()
        (-surrogates[step % len(surrogates)](image)).backward()
        optimizer.step()
        with torch.no_grad():
            image.copy_(image.clamp(low, high))
    return to_uint8(image.detach()[0].permute(1, 2, 0).contiguous().numpy())


def jitter_tensor(name: str, image: Tensor) -> Tensor:
    """Apply a jitter of `evaluation.jitters` to (N, 3, H, W) so that gradients pass: it moves the indices of pixels."""
    if name == IDENTITY:
        return image
    height, width = image.shape[2:]
    moved = apply_jitter(name, np.arange(height * width).reshape(height, width, 1))  # (H', W', 1)
    return image.flatten(2)[:, :, torch.from_numpy(moved[..., 0])]  # (N, 3, H', W')


def _surrogate(scorer: Scorer, pair: Pair, jitter: str, images: Sequence[np.ndarray]) -> Surrogate:
    backbone, anchors = scorer.recipe.networks[BACKBONE], scorer.anchors(pair.id, jitter)
    targets = [_taps(backbone, image_batch([apply_jitter(jitter, image)])) for image in images]
    terms = [
        [(name, limit) for name, limit in side.items() if name in _DISTANCES]
        for side in (anchors.content, anchors.style)
    ]
    if not all(terms):
        raise InvalidSuite(f"Suite {scorer.suite.id} ranks by nothing that can be derived.")

    def measure(image: Tensor) -> Tensor:
        taps = backbone.network(jitter_tensor(jitter, image))
        sides = []
        for side, target in zip(terms, targets, strict=True):
            scores = [
                _anchored(name, _DISTANCES[name](backbone, taps, target), limit) for name, limit in side
            ]
            # a score of 0, where S starts, would have neither logarithm nor slope
            sides.append(F.softplus(torch.stack(scores).mean(), beta=_BEND).log())
        return sides[0] + sides[1]

    return measure


def _taps(backbone: Backbone, image: Tensor) -> _Taps:
    with torch.no_grad():
        taps: _Taps = backbone.network(image)
        return taps


def _anchored(name: str, distance: Tensor, limit: float) -> Tensor:
    ratio = distance[0] / limit
    return 1 - ((ratio + _FLOOR).sqrt() if METRIC_SPECS[name].is_squared else ratio)


def _perceptual(backbone: Backbone, ours: _Taps, theirs: _Taps) -> Tensor:
    # `unit_normalize` works in place, which gradients do not survive
    sides = [[F.normalize(taps[tap], dim=1, eps=1e-10) for tap in backbone.taps] for taps in (ours, theirs)]
    return perceptual_distance(*sides)


def _on_statistics(function: Callable[..., Tensor]) -> Callable[[Backbone, _Taps, _Taps], Tensor]:
    return lambda backbone, *sides: function(
        *([style_statistics(taps[tap]) for tap in backbone.taps] for taps in sides)
    )


_DISTANCES: dict[str, Callable[[Backbone, _Taps, _Taps], Tensor]] = {
    "perceptual": _perceptual,
    "content_loss": lambda backbone, ours, theirs: content_loss(
        ours[backbone.content_tap], theirs[backbone.content_tap]
    ),
    "gram": _on_statistics(gram_loss),
    "mean_std": _on_statistics(mean_std_loss),
}
