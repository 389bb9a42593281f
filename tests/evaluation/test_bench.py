"""The benchmark runs without weight files and says what it measured; its figures are no test."""

import json
import subprocess
import sys

import pytest

KEYS = {
    "n", "size", "threads", "device", "suite", "has_real_weights", "per_metric_s", "transport_s", "suite_s",
    "floor_s", "ratio_to_floor", "naive_s", "speedup_vs_naive", "jittered_s", "jittered_floor_s",
    "jittered_ratio_to_floor", "columns_s", "growth", "peak_mb",
}  # fmt: skip


@pytest.mark.slow
def test_it_measures_every_chain_in_one_run() -> None:
    options = ["--n", "1", "--size", "192", "--threads", "1", "--json"]
    command = [sys.executable, "-m", "evaluation", "bench", *options]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found.keys() == KEYS
    assert {"lpips", "content_loss", "ms_ssim", "gram", "mean_std", "(statistics)"} <= found[
        "per_metric_s"
    ].keys()
    assert found["ratio_to_floor"] == found["suite_s"] / found["floor_s"]
    assert found["speedup_vs_naive"] == found["naive_s"] / found["suite_s"]
    assert min(found["suite_s"], found["jittered_s"], found["floor_s"]) > 0
    assert found["peak_mb"] > 100
