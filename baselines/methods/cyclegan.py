"""Train CycleGAN: two generators there and back, a discriminator for each side, and a pool of older pictures."""

import torch
from torch import Tensor, nn

from baselines.networks.cyclegan import Generator
from baselines.training.features import Features
from baselines.training.method import Batch, Losses, Method, Turn, parameters_of
from evaluation.backbones.patch_discriminator import PatchDiscriminator
from evaluation.metrics.adversarial import LossForm, discriminator_losses

CYCLE = 10.0
IDENTITY = 5.0  # half of the cycle's weight, as for the paintings of the paper
POOL = 50  # pictures
DISCRIMINATOR_WIDTH = 32
RATE = 4e-4  # of the generator: twice that of the paper, for a training that is many times shorter


class ImagePool(nn.Module):
    """The last fifty generated pictures or so, from which the discriminator gets older ones half of the time.

    Source: Zhu et al. 2017, section 4, after Shrivastava et al. 2017. All of it is in buffers, for resumed runs.
    """

    images: Tensor
    count: Tensor

    def __init__(self, size: int, capacity: int = POOL) -> None:
        """Make room for `capacity` pictures of `size` pixels a side."""
        super().__init__()
        self.register_buffer("images", torch.zeros(capacity, 3, size, size))
        self.register_buffer("count", torch.tensor(0))

    def exchange(self, fresh: Tensor) -> Tensor:
        """Take in pictures and give as many back.

        While there is room, what comes in comes back; later, each picture comes back itself or takes the place of
        an older one that comes back instead, with equal chances.

        Args:
            fresh: (N, 3, S, S), detached.

        Returns:
            (N, 3, S, S).
        """
        chosen = []
        for image in fresh:
            if self.count < len(self.images):
                self.images[self.count] = image
                self.count += 1
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(len(self.images), ()))
                image, self.images[place] = self.images[place].clone(), image
            chosen.append(image)
        return torch.stack(chosen)


class CycleGAN(Method):
    """Photographs to one collection of pictures and back, without pairs.

    ``L = L_GAN(G, D_Y) + L_GAN(F, D_X) + lambda L_cyc`` (Zhu et al. 2017, equations 1 to 3) with least squares in place
    of the logarithms (section 4), lambda 10, and the identity loss of section 5.2 at half of lambda.
    """

    def __init__(self, features: Features, size: int) -> None:
        """Build both generators and discriminators; the features are not used, there is no perceptual loss."""
        super().__init__()
        self.generator: Generator = Generator()
        self.back = Generator()
        self.judge_of_art = PatchDiscriminator(DISCRIMINATOR_WIDTH)
        self.judge_of_photos = PatchDiscriminator(DISCRIMINATOR_WIDTH)
        self.art_pool, self.photo_pool = ImagePool(size), ImagePool(size)

    def turns(self) -> list[Turn]:
        """Return the turn of both generators and that of both discriminators."""
        learned = parameters_of(self.generator, self.back)
        judging = parameters_of(self.judge_of_art, self.judge_of_photos)
        return [
            Turn("generator", learned, self.generator_losses, RATE),
            Turn("discriminator", judging, self.discriminator_losses),
        ]

    def generator_losses(self, batch: Batch) -> Losses:
        """Go there and back from both sides; G is `generator`, F is `back`."""
        photo, art = batch.content, batch.style
        # one pass for what has to change and what shall stay: the networks treat each picture alone
        as_art, same_art = self.generator(torch.cat([photo, art]), art).chunk(2)
        as_photo, same_photo = self.back(torch.cat([art, photo]), photo).chunk(2)
        self._as_art, self._as_photo = as_art.detach(), as_photo.detach()
        cycle = absolute(self.back(as_art, photo), photo) + absolute(self.generator(as_photo, art), art)
        return {
            "adversarial": fooled(self.judge_of_art(as_art)) + fooled(self.judge_of_photos(as_photo)),
            "cycle": CYCLE * cycle,
            "identity": IDENTITY * (absolute(same_art, art) + absolute(same_photo, photo)),
        }

    def discriminator_losses(self, batch: Batch) -> Losses:
        """Tell art from generated art and photographs from generated ones, old or new."""
        sides = (
            (self.judge_of_art, batch.style, self.art_pool.exchange(self._as_art)),
            (self.judge_of_photos, batch.content, self.photo_pool.exchange(self._as_photo)),
        )
        terms = [
            discriminator_losses(judge(real), judge(made), LossForm.LSGAN).discriminator
            for judge, real, made in sides
        ]
        return {"discriminator": terms[0] + terms[1]}


def fooled(logits: Tensor) -> Tensor:
    """Compute ``E (D(o) - 1)^2``, what the generator minimizes: a scalar.

    Source: Zhu et al. 2017, section 4.
    """
    return (logits - 1).square().mean()


def absolute(first: Tensor, second: Tensor) -> Tensor:
    """Compute the mean absolute difference: a scalar (the L1 norm of equation 2 as a mean)."""
    return (first - second).abs().mean()
