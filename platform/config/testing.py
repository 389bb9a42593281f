"""Run the whole test suite, and say in the last lines what was skipped and why."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from tests.browser.chromium import what_is_missing
from tests.servers import postgres_programs, postgres_server

PROCESSES = "2"
# Tests that start services or measure limits want the machine for themselves.
ALONE = "walk or sandbox"
# Tests that take minutes each, and have a short version that always runs.
LEFT_OUT = "long"
# Rooms whose tests hold where no web framework is installed.
WITHOUT_WEB = ("tests/evaluation", "tests/baselines")
# Pages in a real browser, whose event loop would keep other tests of the same session from the database.
BROWSER = "tests/browser"
# Parts that are asked for by name: `./run test fuzz`.
PARTS = {"fuzz": ("tests/fuzz", "-m", LEFT_OUT), "browser": (BROWSER,)}
# Rooms whose tests hold on PostgreSQL too.
ON_POSTGRES = ("tests/accounts", "tests/competitions")


def main() -> int:
    """Run the library's tests without any web framework, the other tests that share the machine, those that
    want it for themselves, the domain's on PostgreSQL, and pages in a browser.

    With the name of a part, run that one; hand other arguments to pytest.
    """
    if sys.argv[1:]:
        return _pytest(*PARTS.get(sys.argv[1], sys.argv[1:2]), *sys.argv[2:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shared = ("-n", PROCESSES, "--dist", "loadfile", "-m", f"not ({ALONE} or {LEFT_OUT})")
        no_web = ("-p", "no:django", "-p", "no:pytest_redis", "-p", "tests.no_web")
        others = [f"--ignore={room}" for room in (*WITHOUT_WEB, BROWSER)]
        alone = (f"--ignore={BROWSER}", "-m", f"({ALONE}) and not {LEFT_OUT}")
        statuses = [
            _pytest(*WITHOUT_WEB, *no_web, *shared, f"--junitxml={folder / 'library.xml'}"),
            _pytest(*others, *shared, f"--junitxml={folder / 'shared.xml'}"),
            _pytest(*alone, f"--junitxml={folder / 'alone.xml'}"),
            _on_postgres(f"--junitxml={folder / 'postgres.xml'}"),
            0 if what_is_missing() else _pytest(BROWSER, f"--junitxml={folder / 'browser.xml'}"),
        ]
        _tell_skipped(folder)
    return max(statuses)


def _on_postgres(report: str) -> int:
    if postgres_programs() is None:
        return 0
    with postgres_server() as address:
        key = "only for tests, but long enough to be taken for a key"
        # the whole server is thrown away: dropping its databases would only wait for the last connection to close
        arguments = ("--reuse-db", "-n", PROCESSES, "--dist", "loadfile", "-m", f"not {LEFT_OUT}", report)
        return _pytest(*ON_POSTGRES, *arguments, PASTICHE_DATABASE_URL=address, PASTICHE_SECRET_KEY=key)


def _pytest(*arguments: str, **variables: str) -> int:
    environment: Mapping[str, str] = os.environ | variables
    return subprocess.call([sys.executable, "-m", "pytest", "-q", *arguments], env=environment)


def _tell_skipped(folder: Path) -> None:
    reasons: Counter[str] = Counter()
    for report in sorted(folder.glob("*.xml")):
        for skipped in ElementTree.parse(report).iter("skipped"):
            reasons[f"{skipped.get('message', 'no reason given')} ({report.stem} tests)"] += 1
    if postgres_programs() is None:
        reasons["PostgreSQL's server programs are not installed (all tests on PostgreSQL)"] += 1
    if missing := what_is_missing():
        reasons[f"{missing} (all pages in a browser)"] += 1
    if not reasons:
        print("Nothing was skipped.")
    for reason, count in sorted(reasons.items()):
        print(f"Skipped {count}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
