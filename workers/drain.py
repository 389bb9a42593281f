"""The sign that a worker is to stop: set in the parent process, seen in the process that evaluates."""

import multiprocessing

# Made at import, before the pool forks, so that parent and child share it.
draining = multiprocessing.get_context("fork").Event()
