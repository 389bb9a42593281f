"""What the sandbox costs: `python -m tests.sandbox_cost --json` compares it with a plain process, in turns."""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from evaluation.generation.driver import Driver, Limits
from evaluation.generation.process import ProcessDriver
from evaluation.manifest import parse_manifest
from tests.attacks.generators import images, model, write_bundle
from workers.sandbox.bubblewrap import BubblewrapDriver

ROUNDS = 5
PAIRS = 60
SIDE = 256
LIMITS = Limits(memory_mb=1024, cpu_threads=1)

# Layers of 16 channels, each as the product of all 3 x 3 patches with a matrix, as networks do it.
LOAD = """
self.first = np.random.rand(27, 16).astype(np.float32) / 27
self.other = np.random.rand(144, 16).astype(np.float32) / 144
"""
CONVOLUTION = """
planes = content.astype(np.float32)
for layer in range(4):
    padded = np.pad(planes, ((1, 1), (1, 1), (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1)).reshape(256 * 256, -1)
    planes = (patches @ (self.other if layer else self.first)).reshape(256, 256, 16)
return np.clip(planes[..., :3], 0, 255).astype(np.uint8)
"""


def measure(rounds: int = ROUNDS, pairs: int = PAIRS) -> dict[str, object]:
    """Return medians over interleaved rounds, and what the sandbox adds to them.

    `start_ms` lasts from nothing to a generator that is ready, `pair_ms` is an echo of one 256 x 256 pair,
    `work_ms` a pair that computes; the ratio of the best rounds hides what busy neighbors add.
    """
    drivers: dict[str, Driver] = {"process": ProcessDriver(), "bubblewrap": BubblewrapDriver(slot=990)}
    found = {name: {"start_ms": [], "pair_ms": [], "work_ms": []} for name in drivers}
    with tempfile.TemporaryDirectory(prefix="sandbox-cost-") as folder:
        Path(folder).chmod(0o755)
        echo = write_bundle(Path(folder) / "echo", model())
        work = write_bundle(Path(folder) / "work", model(load=LOAD, pair=CONVOLUTION))
        for _ in range(rounds):
            for name, driver in drivers.items():
                start, pair = _time(driver, echo, pairs)
                found[name]["start_ms"].append(start)
                found[name]["pair_ms"].append(pair)
                found[name]["work_ms"].append(_time(driver, work, max(3, pairs // 10))[1])
    medians = {name: {kind: statistics.median(v) for kind, v in rows.items()} for name, rows in found.items()}
    bare, inside = medians["process"], medians["bubblewrap"]
    return {
        **{name: {kind: round(value, 3) for kind, value in rows.items()} for name, rows in medians.items()},
        "start_added_ms": round(inside["start_ms"] - bare["start_ms"], 1),
        "pairs_per_second": round(1000 / inside["pair_ms"]),
        "work_ratio": round(inside["work_ms"] / bare["work_ms"], 3),
        "work_ratio_best": round(min(found["bubblewrap"]["work_ms"]) / min(found["process"]["work_ms"]), 3),
    }


def _time(driver: Driver, bundle: Path, pairs: int) -> tuple[float, float]:
    """Return the milliseconds until a generator is ready, and the median of those for a pair."""
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    content, style = images(1, SIDE)[0]
    started = time.perf_counter()
    session = driver.start(bundle, manifest, LIMITS, lambda chunk: None)
    try:
        ready = time.perf_counter() - started
        seconds = []
        for _ in range(pairs):
            begun = time.perf_counter()
            session.predict(content, style)
            seconds.append(time.perf_counter() - begun)
        session.close()
    finally:
        session.abort()
    return 1000 * ready, 1000 * statistics.median(seconds)


if __name__ == "__main__":
    if sys.argv[1:] != ["--json"]:
        sys.exit("Usage: python -m tests.sandbox_cost --json")
    print(json.dumps(measure()))
