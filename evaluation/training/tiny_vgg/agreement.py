"""How well one backbone orders methods as another does: rank correlations within pairs and of method means."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import kendalltau, spearmanr

from evaluation.errors import InvalidTensor

TRIVIAL = ("identity", "style_copy", "style_shuffle")
OPTIMIZED = ("gatys_10", "gatys_50")  # on the network that estimates the reference's relu4_1 and relu5_1


@dataclass(frozen=True)
class Distances:
    """What one backbone says of every output: arrays (pairs, methods), float64, lower is better.

    `content_anchor`, `gram_anchor` and `mean_std_anchor`, (pairs,), are the distances that earn a score of 0.
    """

    content: np.ndarray
    gram: np.ndarray
    mean_std: np.ndarray
    content_anchor: np.ndarray
    gram_anchor: np.ndarray
    mean_std_anchor: np.ndarray


def compare(reference: Distances, student: Distances, methods: list[str]) -> dict[str, dict[str, float]]:
    """Compute all agreements: over all methods, over the core, and over what of it owes the reference nothing.

    The core leaves out the trivial methods, where agreement is easy. `independent` also leaves out those that
    optimized the reference's own features, of which the reference thinks too well.

    Returns:
        group -> statistic -> value in [-1, 1], higher is better: ``*_pair`` is the mean of Spearman's rho
        over pairs, ``*_means`` Spearman's rho of method means, `headline_tau` Kendall's tau of mean headlines.
    """
    groups = {"all": (), "core": TRIVIAL, "independent": TRIVIAL + OPTIMIZED}
    return {
        group: _compare(reference, student, [k for k, method in enumerate(methods) if method not in left_out])
        for group, left_out in groups.items()
    }


def pair_agreement(reference: np.ndarray, student: np.ndarray) -> float:
    """Compute the mean over pairs of Spearman's rank correlation over methods.

    Args:
        reference: (pairs, methods), float.
        student: the same of the other backbone.

    Returns:
        float in [-1, 1], higher is better.

    Raises:
        InvalidTensor: different shapes, fewer than two methods, or a pair on which all methods are equal.
    """
    if reference.shape != student.shape or reference.ndim != 2 or reference.shape[1] < 2:
        raise InvalidTensor(f"Expected equal (pairs, methods), found {reference.shape} and {student.shape}.")
    if min(np.ptp(reference, axis=1).min(), np.ptp(student, axis=1).min()) <= 0:
        raise InvalidTensor("All methods are equal on a pair, so they have no order.")
    return float(np.mean([spearmanr(a, b).statistic for a, b in zip(reference, student, strict=True)]))


def mean_agreement(reference: np.ndarray, student: np.ndarray) -> float:
    """Compute Spearman's rank correlation of the methods' means over pairs; arguments as `pair_agreement`."""
    return pair_agreement(reference.mean(axis=0, keepdims=True), student.mean(axis=0, keepdims=True))


def headlines(distances: Distances) -> np.ndarray:
    """Compute ``H = sqrt(C * S)`` of every output from the backbone's distances alone.

    ``C = clip(1 - sqrt(d / anchor), 0, 1)`` of the content loss; S the mean of the same for Gram and mean/std.

    Returns:
        (pairs, methods), float64 in [0, 1], higher is better.
    """

    def score(values: np.ndarray, anchor: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(1 - np.sqrt(values / anchor[:, None]), 0, 1))

    content = score(distances.content, distances.content_anchor)
    gram = score(distances.gram, distances.gram_anchor)
    mean_std = score(distances.mean_std, distances.mean_std_anchor)
    return np.asarray(np.sqrt(content * (gram + mean_std) / 2))


def _compare(reference: Distances, student: Distances, methods: list[int]) -> dict[str, float]:
    found = {}
    ours, theirs = asdict(student), asdict(reference)
    for name in ("content", "gram", "mean_std"):
        pair = theirs[name][:, methods], ours[name][:, methods]
        found[f"{name}_pair"] = pair_agreement(*pair)
        found[f"{name}_means"] = mean_agreement(*pair)
    means = [headlines(distances)[:, methods].mean(axis=0) for distances in (reference, student)]
    found["headline_tau"] = float(kendalltau(*means).statistic)
    return {name: round(value, 4) for name, value in found.items()}
