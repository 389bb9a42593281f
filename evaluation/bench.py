"""Measure the scorer on generated images: the whole suite, its parts, and the floor that a backbone sets."""

import fcntl
import json
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import click
import numpy as np
import torch
from PIL import Image

from evaluation.features import extract_features, image_tensor
from evaluation.generation.protocol import answer_size, decode_answer, encode_request, new_nonce
from evaluation.generation.runner import PAIR_HEADER
from evaluation.images import write_png
from evaluation.measures import MEASURES
from evaluation.metrics.colour import colour_histogram
from evaluation.metrics.perceptual import unit_normalize
from evaluation.metrics.style import style_statistics
from evaluation.pairs import PAIRS_FILE, read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import load_suite

SUITE = "sts-demo-1"
_CONTENTS, _STYLES = 3, 2
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True)
class BenchResult:
    """Seconds per image, medians over `n` images; `naive_s` waits for a naive implementation to compare with."""

    n: int
    size: int
    threads: int
    per_metric_s: dict[str, float]
    transport_s: float
    suite_s: float
    floor_s: float
    ratio_to_floor: float
    naive_s: float | None
    speedup_vs_naive: float | None
    peak_mb: float


def print_bench(*, n: int, size: int, threads: int, as_json: bool) -> None:
    """Measure and print, as a list or as one JSON object."""
    result = run_bench(n=n, size=size, threads=threads)
    if as_json:
        click.echo(json.dumps(asdict(result)))
        return
    click.echo(f"{n} images of {size} pixels, {threads} threads, suite {SUITE}; milliseconds per image")
    rows = {
        "whole suite": result.suite_s,
        "floor (backbone alone)": result.floor_s,
        "transport": result.transport_s,
        **result.per_metric_s,
    }
    for name, seconds in rows.items():
        click.echo(f"{name:24s}{seconds * 1e3:9.2f}")
    click.echo(f"{'ratio to floor':24s}{result.ratio_to_floor:9.2f}\n{'peak MB':24s}{result.peak_mb:9.0f}")


def run_bench(*, n: int, size: int, threads: int) -> BenchResult:
    """Score `n` generated images and time the parts; nothing is downloaded or kept."""
    torch.set_num_threads(threads)
    outputs = [_picture(seed, size) for seed in range(100, 100 + n)]
    with tempfile.TemporaryDirectory(prefix="pastiche-bench-") as folder:
        _write_dataset(Path(folder), size)
        suite = replace(load_suite(SUITE), size=size)
        scorer = Scorer(suite, read_pairs(Path(folder)), threads=threads)
        ids = [pair.id for pair in scorer.pairs]
        for pair_id in ids:
            scorer.score_pair(pair_id, outputs[0])
        tensors = [image_tensor(output) for output in outputs]
        floor = _median_seconds(lambda k: scorer.backbone.extract(tensors[k]), n)
        whole = _median_seconds(lambda k: scorer.score_pair(ids[k % len(ids)], outputs[k]), n)
        parts = _time_parts(scorer, outputs)
    return BenchResult(
        n=n,
        size=size,
        threads=threads,
        per_metric_s=parts,
        transport_s=_time_transport(outputs),
        suite_s=whole,
        floor_s=floor,
        ratio_to_floor=whole / floor,
        naive_s=None,
        speedup_vs_naive=None,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _median_seconds(call: Callable[[int], object], n: int) -> float:
    seconds = []
    for k in range(n):
        start = time.perf_counter()
        call(k)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def _time_parts(scorer: Scorer, outputs: list[np.ndarray]) -> dict[str, float]:
    """Time what the metrics share (in brackets), then each metric on top of that."""
    backbone, few = scorer.backbone, outputs[:8]
    taps = [backbone.extract(image_tensor(output)) for output in few]
    features = [extract_features(output, backbone) for output in few]
    content, style = extract_features(_picture(0, few[0].shape[0]), backbone), features[-1].style
    shared: dict[str, Callable[[int], object]] = {
        "(style statistics)": lambda k: [style_statistics(taps[k][tap]) for tap in backbone.taps],
        "(unit vectors)": lambda k: [unit_normalize(taps[k][tap]) for tap in backbone.taps],
        "(color histogram)": lambda k: colour_histogram(few[k]),
    }
    with torch.inference_mode():
        seconds = {name: _median_seconds(call, len(few)) for name, call in shared.items()}
        for name in scorer.metrics:
            apply = MEASURES[name].apply
            seconds[name] = _median_seconds(
                lambda k, apply=apply: apply(features[k], content, style),  # type: ignore[misc]
                len(few),
            )
    return seconds


def _time_transport(outputs: list[np.ndarray]) -> float:
    """Time one pair's frame to an echoing reader through pipes, and its answer back."""
    to_echo, to_us = os.pipe(), os.pipe()
    fcntl.fcntl(to_echo[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    fcntl.fcntl(to_us[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    with (
        os.fdopen(to_echo[0], "rb") as requests,
        os.fdopen(to_echo[1], "wb", buffering=0) as ask,
        os.fdopen(to_us[0], "rb") as answers,
        os.fdopen(to_us[1], "wb", buffering=0) as reply,
    ):
        size = outputs[0].shape[0]
        frame = PAIR_HEADER.size + 2 * outputs[0].nbytes

        def echo() -> None:
            for _ in outputs:
                _write_all(reply, requests.read(frame)[: answer_size(size, size)])

        thread = threading.Thread(target=echo)
        thread.start()

        def round_trip(k: int) -> np.ndarray:
            nonce = new_nonce()
            _write_all(ask, encode_request(k, nonce, outputs[k], outputs[k]))
            return decode_answer(answers.read(answer_size(size, size)), k, nonce, size, size)

        seconds = _median_seconds(round_trip, len(outputs))
        thread.join()
    return seconds


def _write_all(stream: object, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(stream.fileno(), view) :]  # type: ignore[attr-defined]


def _write_dataset(folder: Path, size: int) -> None:
    for k in range(_CONTENTS):
        write_png(_picture(k, size), folder / f"c{k}.png")
    for k in range(_STYLES):
        write_png(_picture(50 + k, size), folder / f"s{k}.png")
    rows = [
        {
            "id": f"p{c}{s}",
            "content": f"c{c}.png",
            "style": f"s{s}.png",
            "split": "public",
            "style_family": f"family {s}",
            "culture": f"culture {s}",
            "content_kind": "generated",
        }
        for c in range(_CONTENTS)
        for s in range(_STYLES)
    ]
    text = json.dumps({"schema": 1, "size": size, "pairs": rows})
    (folder / PAIRS_FILE).write_text(text, encoding="utf-8")


def _picture(seed: int, size: int) -> np.ndarray:
    """Draw seeded smooth noise of three scales with some grain: no flat areas, all colors."""
    generator = np.random.default_rng(seed)
    total = np.zeros((size, size, 3))
    for cells in (4, 16, 64):
        noise = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64)
    grain = generator.normal(0, 4, total.shape)
    return np.rint(np.clip(total / 3 + grain, 0, 255)).astype(np.uint8)
