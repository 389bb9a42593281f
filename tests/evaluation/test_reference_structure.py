"""Self-similarity and CFSD against plain loops and against the forms of the authors' code."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from evaluation.metrics.patches import cfsd
from evaluation.metrics.structure import self_similarity_loss


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / math.sqrt((first @ first) * (second @ second)))


def test_self_similarity_equals_plain_loops() -> None:
    stylized, content = normal(0, 2, 9, 5), normal(1, 2, 9, 5)
    expected = []
    for ours, theirs in zip(stylized.double().numpy(), content.double().numpy(), strict=True):
        squares = [
            (cosine(ours[i], ours[j]) - cosine(theirs[i], theirs[j])) ** 2 for i in range(9) for j in range(9)
        ]
        expected.append(sum(squares) / 81)
    assert self_similarity_loss(stylized, content).tolist() == pytest.approx(expected, rel=1e-5)


def test_self_similarity_equals_the_clamped_matrix_form() -> None:
    stylized, content = normal(0, 1, 65, 48), normal(1, 1, 65, 48)

    def similarity(keys: Tensor) -> Tensor:
        lengths = keys.norm(dim=2, keepdim=True)
        return (keys @ keys.mT) / (lengths @ lengths.mT).clamp(min=1e-8)

    expected = functional.mse_loss(similarity(stylized), similarity(content))
    assert self_similarity_loss(stylized, content).item() == pytest.approx(expected.item(), rel=1e-5)


def softmax_rows(features: np.ndarray) -> list[list[float]]:
    """Patch similarities of one map (C, H, W), position by position."""
    channels = features.shape[0]
    places = [
        features[:, y, x] / channels for y in range(features.shape[1]) for x in range(features.shape[2])
    ]
    rows = []
    for place in places:
        powers = [math.exp(sum(place * other)) for other in places]
        rows.append([power / sum(powers) for power in powers])
    return rows


def test_cfsd_equals_naive_loops() -> None:
    stylized, content = normal(0, 1, 6, 8, 8).abs() * 8, normal(1, 1, 6, 8, 8).abs() * 8
    ours, theirs = (softmax_rows(features[0].double().numpy()) for features in (stylized, content))
    expected = sum(
        p * math.log(p / q)
        for row, other in zip(theirs, ours, strict=True)
        for p, q in zip(row, other, strict=True)
    )
    assert cfsd(stylized, content).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("side", [16, 17, 23])
def test_cfsd_in_chunks_equals_whole_matrices(side: int) -> None:
    stylized, content = normal(0, 2, 12, side, side + 1).abs() * 4, normal(1, 2, 12, side, side + 1).abs() * 4
    expected = []
    for index in range(2):
        logits = [
            places @ places.T
            for places in (maps[index].double().flatten(1).T / 12 for maps in (stylized, content))
        ]
        expected.append(
            functional.kl_div(logits[0].log_softmax(dim=1), logits[1].softmax(dim=1), reduction="sum").item()
        )
    assert cfsd(stylized, content).tolist() == pytest.approx(expected, rel=1e-5)


def test_cfsd_of_nearly_uniform_rows_keeps_its_digits() -> None:
    """Features of common size give rows so flat that sums in single precision are all rounding."""
    stylized, content = normal(0, 1, 256, 16, 16).abs(), normal(1, 1, 256, 16, 16).abs()
    exact = cfsd(stylized.double(), content.double()).item()
    assert cfsd(stylized, content).item() == pytest.approx(exact, rel=1e-4)
