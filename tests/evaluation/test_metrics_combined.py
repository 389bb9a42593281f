"""The total loss: a weighted sum for each pair, and what it refuses."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.metrics.combined import total_loss

TERMS = (torch.tensor([1.0, 2.0]), torch.tensor([10.0, 0.0]), torch.tensor([0.5, 0.25]))


def test_the_sum_is_weighted_for_each_pair() -> None:
    result = total_loss(*TERMS, alpha=1.0, beta=0.1, gamma=4.0)
    assert result.tolist() == [4.0, 3.0]
    assert result.dtype == torch.float64


@given(weights=st.tuples(*[st.floats(0, 1e6)] * 3))
@settings(deadline=None, max_examples=25)
def test_each_term_enters_with_its_own_weight(weights: tuple[float, float, float]) -> None:
    alpha, beta, gamma = weights
    zero = torch.zeros(2)
    parts = (
        total_loss(TERMS[0], zero, zero, alpha=alpha, beta=beta, gamma=gamma),
        total_loss(zero, TERMS[1], zero, alpha=alpha, beta=beta, gamma=gamma),
        total_loss(zero, zero, TERMS[2], alpha=alpha, beta=beta, gamma=gamma),
    )
    whole = total_loss(*TERMS, alpha=alpha, beta=beta, gamma=gamma)
    torch.testing.assert_close(sum(parts), whole)
    torch.testing.assert_close(parts[0], alpha * TERMS[0].double())


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "bad",
    [
        torch.tensor([1.0]),
        torch.tensor([[1.0, 2.0]]),
        torch.tensor([1, 2]),
        torch.tensor([1.0, torch.nan]),
        torch.tensor([1.0, torch.inf]),
        torch.tensor([1.0, -1.0]),
        torch.empty(0),
    ],
    ids=["length", "dimensions", "dtype", "nan", "infinity", "negative", "empty"],
)
def test_a_bad_term_is_refused(position: int, bad: torch.Tensor) -> None:
    terms = list(TERMS)
    terms[position] = bad
    with pytest.raises(InvalidTensor):
        total_loss(*terms, alpha=1.0, beta=1.0, gamma=1.0)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["alpha", "beta", "gamma"])
def test_a_bad_weight_is_refused(name: str, weight: float) -> None:
    weights = {"alpha": 1.0, "beta": 1.0, "gamma": 1.0} | {name: weight}
    with pytest.raises(InvalidTensor):
        total_loss(*TERMS, **weights)
