"""Precision and recall against torch-fidelity: exactly, as counts."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_prc import prc_features_to_metric

from evaluation.metrics.sets import precision_recall


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("batch", [10_000, 64])
def test_precision_and_recall_equal_torch_fidelity(k: int, batch: int) -> None:
    generator = np.random.default_rng(k)
    ours, theirs = generator.normal(size=(200, 16)), generator.normal(size=(260, 16)) * 1.3
    found = precision_recall(ours, theirs, k)
    expected = prc_features_to_metric(
        torch.from_numpy(ours),
        torch.from_numpy(theirs),
        prc_neighborhood=k,
        prc_batch_size=batch,
        save_cpu_ram=batch == 64,
        verbose=False,
    )
    assert round(found.precision * 200) == round(expected["precision"] * 200)
    assert round(found.recall * 260) == round(expected["recall"] * 260)
    assert 0 < found.recall < found.precision < 1
    assert (found.n, found.n_reference) == (200, 260)
