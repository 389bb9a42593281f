"""Costs of a generator: parameters, multiply-adds, latency, throughput and peak memory, on known cases."""

import time

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evaluation.backbones.patch_discriminator import build_discriminator
from evaluation.errors import InvalidTensor
from evaluation.metrics.efficiency import (
    count_macs,
    count_parameters,
    measure_latency,
    measure_peak_memory,
    measure_throughput,
)


class _Two(nn.Module):
    """One convolution used twice, and a linear layer that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.again = self.first
        self.last = nn.Linear(8, 2, bias=True).requires_grad_(False)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        return self.last(self.again(self.first(content)) + style)


def test_parameters_are_counted_once_and_frozen_ones_too() -> None:
    assert count_parameters(_Two()) == 3 * 3 * 9 + 8 * 2 + 2
    assert count_parameters(nn.BatchNorm2d(5)) == 10  # running statistics are no parameters


def test_macs_of_two_inputs_by_hand() -> None:
    image = torch.rand(1, 3, 8, 8)
    assert count_macs(_Two(), image, image) == 2 * (3 * 3 * 9 * 64) + 3 * 8 * 8 * 2


def test_macs_grow_with_the_batch_and_the_size() -> None:
    network = nn.Conv2d(3, 4, 3, padding=1)
    one = count_macs(network, torch.rand(1, 3, 8, 8))
    assert count_macs(network, torch.rand(3, 3, 8, 8)) == 3 * one
    assert count_macs(network, torch.rand(1, 3, 16, 16)) == 4 * one


def test_the_patch_discriminator_costs_what_is_published() -> None:
    network = build_discriminator(64, seed=0)
    assert count_parameters(network) == 2_764_737
    with torch.device("meta"):
        image = torch.rand(1, 3, 256, 256)
    assert count_macs(network.to("meta"), image) == pytest.approx(3.2e9, rel=0.05)


def test_counting_leaves_the_mode_alone_and_refuses_a_pass_without_products() -> None:
    network = _Two().eval()
    count_macs(network, torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))
    assert not network.training
    with pytest.raises(InvalidTensor):
        count_macs(nn.ReLU(), torch.rand(3))


def test_latency_is_the_median_after_the_warm_up() -> None:
    calls = 0

    def call() -> None:
        nonlocal calls
        calls += 1
        time.sleep(0.5 if calls in (1, 2, 5) else 0.01)

    seconds = measure_latency(call, warmup=2, runs=7)
    assert calls == 9
    assert 0.01 <= seconds < 0.5  # neither the slow warm-up nor the one slow run


def test_throughput_finds_the_best_batch() -> None:
    found = measure_throughput(
        lambda batch: time.sleep(0.05 if batch < 8 else 1.0), batches=(1, 4, 8), warmup=0, runs=1
    )
    assert found.batch == 4
    assert 0 < found.images_per_second <= 80


def test_a_batch_that_does_not_fit_ends_the_search() -> None:
    def call(batch: int) -> None:
        if batch > 2:
            raise torch.OutOfMemoryError
        time.sleep(0.01)

    assert measure_throughput(call, batches=(1, 2, 4), warmup=0, runs=1).batch == 2
    with pytest.raises(torch.OutOfMemoryError):
        measure_throughput(call, batches=(4,), warmup=0, runs=1)


def test_peak_memory_of_a_known_allocation() -> None:
    large = measure_peak_memory(lambda: np.ones(10_000_000))
    assert 70_000_000 < large < 100_000_000  # some of it may come from memory that was freed before
    assert measure_peak_memory(lambda: None) < 8_000_000


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"runs": 0}, {"warmup": -1}):
        with pytest.raises(InvalidTensor):
            measure_latency(lambda: None, **wrong)
    for batches in ((), (0, 1)):
        with pytest.raises(InvalidTensor):
            measure_throughput(lambda batch: None, batches=batches)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_costs_on_a_cuda_device() -> None:
    image = torch.rand(1, 3, 256, 256, device="cuda")
    network = build_discriminator(16, seed=0).cuda()
    assert measure_latency(lambda: network(image), warmup=2, runs=3, device="cuda") > 0
    assert measure_peak_memory(lambda: torch.empty(50_000_000, device="cuda"), device="cuda") >= 200_000_000
