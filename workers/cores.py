"""How many processor cores this process may use."""

import os


def usable_cores() -> int:
    """Count the cores that are assigned to this process, or all of them where the system cannot tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
