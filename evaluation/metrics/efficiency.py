"""What a generator costs: parameters, multiply-adds, time and memory. Never multiplied into a quality score."""

import gc
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import psutil
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from evaluation.errors import InvalidTensor

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")  # writing 5 lowers the high-water mark to what is used now


@dataclass(frozen=True)
class Throughput:
    """Images per second at the batch size that gives most, and that size."""

    images_per_second: float
    batch: int


def count_parameters(module: nn.Module) -> int:
    """Count the parameters of a module; shared ones count once, frozen ones count, buffers do not.

    Returns:
        Number of parameters, lower is better.
    """
    return sum(parameter.numel() for parameter in module.parameters())


def count_macs(module: nn.Module, *example: Tensor) -> int:
    """Count the multiply-adds of one forward pass, in the module's present mode.

    Args:
        module: on the device of the example.
        example: the inputs, e.g. content and style (1, 3, 256, 256); the count holds for this size only.

    Returns:
        Multiply-adds (half the floating point operations), lower is better.

    Raises:
        InvalidTensor: the pass holds no operation that is counted.

    Source: torch.utils.flop_counter, which counts convolutions, matrix products and attention; additions,
    activations, normalizations and resampling count as nothing, as in published tables.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*example)
    if counter.get_total_flops() == 0:
        raise InvalidTensor("multiply-adds: the pass holds no convolution, matrix product or attention.")
    return int(counter.get_total_flops()) // 2


def measure_latency(
    call: Callable[[], object], *, warmup: int = 10, runs: int = 30, device: str = "cpu"
) -> float:
    """Measure the median time of a call, waiting for the device each time.

    Comparable only on one machine, with batch 1, a fixed number of threads, channels-last memory and a
    process of its own; that is up to the caller.

    Args:
        call: what is timed.
        warmup: calls before the first timed one.
        runs: timed calls.
        device: "cpu", or a CUDA device that is synchronized before each reading of the clock.

    Returns:
        Seconds, lower is better.

    Raises:
        InvalidTensor: no timed run.
    """
    if runs < 1 or warmup < 0:
        raise InvalidTensor(f"latency: expected runs > 0 and warmup from 0, found {runs} and {warmup}.")
    for _ in range(warmup):
        call()
    seconds = []
    for _ in range(runs):
        _synchronize(device)
        start = time.perf_counter()
        call()
        _synchronize(device)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def measure_throughput(
    call: Callable[[int], object],
    *,
    batches: Sequence[int] = (1, 2, 4, 8, 16),
    warmup: int = 2,
    runs: int = 5,
    device: str = "cpu",
) -> Throughput:
    """Measure images per second at the batch size that gives most; sizes that do not fit end the search.

    Args:
        call: makes as many images as it is told.
        batches: sizes to try, rising.
        warmup: calls before the first timed one, for each size.
        runs: timed calls for each size.
        device: "cpu", or a CUDA device.

    Returns:
        Images per second (higher is better) and the batch size.

    Raises:
        InvalidTensor: no sizes, or one below 1.
        torch.OutOfMemoryError: even the first size does not fit.
    """
    if not batches or min(batches) < 1:
        raise InvalidTensor(f"throughput: expected batch sizes from 1, found {list(batches)}.")
    best = Throughput(0.0, 0)
    for batch in batches:
        try:
            seconds = measure_latency(partial(call, batch), warmup=warmup, runs=runs, device=device)
        except torch.OutOfMemoryError:
            if best.batch == 0:
                raise
            break
        best = max(best, Throughput(batch / seconds, batch), key=lambda found: found.images_per_second)
    return best


def measure_peak_memory(call: Callable[[], object], *, device: str = "cpu") -> int:
    """Measure the memory that a call needs at its peak.

    On CUDA all that is allocated by then, weights included. On the CPU what the process grows by, so build
    the generator inside `call` if its weights are to count; in a process of its own, because memory that
    was freed before may be used again and is then not seen.

    Args:
        call: what is measured, once.
        device: "cpu", or a CUDA device.

    Returns:
        Bytes, lower is better.

    Source: torch.cuda.max_memory_allocated after a reset; or the high-water mark of the resident set, less
    the resident set before. Where the mark cannot be lowered (it needs Linux and a writable /proc) a call below
    an earlier peak gives that peak, so there the process must be fresh.
    """
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        call()
        torch.cuda.synchronize(device)
        return int(torch.cuda.max_memory_allocated(device))
    gc.collect()
    with suppress(OSError):
        _RESET.write_text("5")
    baseline = int(psutil.Process().memory_info().rss)
    call()
    return max(0, _peak_resident() - baseline)


def _peak_resident() -> int:
    if _STATUS.exists():  # getrusage would also count what the process was before it became this program
        (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _synchronize(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
