"""A container that has been started: compared with what was asked, paused between pairs, and removed."""

import contextlib
import logging
import os
import subprocess
import threading
from collections.abc import Callable
from typing import TypeVar

from evaluation.errors import GenerationError
from workers.sandbox.container import Container, find_differences
from workers.sandbox.engine import Engine, EngineError, look
from workers.sandbox.verify import find_problems

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

KILLED = 137  # under runc nobody inside can kill the first process: this was the kernel, for memory
OUTSIDE_NAMESPACES = ("mnt", "pid", "net", "ipc", "uts")


class LaunchedContainer:
    """The engine's client and the container behind it; implements `evaluation.generation.session.Launched`."""

    is_shielded = True

    def __init__(self, process: subprocess.Popen[bytes], engine: Engine, asked: Container) -> None:
        """Take over a started client, with pipes, of a container that the engine may still be making."""
        self.process = process
        self._engine = engine
        self._asked = asked
        self._lock = threading.Lock()
        self._is_killed = threading.Event()
        self._is_frozen = False
        self._is_ended = False
        self._is_out_of_memory = False

    def confine(self) -> None:
        """Compare the container with what was asked for, and look at its first process from outside.

        Raises:
            GenerationError: INFRA, when anything differs or cannot be seen.
        """
        found = self._ask(self._engine.container)
        problems = find_differences(self._asked, found)
        if self._asked.runtime == "runc":  # gVisor's processes are no processes of this kernel
            problems += self._problems_outside(found)
        if problems:
            raise GenerationError("INFRA", f"The sandbox does not hold: {'; '.join(problems)}.")

    def freeze(self) -> None:
        """Pause the container between two pairs.

        Raises:
            GenerationError: INFRA, when the engine does not.
        """
        self._ask(self._engine.pause)
        self._is_frozen = True

    def thaw(self) -> None:
        """Let the container run, where it is paused.

        Raises:
            GenerationError: INFRA, when the engine does not.
        """
        if self._is_frozen:
            self._ask(self._engine.unpause)
            self._is_frozen = False

    def is_out_of_memory(self) -> bool:
        """Say whether the kernel ended one of its processes for memory.

        Raises:
            GenerationError: INFRA, when the engine does not say.
        """
        if not self._is_ended and not self._is_killed.is_set():
            is_told = look(self._ask(self._engine.container), "State.OOMKilled") is True
            self._is_out_of_memory = is_told or self.process.poll() == KILLED
        return self._is_out_of_memory

    def peak_memory_mb(self) -> float | None:
        """Return None: the engine does not tell."""
        return None

    def kill(self) -> None:
        """Kill everything inside; does nothing after `end`."""
        with self._lock:
            if self._is_ended:
                return
            self._is_killed.set()
            self.process.kill()  # first: it could still be starting the container
            self._kill()

    def end(self) -> None:
        """Kill everything inside and remove the container; what an absent engine keeps, the next start sweeps."""
        with self._lock:
            if self._is_ended:
                return
            self._is_ended = True
            self.process.kill()
            self.process.wait()
            self._kill()
            try:
                self._engine.remove(self._asked.name)
            except EngineError as error:
                logger.error("container %s: %s", self._asked.name, error)

    def _problems_outside(self, found: object) -> list[str]:
        """Look at the first process in our own /proc; only root may see another user's namespaces."""
        pid, identity = look(found, "State.Pid"), look(found, "Id")
        try:
            if not isinstance(pid, int) or not isinstance(identity, str):
                raise ValueError("no process")
            namespaces = OUTSIDE_NAMESPACES if os.geteuid() == 0 else ()
            return find_problems(pid, [identity], namespaces)
        except (OSError, KeyError, ValueError) as error:
            raise GenerationError("INFRA", "The sandbox cannot be verified from outside.") from error

    def _ask(self, question: Callable[[str], Answer]) -> Answer:
        try:
            return question(self._asked.name)
        except EngineError as error:
            raise GenerationError("INFRA", str(error)) from error

    def _kill(self) -> None:
        """Have the engine kill it: thawed, since gVisor takes ten seconds otherwise; `end` sees what is left."""
        orders = (self._engine.unpause, self._engine.kill) if self._is_frozen else (self._engine.kill,)
        for order in orders:
            with contextlib.suppress(EngineError):
                order(self._asked.name)
