"""Bring all taps to one scale, without changing what the network computes otherwise."""

import torch
from torch import Tensor

from evaluation.backbones.tiny_vgg import BLOCKS, TAPS, build


def balance_taps(state: dict[str, Tensor], batches: list[Tensor]) -> dict[str, Tensor]:
    """Scale each tap so that the entries of its Gram matrices have a root mean square of 1.

    ReLU, maximum and padding commute with positive factors: what multiplies the convolution of a tap divides
    the weights of the next one. Losses on Gram matrices, which are means over entries, then weigh all taps alike.

    Args:
        state: weights and biases of `TinyVGG`.
        batches: pictures (N, 3, H, W) in [0, 1], to measure on.

    Returns:
        new weights and biases.
    """
    network = build(state)
    squares = dict.fromkeys(TAPS, 0.0)
    with torch.inference_mode():
        for images in batches:
            for tap, maps in network(images).items():
                flat = maps.flatten(2)  # (N, C, M)
                gram = flat @ flat.transpose(1, 2) / flat.shape[2]  # (N, C, C)
                squares[tap] += gram.square().mean().item() / len(batches)
    scaled = {name: tensor.clone() for name, tensor in state.items()}
    layer = 0
    for tap, (_, count) in zip(TAPS, BLOCKS, strict=True):
        factor = squares[tap] ** -0.25  # a Gram matrix is of second order, its square of fourth
        scaled[f"layers.{layer}.weight"] *= factor
        scaled[f"layers.{layer}.bias"] *= factor
        if f"layers.{layer + 1}.weight" in scaled:
            scaled[f"layers.{layer + 1}.weight"] /= factor
        layer += count
    return scaled
