"""Retrieval at rank 1: nearest target, ties, duplicates, chance, refusals."""

import pytest
import torch

from evaluation.errors import InvalidTensor
from evaluation.metrics.retrieval import chance_level, retrieval_at_1

DISTANCES = torch.tensor([[0.1, 0.5, 0.9], [0.4, 0.3, 0.3001], [0.2, 0.7, 0.1]])


def targets(*indices: int) -> torch.Tensor:
    return torch.tensor(indices)


def test_an_output_hits_when_its_target_is_the_nearest() -> None:
    assert retrieval_at_1(DISTANCES, targets(0, 1, 2)).tolist() == [1, 1, 1]
    assert retrieval_at_1(DISTANCES, targets(1, 0, 0)).tolist() == [0, 0, 0]
    assert retrieval_at_1(DISTANCES, targets(0, 1, 2)).dtype == torch.float64


def test_a_tie_with_another_candidate_is_no_hit() -> None:
    flat = torch.full((3, 3), 0.7)
    assert retrieval_at_1(flat, targets(0, 1, 2)).tolist() == [0, 0, 0]


def test_columns_of_one_key_are_one_candidate() -> None:
    distances = torch.tensor([[0.2, 0.2, 0.9], [0.2, 0.2, 0.1]])
    assert retrieval_at_1(distances, targets(0, 0)).tolist() == [0, 0]
    assert retrieval_at_1(distances, targets(0, 1), ["a", "a", "b"]).tolist() == [1, 0]


def test_random_distances_hit_at_chance() -> None:
    distances = torch.rand(4000, 8, generator=torch.Generator().manual_seed(0))
    hits = retrieval_at_1(distances, torch.arange(4000) % 8)
    assert hits.mean().item() == pytest.approx(chance_level([str(k) for k in range(8)]), abs=0.025)
    assert chance_level(["a", "a", "b", "c", "c"]) == pytest.approx(1 / 3)


def test_a_batch_equals_single_calls_and_the_order_of_candidates_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(1)
    distances, wanted = torch.rand(50, 5, generator=generator), torch.arange(50) % 5
    batch = retrieval_at_1(distances, wanted)
    singles = [retrieval_at_1(distances[k : k + 1], wanted[k : k + 1]).item() for k in range(50)]
    assert batch.tolist() == singles
    turned = retrieval_at_1(distances.roll(2, dims=1), (wanted + 2) % 5)
    assert torch.equal(turned, batch)


@pytest.mark.parametrize(
    ("distances", "wanted"),
    [
        (DISTANCES[0], targets(0)),
        (DISTANCES.long(), targets(0, 1, 2)),
        (DISTANCES * torch.nan, targets(0, 1, 2)),
        (DISTANCES * torch.inf, targets(0, 1, 2)),
        (-DISTANCES, targets(0, 1, 2)),
        (DISTANCES, targets(0, 1)),
        (DISTANCES, targets(0, 1, 3)),
        (DISTANCES, targets(0, 1, -1)),
        (DISTANCES, targets(0, 1, 2).float()),
        (DISTANCES[:, :1], targets(0, 0, 0)),
        (DISTANCES[:0], torch.empty(0, dtype=torch.int64)),
    ],
)
def test_what_is_no_distance_table_is_refused(distances: torch.Tensor, wanted: torch.Tensor) -> None:
    with pytest.raises(InvalidTensor):
        retrieval_at_1(distances, wanted)


def test_keys_must_fit_and_differ() -> None:
    for keys in (["a", "b"], ["a", "a", "a"]):
        with pytest.raises(InvalidTensor):
            retrieval_at_1(DISTANCES, targets(0, 1, 2), keys)
    with pytest.raises(InvalidTensor):
        chance_level(["a", "a"])
