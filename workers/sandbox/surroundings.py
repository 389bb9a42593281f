"""What all sandboxes have in common, and what a program may rightly find in one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evaluation.generation.driver import Driver, Limits
from evaluation.generation.session import Launched
from evaluation.manifest import Manifest
from workers.sandbox.arguments import Bind

FIRST_UID = 61001
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Surroundings:
    """What may be found inside beside our own: everything else that the canary finds is a hole.

    Attributes:
        variables: names of environment variables.
        hidden_paths: paths that must not exist inside; none where the root is an image of our own.
        has_own_kernel: system calls end in a kernel between the program and this machine's.
    """

    variables: frozenset[str] = frozenset()
    hidden_paths: tuple[str, ...] = ()
    has_own_kernel: bool = False


class SandboxDriver(Driver, Protocol):
    """A driver for strangers' generators, in whose sandbox a program of ours can run too."""

    surroundings: Surroundings
    gpu: int | None

    def launch(self, command: Sequence[str], binds: Sequence[Bind], limits: Limits) -> Launched:
        """Start Python with `command` in a sandbox that shows `binds`.

        Raises:
            GenerationError: INFRA.
        """
        ...


def device_for(manifest: Manifest, gpu: int | None) -> str:
    """Return the device that the runner hands on: inside, the one GPU that can be seen is the first."""
    return "cuda" if gpu is not None and manifest.device == "cuda" else "cpu"
