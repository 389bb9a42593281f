"""The command `bench`: our suite against the floor that its networks set, and against the usual way to score."""

import json
import resource
import tempfile
from dataclasses import asdict, dataclass
from dataclasses import replace as replaced
from pathlib import Path

import click
import numpy as np
import torch

from evaluation.bench.chains import Chains
from evaluation.bench.data import draw_picture, write_bench_dataset
from evaluation.bench.transport import time_transport
from evaluation.spec import load_suite

SUITE = "sts-1"
GROWTH = 8  # how many times more outputs the second measurement of growth has


@dataclass(frozen=True)
class BenchResult:
    """Seconds per image, medians over `n` images, all measured in turns in one process.

    `suite_s` is the ranked suite with the features of its set-level metric, without jitter; `floor_s` one
    pass of each of its networks over the output alone; `naive_s` every metric by its usual tool on its own.
    `jittered_s` is the official score over four jitters, beside its own floor; `columns_s` has every column.
    `growth` is the time for 8 n outputs over 8 times the time for n, if it was asked for.
    """

    n: int
    size: int
    threads: int
    device: str
    suite: str
    has_real_weights: bool
    per_metric_s: dict[str, float]
    transport_s: float
    suite_s: float
    floor_s: float
    ratio_to_floor: float
    naive_s: float
    speedup_vs_naive: float
    jittered_s: float
    jittered_floor_s: float
    jittered_ratio_to_floor: float
    columns_s: float
    growth: float | None
    peak_mb: float


@dataclass(frozen=True)
class BenchPlan:
    """What to measure: how many images of which size, on what."""

    n: int
    size: int
    threads: int
    device: str = "cpu"
    weights_dir: Path | None = None
    has_growth: bool = False


def print_bench(plan: BenchPlan, *, as_json: bool) -> None:
    """Measure and print, as a list or as one JSON object."""
    result = run_bench(plan)
    if as_json:
        click.echo(json.dumps(asdict(result)))
        return
    kind = "published" if result.has_real_weights else "random"
    click.echo(
        f"{plan.n} images, {plan.size} pixels, {plan.threads} threads, {plan.device}, {SUITE}, {kind} weights"
    )
    for name, value in asdict(result).items():
        if isinstance(value, dict):
            for part, seconds in value.items():
                click.echo(f"  {part:34s}{seconds * 1e3:9.2f} ms")
        elif isinstance(value, float):
            is_time = name.endswith("_s")
            click.echo(
                f"{name.removesuffix('_s'):36s}{value * 1e3 if is_time else value:9.2f}{' ms' * is_time}"
            )


def run_bench(plan: BenchPlan) -> BenchResult:
    """Score `n` generated images and time the parts; nothing is downloaded or kept."""
    torch.set_num_threads(plan.threads)
    outputs = [draw_picture(seed, plan.size) for seed in range(100, 100 + plan.n)]
    with tempfile.TemporaryDirectory(prefix="pastiche-bench-") as folder:
        write_bench_dataset(Path(folder), plan.size)
        suite = replaced(load_suite(SUITE), size=plan.size)
        chains = Chains(suite, Path(folder), plan.device, plan.weights_dir)
        seconds = chains.time(outputs)
        parts = chains.time_parts(outputs[:8])
        growth = _growth(chains, outputs) if plan.has_growth else None
    return BenchResult(
        n=plan.n,
        size=plan.size,
        threads=plan.threads,
        device=plan.device,
        suite=SUITE,
        has_real_weights=chains.has_real_weights,
        per_metric_s=parts,
        transport_s=time_transport(outputs),
        suite_s=seconds["suite"],
        floor_s=seconds["floor"],
        ratio_to_floor=seconds["suite"] / seconds["floor"],
        naive_s=seconds["naive"],
        speedup_vs_naive=seconds["naive"] / seconds["suite"],
        jittered_s=seconds["jittered"],
        jittered_floor_s=seconds["jittered_floor"],
        jittered_ratio_to_floor=seconds["jittered"] / seconds["jittered_floor"],
        columns_s=seconds["columns"],
        growth=growth,
        peak_mb=_peak_mb(plan.device),
    )


def _growth(chains: Chains, outputs: list[np.ndarray]) -> float:
    """Compare many outputs with few, measured before and after them, so that a drift of the machine cancels."""
    before = chains.time_growth(outputs)
    many = chains.time_growth(outputs * GROWTH)
    after = chains.time_growth(outputs)
    return many / (GROWTH * (before + after) / 2)


def _peak_mb(device: str) -> float:
    if device == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return torch.cuda.max_memory_allocated() / 2**20
