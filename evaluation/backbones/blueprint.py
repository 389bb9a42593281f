"""What a backbone is before it has weights."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Blueprint:
    """A network to be filled with weights, and the text that defines everything about it but the weights.

    `build` makes a network that maps (N, 3, H, W) in [0, 1] to a dict of taps; parameters that come from a weight
    file have the names of the file and are on the meta device until they are filled. `definition` changes whenever
    the arithmetic does. Images smaller than `min_side` are refused.
    """

    definition: bytes
    build: Callable[[], nn.Module]
    taps: tuple[str, ...]
    content_tap: str
    heads: tuple[Tensor, ...] = ()
    min_side: int = 1
