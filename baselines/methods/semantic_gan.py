"""Train the semantic generator: Gram matrices region by region, and a discriminator that knows the regions."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from baselines.networks.semantic_gan import (
    FLOOR,
    REGIONS,
    Generator,
    distances,
    memberships,
    positions,
)
from baselines.training.features import Features, load_first_layers
from baselines.training.losses import Taps, content_loss
from baselines.training.method import Batch, Losses, Method, Turn, parameters_of
from evaluation.metrics.adversarial import LossForm, discriminator_losses

STYLE = 10.0
ADVERSARIAL = 0.1
IDENTITY = 1.0
REGION_WEIGHT = 0.1
DISCRIMINATOR_WIDTHS = (32, 64, 128)
RATE = 1e-3
SLOPE = 0.2  # of the leaky ReLU


class RegionDiscriminator(nn.Module):
    """A patch discriminator with a logit for every region, of which a patch gets the mix of its own regions.

    Source: Isola et al. 2017 for patches, Miyato et al. 2018 for spectral normalization; the choice of the logit by
    the region is this project's.
    """

    def __init__(self) -> None:
        """Lay out three strided convolutions and the one that gives the logits."""
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(i, o, 4, 2, 1)) for i, o in pairwise((3, *DISCRIMINATOR_WIDTHS))
        )
        self.logits = spectral_norm(nn.Conv2d(DISCRIMINATOR_WIDTHS[-1], REGIONS, 3, padding=1))

    def forward(self, images: Tensor, shares: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 1] and shares (N, K, h, w), adding up to one, to logits (N, 1, H/8, W/8)."""
        maps = 2 * images - 1
        for layer in self.layers:
            maps = F.leaky_relu(
                layer(maps), SLOPE
            )  # (N, 32, H/2, W/2), (N, 64, H/4, W/4), (N, 128, H/8, W/8)
        logits: Tensor = self.logits(maps)  # (N, K, H/8, W/8)
        return (logits * resize(shares, logits)).sum(dim=1, keepdim=True)


class SemanticGAN(Method):
    """Style moved region by region.

    ``L = alpha L_content + beta sum_k m_k L_Gram,k + gamma L_adv + |G(c, c) - c|_1 + lambda L_regions``: m_k is the
    share of region k in the content image, L_adv that of LSGAN, and L_regions the mean squared distance of positions
    to the prototypes of their regions, from which the clustering starts.
    """

    def __init__(self, features: Features, size: int) -> None:
        """Give the encoder the first layers of `tiny-vgg-1`."""
        super().__init__()
        self.features = features
        self.generator: Generator = Generator()
        load_first_layers(self.generator.encoder)
        self.discriminator = RegionDiscriminator()

    def turns(self) -> list[Turn]:
        """Return the turn of the generator and that of the discriminator."""
        learned, judging = parameters_of(self.generator), parameters_of(self.discriminator)
        return [
            Turn("generator", learned, self.generator_losses, RATE, falls=True),
            Turn("discriminator", judging, self.discriminator_losses, RATE / 5, falls=True),
        ]

    def generator_losses(self, batch: Batch) -> Losses:
        """Keep the content; take on the style, region by region; a picture in its own style stays as it is."""
        side = batch.content.shape[3]
        with torch.no_grad():  # regions are for L_regions alone to shape
            content, style = self.features(batch.content), self.features(batch.style)
            views = self.generator.look(batch.content), self.generator.look(batch.style)
            some = [maps[:1] for maps in views[0]]  # one picture is enough for the identity
            self._shares, own = self.generator.assign(*views), self.generator.assign(some, some)
        stylized = self.generator.draw(views, self._shares)[:, :, :side, :side]  # (N, 3, S, S)
        same = self.generator.draw((some, some), own)[:, :, :side, :side]  # (1, 3, S, S)
        self._stylized = stylized.detach().clamp(0, 1)
        taps = self.features(stylized)
        logits = self.discriminator(stylized.clamp(0, 1), self._shares[0])
        return {
            "content": content_loss(taps, content),
            "style": STYLE * region_gram_loss((taps, style), self._shares),
            "adversarial": ADVERSARIAL * (logits - 1).square().mean() / 2,
            "identity": IDENTITY * (same - batch.content[:1]).abs().mean(),
            "regions": REGION_WEIGHT * self._region_loss([maps[2] for maps in views]),
        }

    def discriminator_losses(self, batch: Batch) -> Losses:
        """Tell style images from stylized ones, each with its regions."""
        real = self.discriminator(batch.style, self._shares[1])
        made = self.discriminator(self._stylized, self._shares[0])
        return {"discriminator": discriminator_losses(real, made, LossForm.LSGAN).discriminator}

    def _region_loss(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the mean squared distance to the prototypes of the own regions, the objective of soft k-means."""
        points = torch.cat([positions(picture) for picture in maps])  # (2N, M, 64)
        prototypes = self.generator.prototypes.expand(len(points), -1, -1)  # (2N, K, 64)
        return (memberships(points, prototypes) * distances(points, prototypes)).sum(dim=2).mean()


def region_gram_loss(taps: tuple[Taps, Taps], shares: list[Tensor]) -> Tensor:
    """Compare Gram matrices of the same region in two pictures.

    ``mean_l sum_k m_k mean_ij (G_k^l(o) - G_k^l(s))^2`` with ``G_k = sum_p w_kp F_p F_p^T / sum_p w_kp`` and
    ``m_k`` the mean of ``w_k`` over the first picture, scaled to add up to one.

    Args:
        taps: features of stylized and style images, (N, C, H, W) for each tap.
        shares: of the regions in both, (N, K, h, w).

    Returns:
        scalar, lower is better.

    Source: Gatys et al. 2017 (guided Gram matrices), with soft guides and as means over positions.
    """
    size = shares[0].mean(dim=(2, 3))  # (N, K)
    terms = []
    for tap in taps[0]:
        made, wanted = (region_grams(maps[tap], share) for maps, share in zip(taps, shares, strict=True))
        terms.append(((made - wanted).square().mean(dim=(2, 3)) * size).sum(dim=1).mean())
    return torch.stack(terms).mean()


def region_grams(maps: Tensor, shares: Tensor) -> Tensor:
    """Return the Gram matrix of every region, (N, K, C, C), of maps (N, C, H, W) and shares (N, K, h, w).

    A position weighs at least `FLOOR` in every region, so a region that is missing has the whole picture's matrix.
    """
    weights = resize(shares, maps).flatten(2) + FLOOR  # (N, K, M)
    weights = weights / weights.sum(dim=2, keepdim=True)
    flat = maps.flatten(2)  # (N, C, M)
    grams = [(flat * weights[:, k : k + 1]) @ flat.transpose(1, 2) for k in range(weights.shape[1])]
    return torch.stack(grams, dim=1)


def resize(shares: Tensor, maps: Tensor) -> Tensor:
    """Resize (N, K, h, w) to the size of (N, C, H, W) by areas; sums over K are kept."""
    return F.interpolate(shares, size=maps.shape[2:], mode="area")
