"""Train AdaIN: the decoder learns to show what adaptive instance normalization made of the content's features."""

import torch

from baselines.networks.adain import Generator
from baselines.training.features import Features, load_first_layers
from baselines.training.losses import statistics_loss, variation_loss
from baselines.training.method import Batch, Losses, Method, Turn, parameters_of

STYLE = 3.0
VARIATION = 1.0
IDENTITY = 10.0


class AdaIN(Method):
    """The decoder of Huang and Belongie 2017; the encoder stays as it is.

    ``L = L_c + lambda L_s`` (equation 11) with lambda 3. Deviations: L_s is read from all five taps of the features
    given; a little smoothness is asked for; and the decoder shall give back content images whose features nobody
    changed, without which a short training learns textures before it learns pictures.
    """

    def __init__(self, features: Features, size: int) -> None:
        """Give the generator the first layers of `tiny-vgg-1` as its encoder."""
        super().__init__()
        self.features = features
        self.generator: Generator = Generator()
        load_first_layers(self.generator.encoder)

    def turns(self) -> list[Turn]:
        """Return the one turn: the decoder's."""
        parameters = parameters_of(self.generator.decoder)
        return [Turn("generator", parameters, self.losses, rate=1e-3, betas=(0.9, 0.999), falls=True)]

    def losses(self, batch: Batch) -> Losses:
        """Compare the features of the decoded picture with those that were asked for (equations 12 and 13)."""
        with torch.no_grad():
            wanted = self.generator.transfer(batch.content, batch.style)
            style = self.features(batch.style)
        stylized = self.generator.decoder(wanted)
        same = batch.content[:1]  # (1, 3, S, S): one is enough
        again = self.generator(same, same, 0.0)
        return {
            "content": (self.generator.encoder(stylized) - wanted).square().mean(),
            "style": STYLE * statistics_loss(self.features(stylized), style),
            "variation": VARIATION * variation_loss(stylized),
            "identity": IDENTITY * (again - same).abs().mean(),
        }
