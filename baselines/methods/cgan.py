"""Train the conditional GAN of the founding documents, with cross-entropy or with least squares."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.networks.cgan import CODE, Generator
from baselines.training.features import Features
from baselines.training.losses import content_loss, gram_loss
from baselines.training.method import Batch, Losses, Method, Turn, parameters_of
from evaluation.backbones.patch_discriminator import PatchDiscriminator
from evaluation.metrics.adversarial import LossForm, discriminator_losses, generator_loss

BETA, GAMMA = 10.0, 0.2
RATE = 1e-3  # of the generator
WIDTH = 32  # of the discriminator
RISE = 0.2  # share of the training over which the adversarial weight rises to its full value
SLOPE = 0.2


class Discriminator(nn.Module):
    """A PatchGAN with spectral normalization that also asks whether a patch fits the code of the style.

    Source: Isola et al. 2017; spectral normalization and projection after Miyato et al. 2018 and Miyato and Koyama
    2018, equation 3, patch by patch.
    """

    def __init__(self) -> None:
        """Build the patch discriminator and the projection of the code."""
        super().__init__()
        self.patches = PatchDiscriminator(WIDTH, spectral_norm=True)
        self.project = nn.Linear(CODE, 8 * WIDTH, bias=False)

    def forward(self, images: Tensor, code: Tensor) -> Tensor:
        """Map images (N, 3, S, S) in [0, 1] and codes (N, CODE) to patch logits (N, 1, S/8 - 2, S/8 - 2)."""
        maps = 2 * images - 1
        *layers, last = self.patches.layers
        for layer in layers:
            maps = F.leaky_relu(layer(maps), SLOPE)  # (N, C, H', W')
        fit = (maps * self.project(code)[:, :, None, None]).mean(dim=1, keepdim=True)  # (N, 1, H', W')
        logits: Tensor = last(maps) + fit[:, :, :-1, :-1]  # the last convolution takes a row and a column
        return logits


class ConditionalGan(Method):
    """``L = alpha L_content + beta sum_l w_l E_l + gamma L_adv + |G(c, c) - c|``, and the discriminator's own loss.

    Source: the founding documents, with L_content of Gatys et al. 2016, equation 1, on relu4_1, and E_l of its
    equation 4. Deviations: gamma rises over the first fifth of the training, so that the discriminator cannot win
    before there is a picture; the last term gives strength 0 its meaning.
    """

    form: LossForm
    alpha: float

    def __init__(self, features: Features, size: int) -> None:
        """Build both networks."""
        super().__init__()
        self.features = features
        self.generator: Generator = Generator()
        self.discriminator = Discriminator()
        self._made: Tensor | None = None

    def turns(self) -> list[Turn]:
        """Return the generator's turn, then the discriminator's."""
        return [
            Turn("generator", parameters_of(self.generator), self.generator_losses, rate=RATE, falls=True),
            Turn("discriminator", parameters_of(self.discriminator), self.discriminator_losses, falls=True),
        ]

    def generator_losses(self, batch: Batch) -> Losses:
        """Compare with content and style, ask the discriminator, and give one content image back unchanged."""
        with torch.no_grad():
            content, style = self.features(batch.content), self.features(batch.style)
        code = self.generator.encode_style(batch.style)  # (N, CODE)
        stylized = self.generator.decode(batch.content, code)
        self._made = stylized.detach()
        taps = self.features(stylized)
        logits = self.discriminator(stylized, code.detach())
        gamma = GAMMA * min(1.0, 0.1 + 0.9 * batch.progress / RISE)
        same = batch.content[:1]  # (1, 3, S, S): one is enough, and the whole batch would double the time
        return {
            "content": self.alpha * content_loss(taps, content),
            "style": BETA * gram_loss(taps, style),
            "adversarial": gamma * generator_loss(logits.float(), self.form).mean(),
            "identity": (self.generator(same, same) - same).abs().mean(),
        }

    def discriminator_losses(self, batch: Batch) -> Losses:
        """Tell style images from what the generator just made."""
        if self._made is None:
            raise RuntimeError("the generator's turn comes first")
        with torch.no_grad():
            code = self.generator.encode_style(batch.style)
        real, fake = self.discriminator(batch.style, code), self.discriminator(self._made, code)
        return {"discriminator": discriminator_losses(real.float(), fake.float(), self.form).discriminator}


class CrossEntropyGan(ConditionalGan):
    """The form of the founding document on style transfer as a service."""

    form = LossForm.CROSS_ENTROPY
    alpha = 1.0


class LeastSquaresGan(ConditionalGan):
    """The form of the founding document on the competition platform (Mao et al. 2017)."""

    form = LossForm.LSGAN
    alpha = 2.0  # with 1 the style wins: content 0.26 and style 0.45 on the demo suite
