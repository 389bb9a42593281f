"""Retrieval: is the image that an output was made from the nearest of all candidates to it?"""

from collections.abc import Sequence

import torch
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.checks import check_result


def retrieval_at_1(
    distances: Tensor, target_index: Tensor, candidate_keys: Sequence[str] | None = None
) -> Tensor:
    """Tell for each output whether its target is strictly nearer to it than every other candidate.

    With style images as candidates the mean is R_s@1, with content images R_c@1. The caller chooses the
    distance: normalized mean/deviation and Gram statistics for style, the content map for content.
    A tie with another candidate is no hit: outputs that look the same to the network, such as a flat
    gray, are equally far from everything, and a tie that counted would give them every target.

    Args:
        distances: (n, K), floating, finite, from 0: output i to candidate k, K >= 2.
        target_index: (n,), int64, 0..K-1: the column of the output's own candidate.
        candidate_keys: (K,), what each candidate is, e.g. its sha256; columns of one key are one image,
            so a candidate listed twice does not tie with itself. Default: all differ.

    Returns:
        (n,), float64, 0 or 1, higher is better; `chance_level` says what a blind guess reaches.

    Raises:
        InvalidTensor: wrong shape or dtype, a negative distance, NaN or infinity, an index out of range,
            fewer than two different candidates.

    Source: precision at rank 1, as in image retrieval; ties decided against the output.
    """
    _check(distances, target_index)
    numbers = _key_numbers(candidate_keys, distances.shape[1]).to(distances.device)  # (K,)
    is_target = numbers[None] == numbers[target_index.to(distances.device)][:, None]  # (n, K)
    nearest_target = distances.masked_fill(~is_target, torch.inf).amin(dim=1)  # (n,)
    nearest_other = distances.masked_fill(is_target, torch.inf).amin(dim=1)  # (n,)
    return (nearest_target < nearest_other).double()


def chance_level(candidate_keys: Sequence[str]) -> float:
    """Return the share of hits of a blind guess: ``1 / K`` with K different candidates.

    Raises:
        InvalidTensor: fewer than two different candidates.
    """
    return 1 / (int(_key_numbers(candidate_keys, len(candidate_keys)).max()) + 1)


def _check(distances: Tensor, target_index: Tensor) -> None:
    if distances.ndim != 2 or not distances.is_floating_point() or distances.numel() == 0:
        found = f"{distances.dtype} of shape {tuple(distances.shape)}"
        raise InvalidTensor(f"retrieval: expected floating distances (n, K), found {found}.")
    if bool((check_result("retrieval", distances) < 0).any()):
        raise InvalidTensor("retrieval: expected distances from 0, found a negative one.")
    n, candidates = distances.shape
    if target_index.shape != (n,) or target_index.dtype != torch.int64:
        found = f"{target_index.dtype} of shape {tuple(target_index.shape)}"
        raise InvalidTensor(f"retrieval: expected int64 target indices ({n},), found {found}.")
    if int(target_index.min()) < 0 or int(target_index.max()) >= candidates:
        raise InvalidTensor(f"retrieval: expected target indices from 0 to {candidates - 1}.")


def _key_numbers(keys: Sequence[str] | None, candidates: int) -> Tensor:
    used = list(keys) if keys is not None else [str(k) for k in range(candidates)]
    if len(used) != candidates:
        raise InvalidTensor(f"retrieval: expected {candidates} candidate keys, found {len(used)}.")
    number = {key: k for k, key in enumerate(dict.fromkeys(used))}
    if len(number) < 2:
        raise InvalidTensor("retrieval: expected at least two different candidates.")
    return torch.tensor([number[key] for key in used])
