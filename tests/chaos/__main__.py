"""Disturb a contest, hold the same contest undisturbed, and compare: `python -m tests.chaos --runs 60 --faults 20`."""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos.comparison import differences
from tests.chaos.stage import Report, play

ACT = "tests.chaos.act"
WORKERS = 4
CALM_WORKERS = 2
# Small shards, so that workers help each other; a second look at one pair, so that a replay can be hit too.
DISTURBED = {"PASTICHE_SHARD_PAIRS": "3", "PASTICHE_REPLAY_PAIRS": "1"}
# Whole runs, one after the other: the shortest way to the same numbers.
UNDISTURBED = {"PASTICHE_SHARD_PAIRS": "100", "PASTICHE_REPLAY_PAIRS": "0"}


def main() -> int:
    """Hold both contests, tell what is wrong, and print the figures; 0 where nothing is."""
    options = _options()
    if options.keep:
        options.keep.mkdir(mode=0o711)  # the users that sandboxes run as have to pass through
        return _compare(options, options.keep.resolve())
    with tempfile.TemporaryDirectory(prefix="pastiche-chaos-") as name:
        Path(name).chmod(0o711)
        return _compare(options, Path(name))


def figures(disturbed: Report, sentences: Sequence[str], *, runs: int) -> dict[str, object]:
    """Return what the last line says: counts of what was found, and what was done to find it."""
    found = {name: len(lines) for name, lines in disturbed["findings"].items()}
    return {
        "runs": runs,
        "faults": len(disturbed["caused"]),
        **found,
        "board_equal": not sentences,
        "seconds": disturbed["seconds"],
        "recovered_in_seconds": disturbed["recovered_in_seconds"],
        "clock_hours": disturbed["clock_hours"],
        "faults_by_kind": dict(sorted(Counter(fault["kind"] for fault in disturbed["caused"]).items())),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="how many entries are submitted")
    parser.add_argument("--faults", type=int, default=20, help="how many faults are caused meanwhile")
    parser.add_argument("--seed", type=int, default=1, help="of entries and faults")
    parser.add_argument(
        "--json", action="store_true", help="print the figures as one line of JSON, the last one"
    )
    parser.add_argument("--keep", type=Path, help="a new folder in which everything is left, logs included")
    return parser.parse_args()


def _compare(options: argparse.Namespace, folder: Path) -> int:
    drawn = {"runs": options.runs, "seed": options.seed}
    harsh = drawn | {"faults": options.faults, "workers": WORKERS}
    disturbed = play(folder / "disturbed", ACT, harsh, DISTURBED)
    calm = play(folder / "undisturbed", ACT, drawn | {"faults": 0, "workers": CALM_WORKERS}, UNDISTURBED)
    sentences = list(differences(disturbed["outcome"], calm["outcome"]))
    for title, lines in [*disturbed["findings"].items(), ("board", sentences)]:
        for line in lines:
            print(f"{title}: {line}", flush=True)
    for title, lines in calm["findings"].items():
        for line in lines:
            print(f"without any fault: {title}: {line}", flush=True)
    shown = figures(disturbed, sentences, runs=options.runs)
    print(json.dumps(shown) if options.json else _table(shown), flush=True)
    is_fine = not sentences and not any(any(report["findings"].values()) for report in (disturbed, calm))
    return 0 if is_fine else 1


def _table(shown: Mapping[str, object]) -> str:
    return "\n".join(f"{name:24} {value}" for name, value in shown.items())


if __name__ == "__main__":
    sys.exit(main())
