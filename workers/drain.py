"""Stopping: the sign that is set in the parent process and seen in the process that evaluates."""

import ctypes
import multiprocessing
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

# Made at import, before the pool forks, so that parent and child share it.
draining = multiprocessing.get_context("fork").Event()


def follow_parent() -> None:
    """Tie an evaluating process to its parent, and to nobody else.

    A supervisor's SIGTERM to the whole process group must reach the parent alone: it lets the run be handed
    back first. Should the parent be killed, this process goes too, and with it sandbox and scorer.
    """
    os.setpgid(0, 0)
    die_with_parent()


def die_with_parent() -> None:
    """Have the kernel end this process when its parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
