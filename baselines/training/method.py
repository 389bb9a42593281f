"""What a training method tells the frame: its networks, and the turns that make one step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor, nn

Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Batch:
    """What one step learns from: float32 (N, 3, S, S) in [0, 1], content and style drawn independently.

    `progress` is the share of the whole training that lies behind, in [0, 1), for weights that rise or fall.
    """

    content: Tensor
    style: Tensor
    step: int
    progress: float


@dataclass(frozen=True)
class Turn:
    """One part of a step: the frame adds up the losses, and Adam moves these parameters only.

    `losses` returns scalars that are weighted already; the names appear in log and curves. `falls` lets the rate
    fall to zero along a straight line over the second half of the training (as CycleGAN does).
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    losses: Callable[[Batch], Losses]
    rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    falls: bool = False


class Method(nn.Module, ABC):
    """A way to train one generator.

    Every network, pool or buffer that a stopped run needs to go on is a child module or a buffer, so that
    `state_dict` holds it. The generator that is exported, and of which the frame keeps an exponential average, is the
    child `generator`: it maps content and style, (N, 3, H, W) in [0, 1] and any size, and a strength in [0, 1] to
    (N, 3, H, W), which may leave [0, 1] a little.
    """

    generator: nn.Module

    @abstractmethod
    def turns(self) -> list[Turn]:
        """Return the turns of a step in their order; what an earlier one computed may be kept for a later one."""

    def stylize(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """Run the generator in training: (N, 3, H, W), about [0, 1]."""
        stylized: Tensor = self.generator(content, style, strength)
        return stylized


def parameters_of(*modules: nn.Module) -> tuple[nn.Parameter, ...]:
    """Return all parameters of the modules that learn."""
    every: Iterable[nn.Parameter] = (p for module in modules for p in module.parameters())
    return tuple(parameter for parameter in every if parameter.requires_grad)
