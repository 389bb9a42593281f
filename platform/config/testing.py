"""Run the whole test suite, and say in the last lines what was skipped and why."""

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

PROCESSES = 2
# Tests that start services or measure limits want the machine for themselves.
ALONE = "walk or sandbox"


def main() -> int:
    """Run the tests that share the machine, then the others; with arguments, hand them to pytest."""
    if sys.argv[1:]:
        return _pytest(*sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder) / name for name in ("shared.xml", "alone.xml")]
        status = _pytest(
            "-n", str(PROCESSES), "--dist", "loadfile", "-m", f"not ({ALONE})", f"--junitxml={reports[0]}"
        )
        status = _pytest("-m", ALONE, f"--junitxml={reports[1]}") or status
        _tell_skipped(reports)
    return status


def _pytest(*arguments: str) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", "-q", *arguments])


def _tell_skipped(reports: list[Path]) -> None:
    reasons: Counter[str] = Counter()
    for report in reports:
        if report.exists():
            for skipped in ElementTree.parse(report).iter("skipped"):
                reasons[skipped.get("message", "no reason given")] += 1
    if not reasons:
        print("Nothing was skipped.")
    for reason, count in sorted(reasons.items()):
        print(f"Skipped {count}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
