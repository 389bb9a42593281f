"""Measure how the platform scales and what it costs: `python -m tests.scaleout --json`, some minutes.

What is counted:

* throughput: runs whose generator only sleeps, so that workers do not compete for processors; all submitted at
  once to warm workers, timed until the last one is scored. The ratio is that of one worker's time to that of N
  workers with N times the runs: 1 is linear.
* shards: one run, from submission to score, by one worker alone and by four together, each with its share of
  the pairs; without a replay, which one worker does alone. The ratio is that of the times, divided by four.
* overhead: from before the submission to the moment at which the score can be read, less the seconds that the
  generator took for its pairs (as stored with the outputs; those of the replay are taken to be as long) and the
  processor seconds of the scorer. Both sandboxes and loading the generator in them count as overhead. The
  generator of the short runs does not sleep, so nothing is hidden behind it.
* overhead_share: of a run of 48 pairs at one second each, everything but the generator's seconds, metrics too,
  as a share of generator and metrics together: metrics that it has to be waited for count against us.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos.stage import Report, play

ACT = "tests.scaleout.act"
LINEAR = 0.9
OVERHEAD_SECONDS = 3.0
OVERHEAD_SHARE = 0.1
WHOLE = {"PASTICHE_SHARD_PAIRS": "100"}
ALONE = {"PASTICHE_SHARD_PAIRS": "100", "PASTICHE_REPLAY_PAIRS": "0"}
TOGETHER = {"PASTICHE_SHARD_PAIRS": "10", "PASTICHE_REPLAY_PAIRS": "0"}
THROUGHPUT = {"rounds": 3, "pairs": 8, "pause": 4.0}
SHARES = {"pairs": 40, "pause": 4.0}
OVERHEAD = {"runs": 40, "long_runs": 3, "pause": 1.0}

Spent = Mapping[str, float]


def main() -> int:
    """Measure, print the figures, and return 0 where they are as good as they must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.scaleout", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pastiche-scaleout-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        figures = _throughput(folder) | _shards(folder) | _overhead(folder)
    print(json.dumps(figures) if options.json else "\n".join(f"{k:28} {v}" for k, v in figures.items()))
    return 0 if is_good(figures) else 1


def is_good(figures: Mapping[str, float]) -> bool:
    """Say whether the figures are as good as they must be."""
    ratios = [value for name, value in figures.items() if name.endswith("_of_linear")]
    return (
        min(ratios) >= LINEAR
        and figures["overhead_p95_seconds"] <= OVERHEAD_SECONDS
        and figures["overhead_share_of_48_pairs"] <= OVERHEAD_SHARE
    )


def overhead_seconds(spent: Spent) -> float:
    """Return what neither the generator nor the metrics needed."""
    return spent["seconds"] - spent["generator"] - spent["scorer"]


def overhead_share(spent: Spent) -> float:
    """Return everything but the generator's seconds as a share of generator and metrics."""
    return (spent["seconds"] - spent["generator"]) / (spent["generator"] + spent["scorer"])


def percentile_95(values: Sequence[float]) -> float:
    """Return the value that 95 % of the values do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _throughput(folder: Path) -> dict[str, float]:
    seconds = {
        workers: _play(
            folder / f"throughput-{workers}", "throughput", THROUGHPUT | {"workers": workers}, WHOLE
        )
        for workers in (1, 2, 4)
    }
    figures = {f"throughput_{n}_seconds": round(report["seconds"], 2) for n, report in seconds.items()}
    return figures | {
        f"throughput_{n}_of_linear": round(seconds[1]["seconds"] / seconds[n]["seconds"], 3) for n in (2, 4)
    }


def _shards(folder: Path) -> dict[str, float]:
    alone = _play(folder / "shards-1", "shards", SHARES | {"workers": 1}, ALONE)
    together = _play(folder / "shards-4", "shards", SHARES | {"workers": 4}, TOGETHER)
    return {
        "shards_1_seconds": round(alone["seconds"], 2),
        "shards_4_seconds": round(together["seconds"], 2),
        "shards_4_workers": together["workers"],
        "shards_4_of_linear": round(alone["seconds"] / together["seconds"] / 4, 3),
    }


def _overhead(folder: Path) -> dict[str, float]:
    report = _play(folder / "overhead", "overhead", OVERHEAD, WHOLE)
    overheads = [overhead_seconds(spent) for spent in report["short"]]
    return {
        "overhead_runs": len(overheads),
        "overhead_median_seconds": round(statistics.median(overheads), 2),
        "overhead_p95_seconds": round(percentile_95(overheads), 2),
        "overhead_scorer_seconds": round(statistics.median(spent["scorer"] for spent in report["short"]), 2),
        "overhead_share_of_48_pairs": round(
            statistics.median(overhead_share(spent) for spent in report["long"]), 3
        ),
    }


def _play(folder: Path, what: str, options: Mapping[str, object], changes: Mapping[str, str]) -> Report:
    return play(folder, ACT, {"what": what, **options}, changes)


if __name__ == "__main__":
    sys.exit(main())
