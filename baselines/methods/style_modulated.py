"""Train the style-modulated generator: content, style, and a discriminator held by R1."""

import torch
import torch.nn.functional as F

from baselines.networks.style_modulated import Generator
from baselines.training.features import Features, load_first_layers
from baselines.training.losses import content_loss, gram_loss
from baselines.training.method import Batch, Losses, Method, Turn, parameters_of
from evaluation.backbones.patch_discriminator import PatchDiscriminator
from evaluation.metrics.adversarial import LossForm, discriminator_losses, r1_penalty

STYLE = 10.0
ADVERSARIAL = 0.1
IDENTITY = 1.0
R1 = 1.0  # gamma
R1_EVERY = 16  # steps
DISCRIMINATOR_WIDTH = 32
RATE = 1e-3
BETAS = (0.0, 0.99)


class StyleModulated(Method):
    """A generator of the StyleGAN2 kind that is given content and style.

    ``L = alpha L_content + beta L_Gram + gamma softplus(-D(o)) + |G(c, c) - c|_1``; the discriminator minimizes
    ``softplus(D(o)) + softplus(-D(s)) + gamma_R1 / 2 |grad D(s)|^2``, the penalty every 16 steps and weighted up by 16.

    Source: Goodfellow et al. 2014 (non-saturating loss), Mescheder et al. 2018, equation 9 (R1), Karras et al. 2020
    (lazy regularization). Deviations: content and Gram losses are added, path length regularization and style mixing in
    training are left out, and the discriminator judges patches instead of whole pictures.
    """

    def __init__(self, features: Features, size: int) -> None:
        """Give the style encoder the first layers of `tiny-vgg-1`."""
        super().__init__()
        self.features = features
        self.generator: Generator = Generator()
        load_first_layers(self.generator.style_encoder)
        self.discriminator = PatchDiscriminator(DISCRIMINATOR_WIDTH)

    def turns(self) -> list[Turn]:
        """Return the turn of the generator and that of the discriminator."""
        learned, judging = parameters_of(self.generator), parameters_of(self.discriminator)
        return [
            Turn("generator", learned, self.generator_losses, RATE, BETAS, falls=True),
            Turn("discriminator", judging, self.discriminator_losses, RATE / 5, BETAS, falls=True),
        ]

    def generator_losses(self, batch: Batch) -> Losses:
        """Keep the content, take on the style, look like art; a picture in its own style stays as it is."""
        with torch.no_grad():
            content, style = self.features(batch.content), self.features(batch.style)
        stylized = self.stylize(batch.content, batch.style)  # (N, 3, S, S)
        some = batch.content[:1]  # one picture is enough for this
        self._stylized = stylized.detach().clamp(0, 1)
        taps = self.features(stylized)
        return {
            "content": content_loss(taps, content),
            "style": STYLE * gram_loss(taps, style),
            "adversarial": ADVERSARIAL * F.softplus(-self.discriminator(stylized.clamp(0, 1))).mean(),
            "identity": IDENTITY * (self.stylize(some, some) - some).abs().mean(),
        }

    def discriminator_losses(self, batch: Batch) -> Losses:
        """Tell style images from stylized ones; now and then, hold down the slope at style images."""
        logits = self.discriminator(batch.style), self.discriminator(self._stylized)
        is_due = batch.step % R1_EVERY == 0
        penalty = r1_penalty(self.discriminator, batch.style) if is_due else batch.style.new_zeros(())
        return {
            "discriminator": discriminator_losses(*logits, LossForm.CROSS_ENTROPY).discriminator,
            "r1": R1 / 2 * R1_EVERY * penalty,
        }
