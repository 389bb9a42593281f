"""Run a generator in a container of Docker's interface, with gVisor or, on demand, plain runc."""

import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from evaluation.errors import GenerationError
from evaluation.generation import process
from evaluation.generation.driver import Limits, Session, unwatched
from evaluation.generation.session import PipeSession, start_session
from evaluation.manifest import Manifest
from evaluation.obstacles import unavailable
from workers.sandbox.arguments import BUNDLE, RUNNER, Bind
from workers.sandbox.container import Container, run_arguments
from workers.sandbox.engine import Engine, EngineError, look
from workers.sandbox.entry import PassedDescriptors, spawn
from workers.sandbox.launched_container import LaunchedContainer
from workers.sandbox.seccomp import build_profile, digest
from workers.sandbox.surroundings import FIRST_UID, PATH, Surroundings, device_for

RUNTIMES = ("runsc", "runc")
DEFAULT_SOCKET = Path("/var/run/docker.sock")
NEEDED_LIMITS = ("MemoryLimit", "SwapLimit", "PidsLimit", "CpuCfsQuota")
OLDEST_API = (1, 42)  # Docker 23, the first that lets a profile answer "not implemented"
NAME_PREFIX = "pastiche"
_BY_DIGEST = re.compile(r"([^\s@]+@)?sha256:[0-9a-f]{64}")


class DockerDriver:
    """Start the runner in a container of an image of ours, without network, rights or writable disk.

    gVisor (`runsc`) puts a kernel of its own between the generator and this machine's; `runc` relies on
    the profile of system calls alone. Neither is ever put in the other's place.
    """

    name = "docker"
    is_sandbox = True

    def __init__(
        self,
        *,
        image: str,
        runtime: str = "runsc",
        slot: int = 0,
        gpu: int | None = None,
        address: Path = DEFAULT_SOCKET,
    ) -> None:
        """Ask the engine for everything that a container will need.

        Args:
            image: the image by its digest, `NAME@sha256:...` or `sha256:...`; the engine must have it.
            runtime: "runsc" or "runc".
            slot: number of this worker process on its machine; two at a time must not share one.
            gpu: number of the one GPU that generators may use.
            address: the engine's socket.

        Raises:
            SandboxUnavailable: client, engine, runtime, image or a limit is missing.
        """
        self.gpu = gpu
        self._runtime = runtime
        self._uid = FIRST_UID + slot
        self._engine = Engine(address)
        self._label = f"{NAME_PREFIX}={socket.gethostname()}"
        self._client = _find_client()
        self._profile = build_profile(gpu=gpu is not None)
        try:
            self._version = _check_version(self._engine.version())
            _check_engine(self._engine.info(), runtime)
            found = _find_image(self._engine, image)
            self._sweep()
        except EngineError as error:
            raise unavailable("ENGINE_UNUSABLE", detail=error) from error
        self._image = str(look(found, "Id"))
        self.surroundings = Surroundings(
            variables=frozenset({"HOSTNAME", *_variables(found)}), has_own_kernel=runtime == "runsc"
        )

    def describe(self) -> dict[str, str]:
        """Return what is stored with each result: versions, runtime, image, profile digest, who limits."""
        return {
            "driver": self.name,
            "version": self._version,
            "mode": self._runtime,
            "image": self._image,
            "filter": digest(self._profile),
            "device": "cpu" if self.gpu is None else f"cuda, GPU {self.gpu}",
            **dict.fromkeys(("memory", "pids", "cpu", "freezer"), "engine"),
        }

    def start(
        self,
        bundle: Path,
        manifest: Manifest,
        limits: Limits,
        log: Callable[[bytes], None],
        *,
        on_launch: Callable[[Session], None] = unwatched,
    ) -> PipeSession:
        """Load the generator from an unpacked archive; `log` receives its stderr from a thread, as it comes.

        Raises:
            GenerationError: LOAD_FAILED, LOAD_TIMEOUT, MISSING_FILE, OUT_OF_MEMORY, CRASHED, PROTOCOL, or
                INFRA where the container cannot be set up or is not what was asked for.
        """
        binds = [Bind(process.RUNNER, RUNNER), Bind(bundle.resolve(), BUNDLE)]
        device = device_for(manifest, self.gpu)
        command = ["-I", "-B", str(RUNNER), str(BUNDLE), device, str(limits.cpu_threads)]
        return start_session(self.launch(command, binds, limits), limits, log, on_launch)

    def launch(self, command: Sequence[str], binds: Sequence[Bind], limits: Limits) -> LaunchedContainer:
        """Start Python with `command` in a container that shows `binds` and the image.

        Raises:
            GenerationError: INFRA.
        """
        asked = Container(
            name=f"{NAME_PREFIX}-{os.getpid()}-{secrets.token_hex(6)}",
            label=self._label,
            image=self._image,
            runtime=self._runtime,
            uid=self._uid,
            limits=limits,
            binds=binds,
            environment=process.runner_environment("/tmp", limits.cpu_threads),
            profile=self._profile,
            gpu=self.gpu,
        )
        with PassedDescriptors() as passed:
            profile = f"/proc/self/fd/{passed.add(self._profile)}"
            try:
                arguments = run_arguments(asked, str(self._engine.address), profile, command)
                started = spawn([self._client, *arguments], passed.numbers, PATH)
            except (OSError, ValueError) as error:
                raise GenerationError("INFRA", f"The container cannot be set up: {error}.") from error
        return LaunchedContainer(started, self._engine, asked)

    def _sweep(self) -> None:
        """Remove the containers of this machine's workers that are gone."""
        for name in self._engine.containers(self._label):
            owner = name.removeprefix(f"{NAME_PREFIX}-").split("-")[0]
            if owner.isdigit() and not psutil.pid_exists(int(owner)):
                self._engine.remove(name)


def _find_client() -> str:
    client = shutil.which("docker", path=PATH)
    if client is None:
        raise unavailable("NO_CLIENT")
    return client


def _check_version(version: object) -> str:
    spoken = re.fullmatch(r"(\d+)\.(\d+)", str(look(version, "ApiVersion")))
    if spoken is None or (int(spoken[1]), int(spoken[2])) < OLDEST_API:
        raise unavailable("ENGINE_TOO_OLD")
    return str(look(version, "Version"))


def _check_engine(info: object, runtime: str) -> None:
    """Refuse an engine without the runtime, or one that would drop a limit with no more than a warning."""
    runtimes = look(info, "Runtimes")
    if runtime not in RUNTIMES or not isinstance(runtimes, dict) or runtime not in runtimes:
        raise unavailable("NO_RUNTIME", runtime=runtime)
    missing = [name for name in NEEDED_LIMITS if look(info, name) is not True]
    if missing:
        raise unavailable("NO_LIMITS", names=", ".join(missing))
    options = look(info, "SecurityOptions")
    if not any("seccomp" in str(option) for option in (options if isinstance(options, list) else [])):
        raise unavailable("NO_FILTER")


def _find_image(engine: Engine, image: str) -> object:
    if not _BY_DIGEST.fullmatch(image):
        raise unavailable("IMAGE_WITHOUT_DIGEST", image=repr(image))
    try:
        return engine.image(image)
    except EngineError as error:
        if error.status != 404:
            raise
        raise unavailable("NO_IMAGE", image=image) from error


def _variables(image: object) -> list[str]:
    listed = look(image, "Config.Env")
    return [str(entry).split("=")[0] for entry in listed] if isinstance(listed, list) else []
