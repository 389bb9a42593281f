"""The total loss of the founding documents: shown for completeness, never ranked."""

import math

from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_result, check_same_shape


def total_loss(
    content: Tensor, style: Tensor, adversarial: Tensor, *, alpha: float, beta: float, gamma: float
) -> Tensor:
    """Compute ``alpha * L_c + beta * L_s + gamma * L_adv`` for each pair.

    The weights decide which term can be seen at all, so two sums with different weights, backbones or
    suites do not compare, and no board is ordered by this number.

    Args:
        content: (N,), floating, [0, inf): content loss.
        style: (N,), floating, [0, inf): style loss.
        adversarial: (N,), floating, [0, inf): generator's loss under the reference discriminators.
        alpha: weight of the content loss, from 0.
        beta: weight of the style loss, from 0.
        gamma: weight of the adversarial loss, from 0.

    Returns:
        (N,), float64, [0, inf), lower is better.

    Raises:
        InvalidTensor: different or empty shapes, NaN or infinity, a negative loss or weight.

    Source: Gatys, Ecker, Bethge 2016, equation 7, with an adversarial term (Goodfellow et al. 2014) added.
    """
    if (
        content.ndim != 1
        or content.numel() == 0
        or not all(term.is_floating_point() for term in (content, style, adversarial))
    ):
        raise InvalidTensor(f"total loss: expected floating (N,), found {tuple(content.shape)}.")
    check_same_shape("total loss", content, style)
    check_same_shape("total loss", content, adversarial)
    if not all(math.isfinite(weight) and weight >= 0 for weight in (alpha, beta, gamma)):
        raise InvalidTensor(f"total loss: expected weights from 0, found {alpha}, {beta}, {gamma}.")
    terms = [check_result("total loss", term).double() for term in (content, style, adversarial)]
    if any(bool((term < 0).any()) for term in terms):
        raise InvalidTensor("total loss: expected losses from 0, found a negative one.")
    return check_result("total loss", alpha * terms[0] + beta * terms[1] + gamma * terms[2])
