"""The closed list of what keeps a worker from running entries: code, sentence, what its operator can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from evaluation.errors import SandboxUnavailable


@dataclass(frozen=True)
class Obstacle:
    """One obstacle; what stands in braces is filled in where it is met."""

    code: str
    sentence: str
    advice: str


class Told(str):
    """A text in English that remembers of what it was made, so that a page can say it in another language."""

    template: str
    values: Mapping[str, str]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        """Fill the gaps of a template."""
        kept = {name: str(value) for name, value in values.items()}
        told = super().__new__(cls, template.format_map(kept))
        told.template, told.values = template, kept
        return told

    def __reduce__(self) -> tuple[object, ...]:
        """Be copied as what it was made of; text alone could not be filled again."""
        return type(self), (self.template, self.values)


_HOST_ADVICE = "Install the NVIDIA driver, run nvidia-modprobe, or start the worker without a GPU."
_LIST = (
    Obstacle(
        "DISK_FULL",
        "the disk of {folder} (PASTICHE_WORKER_DIR) has {free} MB free, and {wanted} MB are needed",
        "The operator removes what holds the workers up; they look again by themselves.",
    ),
    Obstacle(
        "TOOL_MISSING",
        "The program {tool} is not installed.",
        "Install the packages bubblewrap and util-linux.",
    ),
    Obstacle(
        "BUBBLEWRAP_TOO_OLD",
        "{program} is no bubblewrap of version 0.8 or later.",
        "Install the package bubblewrap.",
    ),
    Obstacle(
        "NO_CGROUP",
        "No cgroup can limit memory and processes here.",
        "Run the worker as root, or as a systemd unit with Delegate=memory pids cpu.",
    ),
    Obstacle(
        "NO_SECCOMP",
        "libseccomp is not installed.",
        "Install the packages libseccomp2 and pyseccomp.",
    ),
    Obstacle(
        "NO_PROFILE",
        "There is no profile of system calls for {machine}.",
        "Run the worker on x86-64 or arm64.",
    ),
    Obstacle(
        "NO_CLIENT",
        "The program docker is not installed.",
        "Install a client of Docker's interface.",
    ),
    Obstacle(
        "ENGINE_UNUSABLE",
        "The container engine cannot be used: {detail}.",
        "Start the engine and let the worker's user reach its socket.",
    ),
    Obstacle(
        "ENGINE_TOO_OLD",
        "The engine is too old for the profile of system calls.",
        "Install Docker 23 or later, or another engine whose interface is 1.42 or later.",
    ),
    Obstacle(
        "NO_RUNTIME",
        "The engine has no runtime {runtime}.",
        "Register it with the engine, or name the other one: PASTICHE_SANDBOX_RUNTIME=runsc or runc.",
    ),
    Obstacle(
        "NO_LIMITS",
        "The engine's kernel cannot keep limits: {names}.",
        "Turn the control groups on for memory, swap, pids and cpu.",
    ),
    Obstacle(
        "NO_FILTER",
        "The engine cannot filter system calls.",
        "Use an engine with seccomp.",
    ),
    Obstacle(
        "IMAGE_WITHOUT_DIGEST",
        "The image {image} is not named by its digest.",
        "Set PASTICHE_SANDBOX_IMAGE to NAME@sha256:... or sha256:...: a tag can change.",
    ),
    Obstacle(
        "NO_IMAGE",
        "The engine does not have the image {image}.",
        "Pull or load it; the worker never does.",
    ),
    Obstacle("NO_GPU_NODE", "There is no {node}.", _HOST_ADVICE),
    Obstacle("UNKNOWN_GPU", "The NVIDIA driver knows no GPU {index}.", _HOST_ADVICE),
    Obstacle("NO_PCI_DEVICE", "There is no PCI device {address}.", _HOST_ADVICE),
    Obstacle("NO_GPU_LIBRARY", "The library {library} is not installed.", _HOST_ADVICE),
    Obstacle(
        "GPU_UNUSABLE",
        "The GPU cannot be used inside the sandbox: {detail}.",
        "Compare the driver's version with that of its libraries, or start the worker without a GPU.",
    ),
    Obstacle(
        "NO_BUBBLEWRAP_START",
        "The sandbox does not start: {detail}.",
        "Let bubblewrap make user namespaces (max_user_namespaces, an AppArmor profile), and do not"
        " run the worker inside a container that forbids them.",
    ),
    Obstacle(
        "NO_CONTAINER_START",
        "The sandbox does not start: {detail}.",
        "Let the engine run the image: `docker run` with the same image and runtime shows why it cannot.",
    ),
    Obstacle(
        "NO_ANSWER",
        "The sandbox gives no answer.",
        "Give the machine less to do, and look into the worker's log.",
    ),
    Obstacle(
        "SANDBOX_OPEN",
        "The sandbox was tried out and does not hold.",
        "The worker's log names the attacks that got through; update the sandbox and the kernel.",
    ),
)

OBSTACLES: dict[str, Obstacle] = {obstacle.code: obstacle for obstacle in _LIST}


def unavailable(code: str, **values: object) -> SandboxUnavailable:
    """Make the error that says why no stranger's generator may run here; `values` fill the sentence."""
    obstacle = OBSTACLES[code]
    return SandboxUnavailable(Told(obstacle.sentence, values), fix=Told(obstacle.advice, {}))
