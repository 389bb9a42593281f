"""Run one's own generator here as the platform does: the same runner, frames, limits and checks of outputs."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.archive import unpack_archive
from evaluation.errors import GenerationError
from evaluation.generation.driver import Limits
from evaluation.generation.generate import Generation, generate
from evaluation.generation.process import ProcessDriver
from evaluation.pairs import Pair
from pastiche.errors import CheckFailed
from pastiche.language import say
from pastiche.responses import Phase

ENFORCED = ("memory_mb", "load_seconds", "pair_seconds", "run_seconds")

Notice = Callable[[int, int], object]


@dataclass(frozen=True)
class Trial:
    """What a generator did with a few pairs; `is_repeatable` is None where it promises no such thing."""

    pairs: int
    load_seconds: float | None
    slowest_seconds: float
    peak_memory_mb: float | None
    is_repeatable: bool | None


def limits_of(phase: Phase | None) -> Limits:
    """Return what the runs of a phase may use."""
    known = phase.limits if phase else {}
    return Limits(**{name: known[name] for name in ENFORCED if known.get(name) is not None})  # type: ignore[arg-type]


def run_generator(
    archive: Path,
    pairs: Sequence[Pair],
    out: Path,
    *,
    limits: Limits,
    device: str = "cpu",
    notice: Notice = lambda done, total: None,
) -> Generation:
    """Write a picture for each pair to the folder; what the generator prints goes to stderr.

    Raises:
        CheckFailed: it failed as it would on the platform, with the same code.
    """
    with tempfile.TemporaryDirectory(prefix="pastiche-bundle-") as bundle:
        info = unpack_archive(archive, Path(bundle))
        try:
            return generate(
                Path(bundle),
                info.manifest,
                pairs,
                out,
                driver=ProcessDriver(device=device),
                limits=limits,
                log=_print_log,
                progress=lambda done, total: _ignore(notice(done, total)),
            )
        except GenerationError as error:
            raise CheckFailed(
                error.message,
                fix=say("Read what it printed above; the limits are those of the competition."),
                code=error.code,
            ) from error


def try_generator(archive: Path, pairs: Sequence[Pair], limits: Limits, *, repeat: bool) -> Trial:
    """Run a generator on a few pairs, and a fresh copy of it again where it is to make the same pictures twice.

    Raises:
        CheckFailed: as `run_generator`.
    """
    with tempfile.TemporaryDirectory(prefix="pastiche-check-") as name:
        first, second = Path(name) / "first", Path(name) / "second"
        done = run_generator(archive, pairs, first, limits=limits)
        if repeat:
            run_generator(archive, pairs, second, limits=limits)
        same = all((first / f"{p.id}.png").read_bytes() == _bytes(second / f"{p.id}.png") for p in pairs)
    slowest = max(pair.seconds for pair in done.pairs)
    return Trial(len(pairs), done.load_seconds, slowest, done.peak_memory_mb, same if repeat else None)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _print_log(chunk: bytes) -> None:
    sys.stderr.write(chunk.decode(errors="replace"))


def _ignore(result: object) -> None:
    """Drop what a notice returns."""
