"""Measure how the queue grows: `python -m tests.bench_queue --json` starts a PostgreSQL server for itself.

Prints the median time of a claim at each length of the queue, with runs that the worker can do and behind runs that
it cannot do, and how many queries a nudge costs that finds nothing.
"""

import argparse
import json
import os
import sys
import time
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

import tests.environment  # noqa: F401  # gives the settings a data folder of their own
from tests.servers import postgres_server

LENGTHS = (10, 100, 1_000, 10_000)


def main(arguments: list[str]) -> None:
    """Start the server, fill the queue step by step, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_queue", description=__doc__)
    parser.add_argument("--claims", type=int, default=100, help="claims at each length")
    parser.add_argument("--nudges", type=int, default=10_000, help="nudges that find nothing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with postgres_server() as address:
        os.environ |= {"PASTICHE_DATABASE_URL": address, "PASTICHE_SECRET_KEY": "for this measurement " * 3}
        django.setup()
        call_command("migrate", verbosity=0)
        found = measure(options.claims, options.nudges)
        connection.close()
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(n_claims: int, n_nudges: int) -> dict[str, Any]:
    """Measure nudges that find nothing, then claims."""
    from tests import crowds  # its models need Django to be set up

    found = _measure_nudges(crowds, n_nudges)
    phase = crowds.make_phase()
    for label, is_behind in (("claim_ms", False), ("claim_ms_behind_others", True)):
        times = {}
        for n in LENGTHS:
            crowds.fill(phase, 10 if is_behind else n, out_of_reach=n if is_behind else 0)
            times[n] = round(crowds.claim_ms(n_claims), 3)
        found |= {label: times, f"{label}_ratio": round(times[LENGTHS[-1]] / times[LENGTHS[0]], 2)}
    return found


def _measure_nudges(crowds: Any, n: int) -> dict[str, Any]:
    count = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*arguments)

    start = time.perf_counter()
    with connection.execute_wrapper(counted):
        for _ in range(n):
            crowds.queue.claim(worker="bench", ability=crowds.WORKER)
    seconds = time.perf_counter() - start
    return {"stale_nudges": n, "queries": count, "stale_nudge_ms": round(1000 * seconds / n, 3)}


if __name__ == "__main__":
    main(sys.argv[1:])
