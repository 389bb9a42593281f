"""Clocks: medians over repeated calls, and several calls measured in turns."""

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch


def median_seconds(call: Callable[[int], object], n: int) -> float:
    """Call with 0 to n - 1 and return the median of the seconds."""
    return median_in_turns({"": call}, n)[""]


def median_in_turns(calls: Mapping[str, Callable[[int], object]], n: int) -> dict[str, float]:
    """Call each with 0, then each with 1 and so on: a machine that slows down slows all of them down."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(n):
        for name, call in calls.items():
            start = time.perf_counter()
            call(k)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(found) for name, found in seconds.items()}
