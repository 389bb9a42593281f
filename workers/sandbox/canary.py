"""Try the sandbox out: run a hostile program through the very driver, and trust nothing that it leaves open."""

import json
import logging
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import GenerationError
from evaluation.generation.driver import Limits
from evaluation.generation.pipe import EndOfPipe, read_exactly
from evaluation.generation.process import runner_environment
from evaluation.generation.session import Launched
from evaluation.obstacles import unavailable
from workers.sandbox import gpu_probe, intruder
from workers.sandbox.arguments import SPARE_PROCESSES, Bind
from workers.sandbox.surroundings import SandboxDriver, Surroundings

logger = logging.getLogger(__name__)

PROGRAM = Path("/run/generator/program.py")
LIMITS = Limits(memory_mb=64, pids=24, load_seconds=20, run_seconds=20, file_mb=4, tmp_mb=6, shm_mb=6)
GPU_LIMITS = Limits(memory_mb=2048)
ANSWER_SECONDS = 30.0
NO_START = {"bubblewrap": "NO_BUBBLEWRAP_START", "docker": "NO_CONTAINER_START"}


@dataclass(frozen=True)
class AttackResult:
    """How one attack went: what it reached, or what stopped it."""

    name: str
    is_open: bool
    answer: str


@dataclass(frozen=True)
class CanaryReport:
    """How all attacks went."""

    results: tuple[AttackResult, ...]
    seconds: float

    @property
    def holes(self) -> tuple[AttackResult, ...]:
        """Return the attacks that got through or gave an unknown answer."""
        return tuple(result for result in self.results if result.is_open)


def try_out(driver: SandboxDriver) -> CanaryReport:
    """Run all attacks in a sandbox of this driver, and use its GPU where it has one.

    Raises:
        SandboxUnavailable: the sandbox does not start, an attack got through, or its result is unknown.
    """
    started = time.monotonic()
    with plant(driver.surroundings) as target:
        answers, is_stopped = _run(driver, target)
    names = intruder.attacks(target, _limits())
    results = [_result(name, answers.get(name)) for name in names]
    memory = "stopped" if is_stopped else "the memory was given"
    results.append(AttackResult("too much memory", not is_stopped, memory))
    report = CanaryReport(tuple(results), time.monotonic() - started)
    if report.holes:
        holes = "; ".join(f"{hole.name}: {hole.answer}" for hole in report.holes[:5])
        # The reason is shown to everybody; which attacks got through is the operator's to know.
        logger.error("attacks that got through the sandbox: %s", holes)
        raise unavailable("SANDBOX_OPEN")
    if driver.gpu is not None:
        _use_gpu(driver)
    return report


@contextmanager
def plant(surroundings: Surroundings) -> Iterator[dict[str, str]]:
    """Put a secret file and listening sockets on this machine and say where they are."""
    with tempfile.TemporaryDirectory(prefix="pastiche-canary-") as folder:
        secret, path = Path(folder) / "secret", Path(folder) / "socket"
        secret.write_text("hidden")
        for readable in (Path(folder), secret):
            readable.chmod(0o755)
        abstract = f"pastiche-{secrets.token_hex(8)}"
        with ExitStack() as stack:
            for address in ("\0" + abstract, str(path)):
                listener = stack.enter_context(socket.socket(socket.AF_UNIX))
                listener.bind(address)
                listener.listen()
            path.chmod(0o777)
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            variables = {*surroundings.variables, *runner_environment("/tmp", LIMITS.cpu_threads)}
            yield {
                "secret": str(secret),
                "socket": str(path),
                "abstract": abstract,
                "port": str(server.getsockname()[1]),
                "variables": " ".join(sorted(variables)),
                "hidden_paths": " ".join(surroundings.hidden_paths),
                "kernel": os.uname().release if surroundings.has_own_kernel else "",
            }


def _limits() -> dict[str, int]:
    return {
        "tmp_mb": LIMITS.tmp_mb,
        "shm_mb": LIMITS.shm_mb,
        "too_many": LIMITS.pids + SPARE_PROCESSES + 8,
        "too_much_mb": LIMITS.memory_mb * 2,
    }


def _run(driver: SandboxDriver, target: dict[str, str]) -> tuple[dict[str, object], bool]:
    """Return the intruder's answers, and whether it was stopped for memory afterwards."""
    arguments = json.dumps({"target": target, "limits": _limits()})
    with _launched(driver, Path(intruder.__file__), LIMITS, arguments) as launched:
        lines = _converse(driver, launched)
        return _parse(lines[0]), launched.is_out_of_memory() and len(lines) == 1


def _use_gpu(driver: SandboxDriver) -> None:
    """Have a program inside make the GPU work: that its tools list it proves nothing."""
    with _launched(driver, Path(gpu_probe.__file__), GPU_LIMITS) as launched:
        answer = _converse(driver, launched)[0]
    if answer != "ok 1":
        raise unavailable("GPU_UNUSABLE", detail=answer or "no answer")


@contextmanager
def _launched(driver: SandboxDriver, program: Path, limits: Limits, *arguments: str) -> Iterator[Launched]:
    """Start a program of ours in a sandbox, and end it in any case."""
    try:
        launched = driver.launch(
            ["-I", "-B", str(PROGRAM), *arguments], [Bind(program.resolve(), PROGRAM)], limits
        )
        try:
            yield launched
        finally:
            launched.end()
            for stream in (launched.process.stdin, launched.process.stdout, launched.process.stderr):
                if stream is not None:
                    stream.close()
    except GenerationError as error:
        raise unavailable(NO_START[driver.name], detail=error.message.rstrip(".")) from error


def _converse(driver: SandboxDriver, launched: Launched) -> list[str]:
    """Wait for the program to stand, verify it from outside, let it go, and return what it prints."""
    process = launched.process
    if process.stdout is None or process.stderr is None:
        raise ValueError("the program needs pipes")
    try:
        os.set_blocking(process.stdout.fileno(), False)
        read_exactly(process.stdout.fileno(), len(intruder.HELLO), time.monotonic() + ANSWER_SECONDS)
        os.set_blocking(process.stdout.fileno(), True)
        launched.confine()
        output, _ = process.communicate(b"\n", timeout=ANSWER_SECONDS)
    except (EndOfPipe, TimeoutError) as error:
        launched.end()
        complaint = process.stderr.read().decode(errors="replace").strip()
        raise unavailable(NO_START[driver.name], detail=complaint or "no answer") from error
    except subprocess.TimeoutExpired as error:
        raise unavailable("NO_ANSWER") from error
    return str(output, errors="replace").splitlines() or [""]


def _parse(line: str) -> dict[str, object]:
    try:
        answers = json.loads(line)
    except ValueError:
        return {}
    return answers if isinstance(answers, dict) else {}


def _result(name: str, answer: object) -> AttackResult:
    """Read one answer; what is missing or of another form counts as open."""
    match answer:
        case {"is_open": bool(is_open), "answer": str(text)}:
            return AttackResult(name, is_open, text)
    return AttackResult(name, True, "unknown: no answer")
