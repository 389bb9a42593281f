"""Train CUT: a patch of the result shall be recognized among other patches of its own content image."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.networks.cut import TAPS, Generator
from baselines.training.features import Features
from baselines.training.method import Batch, Losses, Method, Turn, parameters_of
from evaluation.backbones.patch_discriminator import PatchDiscriminator
from evaluation.metrics.adversarial import LossForm, discriminator_losses

TEMPERATURE = 0.07
PATCHES = 256  # of an image and a tap: one is the right one, the others are wrong
HEAD = 128  # width of the projections
DISCRIMINATOR_WIDTH = 32
RATE = 4e-4  # of the generator: twice that of the paper, for a training that is many times shorter


class Heads(nn.Module):
    """One perceptron of two layers for each tap, from the features of a position to a point on the sphere.

    Source: Park et al. 2020, section 3 (the networks H_l). Deviations: 128 instead of 256 units, and one tap more, the
    first maps.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        """Build a head for each number of channels."""
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(incoming, HEAD), nn.ReLU(), nn.Linear(HEAD, HEAD))
            for incoming in channels
        )

    def forward(self, samples: list[Tensor]) -> list[Tensor]:
        """Map (N, P, C_l) to unit vectors (N, P, 128), tap by tap."""
        return [F.normalize(head(rows), dim=2) for head, rows in zip(self.heads, samples, strict=True)]


class CUT(Method):
    """Photographs to one collection of pictures, one way, without pairs and without a network back.

    ``L_GAN + lambda_X L_PatchNCE(G, H, X) + lambda_Y L_PatchNCE(G, H, Y)`` (Park et al. 2020, equation 5) with both
    lambdas 1, and least squares for L_GAN as in the authors' experiments.
    """

    def __init__(self, features: Features, size: int) -> None:
        """Build generator, heads and discriminator; the features are not used, the generator brings its own."""
        super().__init__()
        self.generator: Generator = Generator()
        self.heads = Heads(TAPS)
        self.discriminator = PatchDiscriminator(DISCRIMINATOR_WIDTH)

    def turns(self) -> list[Turn]:
        """Return the turn of generator and heads and that of the discriminator."""
        learned, judging = parameters_of(self.generator, self.heads), parameters_of(self.discriminator)
        return [
            Turn("generator", learned, self.generator_losses, RATE),
            Turn("discriminator", judging, self.discriminator_losses),
        ]

    def generator_losses(self, batch: Batch) -> Losses:
        """Fool the discriminator and keep what every patch shows; art shall stay as it is, patch by patch."""
        inputs = torch.cat([batch.content, batch.style])  # (2N, 3, S, S)
        taps = self.generator.encode(inputs)
        made = self.generator.decode(taps)  # (2N, 3, S, S)
        stylized = made[: len(batch.content)]
        self._stylized = stylized.detach()
        contrast = self._contrast([tap.detach() for tap in taps], self.generator.encode(made))  # (2N,)
        of_photos, of_art = contrast.chunk(2)
        return {
            "adversarial": (self.discriminator(stylized) - 1).square().mean(),
            "contrast": of_photos.mean(),
            "identity": of_art.mean(),
        }

    def discriminator_losses(self, batch: Batch) -> Losses:
        """Tell art from what the generator made."""
        logits = self.discriminator(batch.style), self.discriminator(self._stylized)
        return {"discriminator": discriminator_losses(*logits, LossForm.LSGAN).discriminator}

    def _contrast(self, inputs: list[Tensor], outputs: list[Tensor]) -> Tensor:
        """Return the contrastive loss of each picture, (N,), the mean over taps."""
        places = [torch.randperm(tap[0, 0].numel(), device=tap.device)[:PATCHES] for tap in inputs]
        given, made = (
            self.heads([at_places(tap, place) for tap, place in zip(taps, places, strict=True)])
            for taps in (inputs, outputs)
        )
        losses = [patch_contrast(q, k.detach()) for q, k in zip(made, given, strict=True)]  # (N,) each
        return torch.stack(losses).mean(dim=0)


def at_places(maps: Tensor, places: Tensor) -> Tensor:
    """Pick positions of (N, C, H, W) by their flat numbers (P,): (N, P, C)."""
    return maps.flatten(2)[:, :, places].transpose(1, 2)


def patch_contrast(queries: Tensor, keys: Tensor) -> Tensor:
    """Compute the cross entropy of finding each query's own key among all keys of its image.

    ``-log( exp(v . v+ / tau) / (exp(v . v+ / tau) + sum_n exp(v . v-_n / tau)) )``

    Args:
        queries: v, (N, P, K), unit vectors of the output.
        keys: (N, P, K), unit vectors of the input; number p is v+ of query p and a v- of all others.

    Returns:
        (N,), means over the patches; lower is better, 0 at best.

    Source: Park et al. 2020, equations 2 and 3.
    """
    likeness = queries @ keys.transpose(1, 2) / TEMPERATURE  # (N, P, P)
    own = torch.arange(likeness.shape[1], device=likeness.device).expand(len(likeness), -1)  # (N, P)
    return F.cross_entropy(likeness.transpose(1, 2), own, reduction="none").mean(dim=1)
