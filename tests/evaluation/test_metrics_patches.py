"""Patch similarity: identity, direction, range, batches, memory, refusals."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evaluation.errors import InvalidTensor
from evaluation.metrics.patches import cfsd


def features(seed: int = 0, shape: tuple[int, ...] = (2, 5, 6, 7)) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 10


@settings(deadline=None, max_examples=10)
@given(
    seed=st.integers(0, 2**31),
    channels=st.integers(1, 8),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
)
def test_identity_nonnegativity_and_batches(seed: int, channels: int, height: int, width: int) -> None:
    ours, theirs = features(seed, (2, 2, channels, height, width))
    assert cfsd(ours, ours).tolist() == [0.0, 0.0]
    values = cfsd(ours, theirs)
    assert values.dtype == torch.float64
    assert (values >= 0).all()
    singles = [cfsd(ours[k : k + 1], theirs[k : k + 1]).item() for k in range(2)]
    assert values.tolist() == pytest.approx(singles, rel=1e-4, abs=1e-9)


def test_it_is_not_symmetric_and_grows_with_damage() -> None:
    content, noise = features(0), features(1) - 5
    assert cfsd(features(1), content)[0].item() != pytest.approx(
        cfsd(content, features(1))[0].item(), rel=1e-3
    )
    values = [cfsd(content + k * noise, content)[0].item() for k in (0, 0.1, 0.3, 1)]
    assert values == sorted(values)
    assert values[1] > 0


def test_moving_places_of_one_side_changes_it_and_of_both_does_not() -> None:
    ours, theirs = features(0), features(1)
    assert cfsd(theirs.flip(3), theirs).min().item() > 0.01
    torch.testing.assert_close(cfsd(ours.flip(3), theirs.flip(3)), cfsd(ours, theirs), rtol=1e-5, atol=0)


def test_it_sees_likeness_of_places_and_no_single_channel() -> None:
    ours, theirs = features(0), features(1)
    torch.testing.assert_close(cfsd(ours.roll(1, dims=1), theirs), cfsd(ours, theirs), rtol=1e-5, atol=0)
    assert cfsd(ours * 1.1, ours).min().item() > 0


@pytest.mark.parametrize(
    "stylized",
    [
        features(0, (2, 5, 6, 8)),
        features(0, (5, 6, 7)),
        features(0, (2, 5, 0, 7)),
        features().long(),
        features() * torch.nan,
        features() * torch.inf,
    ],
    ids=["size", "dimensions", "empty", "dtype", "nan", "infinity"],
)
def test_wrong_maps_are_refused(stylized: Tensor) -> None:
    for pair in ((stylized, features()), (features(), stylized)):
        with pytest.raises(InvalidTensor):
            cfsd(*pair)
