"""Adversarial losses, and the score of an output under a reference discriminator."""

from dataclasses import dataclass
from enum import StrEnum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_maps, check_result

SMALLEST_SIDE = 32  # pixels; below, hardly a logit is left


class LossForm(StrEnum):
    """The two adversarial losses of the founding documents."""

    LSGAN = "lsgan"
    CROSS_ENTROPY = "bce"


@dataclass(frozen=True)
class AdversarialLosses:
    """What the discriminator and what the generator minimizes, each a scalar with its graph."""

    discriminator: Tensor
    generator: Tensor


def discriminator_losses(real_logits: Tensor, fake_logits: Tensor, form: LossForm) -> AdversarialLosses:
    """Compute the losses of both players, means over batch and patches.

    LSGAN: ``L_D = 1/2 E (D(s) - 1)^2 + 1/2 E D(o)^2``, ``L_G = 1/2 E (D(o) - 1)^2``.
    Cross entropy: ``L_D = -E log sig(D(s)) - E log(1 - sig(D(o)))``, ``L_G = -E log sig(D(o))``.

    Args:
        real_logits: (N, 1, H, W), floating: logits of art.
        fake_logits: (M, 1, H', W'), floating: logits of outputs.
        form: which of the two.

    Returns:
        Two scalars, [0, inf), differentiable, lower is better for the player named.

    Raises:
        InvalidTensor: wrong shape or dtype, NaN or infinity.

    Source: Mao et al. 2017, equation 2 with labels 0 and 1; Goodfellow et al. 2014, equation 1, with the
    non-saturating loss of section 3.
    """
    check_maps("adversarial loss", real_logits)
    generator = generator_loss(fake_logits, form).mean()
    if form is LossForm.LSGAN:
        discriminator = (real_logits - 1).square().mean() / 2 + fake_logits.square().mean() / 2
    else:
        discriminator = -F.logsigmoid(real_logits).mean() - F.logsigmoid(-fake_logits).mean()
    return AdversarialLosses(check_result("adversarial loss", discriminator), generator)


def generator_loss(fake_logits: Tensor, form: LossForm) -> Tensor:
    """Compute the generator's loss of each picture: the term ``L_adv`` of the total loss.

    Args:
        fake_logits: (N, 1, H, W), floating.
        form: ``1/2 (D(o) - 1)^2`` or ``-log sig(D(o))``.

    Returns:
        (N,), [0, inf), means over patches, differentiable, lower is better.

    Raises:
        InvalidTensor: wrong shape or dtype, NaN or infinity.

    Source: as `discriminator_losses`.
    """
    check_maps("adversarial loss", fake_logits)
    is_least_squares = form is LossForm.LSGAN
    losses = (fake_logits - 1).square() / 2 if is_least_squares else -F.logsigmoid(fake_logits)
    return check_result("adversarial loss", losses.mean(dim=(1, 2, 3)))


def patch_logits(network: nn.Module, images: Tensor) -> Tensor:
    """Run a discriminator on pictures, both checked.

    Args:
        network: a `PatchDiscriminator`, on the device of the images.
        images: (N, 3, H, W), fp32, [0, 1], at least 32 pixels a side.

    Returns:
        (N, 1, H', W'), fp32, higher is more like art; its mean over patches is ``D(x)``.

    Raises:
        InvalidTensor: wrong shape or dtype, values outside [0, 1], NaN, pictures too small.
    """
    check_maps("discriminator", images)
    if images.shape[1] != 3 or min(images.shape[2:]) < SMALLEST_SIDE:
        found = tuple(images.shape)
        raise InvalidTensor(
            f"discriminator: expected (N, 3, H, W) from {SMALLEST_SIDE} pixels, found {found}."
        )
    if images.dtype != torch.float32 or not bool(((images >= 0) & (images <= 1)).all()):
        raise InvalidTensor(f"discriminator: expected fp32 in [0, 1], found {images.dtype} or other values.")
    logits: Tensor = network(images)
    return check_result("discriminator", logits)


def r1_penalty(network: nn.Module, real: Tensor) -> Tensor:
    """Compute the R1 penalty ``E |grad_x D(x)|^2`` on real pictures, with ``D(x)`` the mean patch logit.

    Args:
        network: a `PatchDiscriminator`, on the device of the pictures.
        real: (N, 3, H, W), fp32, [0, 1].

    Returns:
        Scalar, [0, inf), differentiable; the factor gamma / 2 is the caller's.

    Source: Mescheder, Geiger, Nowozin 2018, equation 9. Deviation: of the mean over patches.
    """
    pictures = real.detach().requires_grad_(True)
    total = patch_logits(network, pictures).mean(dim=(1, 2, 3)).sum()
    (gradient,) = torch.autograd.grad(total, pictures, create_graph=True)
    return check_result("R1 penalty", gradient.square().sum(dim=(1, 2, 3)).mean())


def adversarial_score(output_logit: Tensor, photo_anchor: float, art_anchor: float) -> Tensor:
    """Compute ``A = clip((D(o) - D(photo)) / (D(art) - D(photo)), 0, 1)``.

    Args:
        output_logit: (N,), floating: mean patch logits of outputs under one discriminator.
        photo_anchor: median of the same discriminator over held-out photos.
        art_anchor: median over held-out art.

    Returns:
        (N,), float64, 0 as a photo to 1 as art, higher is better.

    Raises:
        InvalidTensor: wrong shape or dtype, NaN or infinity, anchors that are not in this order.

    Source: this project. Fooled by gradient attacks on a discriminator that became known.
    """
    if output_logit.ndim != 1 or not output_logit.is_floating_point() or output_logit.numel() == 0:
        found = f"{output_logit.dtype} of shape {tuple(output_logit.shape)}"
        raise InvalidTensor(f"adversarial score: expected floating (N,), found {found}.")
    if not art_anchor > photo_anchor:
        raise InvalidTensor(
            f"adversarial score: photo anchor {photo_anchor} is not below art anchor {art_anchor}.",
            fix="This discriminator does not tell art from photos: train it longer or on more pictures.",
        )
    share = (output_logit.double() - photo_anchor) / (art_anchor - photo_anchor)
    return check_result("adversarial score", share).clamp(0, 1)
