"""What decides the weights of a run, beside method, features and pictures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """`size` is the side of the crops in pixels; `steps` may be raised in a run that goes on."""

    steps: int
    batch: int
    size: int
    seed: int = 0
    is_bf16: bool = False
