"""How well backbones agree: rank correlations within pairs and of means, the core methods, headlines."""

import numpy as np
import pytest

from evaluation.errors import InvalidTensor
from evaluation.training.tiny_vgg.agreement import (
    Distances,
    compare,
    headlines,
    mean_agreement,
    pair_agreement,
)


def random_distances(seed: int, pairs: int = 12, methods: int = 7) -> Distances:
    generator = np.random.default_rng(seed)
    tables = [generator.uniform(0.1, 1.0, (pairs, methods)) for _ in range(3)]
    anchors = [generator.uniform(1.0, 1.5, pairs) for _ in range(3)]
    return Distances(*tables, *anchors)


METHODS = ["identity", "style_copy", "style_shuffle", "a", "b", "c", "gatys_50"]


def test_a_backbone_agrees_with_itself_and_not_with_chance() -> None:
    found = compare(random_distances(0), random_distances(0), METHODS)
    assert all(value == 1 for group in found.values() for value in group.values())
    chance = compare(random_distances(0), random_distances(1), METHODS)
    assert all(abs(chance["all"][f"{name}_pair"]) < 0.5 for name in ("content", "gram", "mean_std"))


def test_the_core_leaves_out_the_trivial_methods() -> None:
    reference, student = random_distances(0), random_distances(0)
    student.content[:, :3] = student.content[:, 2::-1]
    found = compare(reference, student, METHODS)
    assert found["core"]["content_pair"] == 1 > found["all"]["content_pair"]


def test_independent_methods_leave_out_what_optimized_the_reference() -> None:
    reference, student = random_distances(0), random_distances(0)
    student.content[:, -1] = 2
    found = compare(reference, student, METHODS)
    assert found["independent"]["content_pair"] == 1 > found["core"]["content_pair"]


def test_pair_and_mean_agreement_are_different_questions() -> None:
    reference = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 60.0]])
    assert pair_agreement(reference, -reference) == -1
    student = np.array([[30.0, 20.0, 10.0], [100.0, 200.0, 600.0]])
    assert pair_agreement(reference, student) == 0
    assert mean_agreement(reference, student) == 1


def test_headlines_reward_neither_copy() -> None:
    distances = random_distances(0)
    distances.content[:, 0] = 0
    distances.gram[:, 0], distances.mean_std[:, 0] = distances.gram_anchor, distances.mean_std_anchor
    distances.content[:, 1], distances.gram[:, 1], distances.mean_std[:, 1] = 2, 0, 0
    found = headlines(distances)
    assert (found[:, :2] == 0).all()
    assert (found[:, 2:] > 0).any()
    assert found.max() <= 1


def test_what_has_no_order_is_refused() -> None:
    flat = np.ones((2, 3))
    for ours, theirs in ((flat, flat), (flat, np.ones((2, 4))), (np.ones((3, 1)), np.ones((3, 1)))):
        with pytest.raises(InvalidTensor):
            pair_agreement(ours, theirs)
