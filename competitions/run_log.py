"""Which run a piece of work belongs to, so that every log line of it can say so."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_run: ContextVar[str] = ContextVar("run", default="")


@contextmanager
def log_run(run_id: UUID | str) -> Iterator[None]:
    """Have every log line of this thread name the run until the block ends; a thread of its own says so again."""
    before = _run.set(str(run_id))
    try:
        yield
    finally:
        _run.reset(before)


class RunFilter(logging.Filter):
    """Write the run of the thread that logs onto each record, where there is one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass."""
        if run := _run.get():
            record.__dict__["run"] = run
        return True
