"""Run the whole test suite, and say in the last lines what was skipped and why."""

import subprocess
import sys

WORKERS = "2"


def main() -> int:
    """Run the tests that can share the machine side by side, then those that need it for themselves."""
    arguments = sys.argv[1:]
    pytest = [sys.executable, "-m", "pytest"]
    if arguments:
        return subprocess.call([*pytest, *arguments])
    crowd = subprocess.call(
        [*pytest, "-q", "-n", WORKERS, "--dist", "loadfile", "-m", "not walk and not sandbox"]
    )
    alone = subprocess.call([*pytest, "-q", "-m", "walk or sandbox"])
    return crowd or alone


if __name__ == "__main__":
    sys.exit(main())
