"""KID against torch-fidelity on equal subsets, and against clean-fid and torchmetrics on whole sets."""

import numpy as np
import pytest
import torch
from cleanfid.fid import kernel_distance
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd

from evaluation.metrics.sets import kid, kid_interval, kid_subsets


def features(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.maximum(np.random.default_rng(seed).normal(size=(n, 64)) + shift, 0)


@pytest.mark.parametrize("seed", [2020, 7])
def test_kid_over_equal_subsets_equals_torch_fidelity(seed: int) -> None:
    ours, theirs = features(500, 0), features(600, 1, shift=0.1)
    expected = kid_features_to_metric(
        torch.from_numpy(ours),
        torch.from_numpy(theirs),
        kid_subsets=20,
        kid_subset_size=200,
        rng_seed=seed,
        verbose=False,
    )
    found = kid_subsets(ours, theirs, subsets=20, size=200, seed=seed)
    assert found.mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-9)
    assert found.std == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-9)
    assert (found.n, found.n_reference) == (500, 600)


def test_kid_of_whole_sets_equals_clean_fid_and_torchmetrics() -> None:
    """With sets of one size, a subset of that size is the whole set."""
    ours, theirs = features(1100, 0), features(1100, 1, shift=0.1)  # more than one block of rows
    clean_fid = kernel_distance(ours, theirs, num_subsets=1, max_subset_size=1100)
    torchmetrics = poly_mmd(torch.from_numpy(theirs), torch.from_numpy(ours)).item()
    assert [clean_fid, torchmetrics] == pytest.approx([kid(ours, theirs)] * 2, rel=1e-9)
    assert kid_interval(ours, theirs, draws=1, seed=0).value == pytest.approx(clean_fid, rel=1e-9)
