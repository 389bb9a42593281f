"""One container as it is asked of the engine: the command line, and what the engine must have made of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.generation.driver import Limits
from workers.sandbox.arguments import MIB, NOFILE, Bind, processor_seconds
from workers.sandbox.engine import look

PYTHON = "python3"
NO_FOLDER = "/nonexistent"  # the client's own settings could add variables (proxies with their passwords)
SENTRY_PROCESSES = (
    512  # gVisor's own threads count as well, and its user's processes are several of the host's
)


@dataclass(frozen=True)
class Container:
    """What is asked for; the command's text is the same for every participant but for the bundle's path."""

    name: str
    label: str
    image: str
    runtime: str
    uid: int
    limits: Limits
    binds: Sequence[Bind]
    environment: Mapping[str, str]
    profile: bytes
    gpu: int | None = None

    @property
    def pids(self) -> int:
        """Return the limit for the host's processes."""
        return self.limits.pids + (SENTRY_PROCESSES if self.runtime == "runsc" else 0)

    @property
    def tmpfs(self) -> str:
        """Return the options of /tmp."""
        return f"rw,nosuid,nodev,size={self.limits.tmp_mb}m,mode=1777"

    @property
    def ulimits(self) -> dict[str, int]:
        """Return the limits for each process."""
        return {
            "core": 0,
            "cpu": processor_seconds(self.limits),
            "fsize": self.limits.file_mb * MIB,
            "nofile": NOFILE,
        }


def run_arguments(asked: Container, address: str, profile: str, command: Sequence[str]) -> list[str]:
    """Return the client's arguments that start Python with `command` in this container.

    Args:
        asked: the container.
        address: the engine's socket.
        profile: the file from which the client reads the profile of system calls.
        command: the arguments for Python.

    Raises:
        ValueError: the path of a bind cannot be written in an option.
    """
    memory = f"{asked.limits.memory_mb}m"
    options = {
        "name": asked.name,
        "label": asked.label,
        "pull": "never",
        "runtime": asked.runtime,
        "network": "none",
        "user": f"{asked.uid}:{asked.uid}",
        "cap-drop": "ALL",
        "memory": memory,
        "memory-swap": memory,
        "pids-limit": str(asked.pids),
        "cpus": str(asked.limits.cpu_threads),
        "shm-size": f"{asked.limits.shm_mb}m",
        "tmpfs": f"/tmp:{asked.tmpfs}",
        "ipc": "private",
        "log-driver": "none",
        "hostname": "sandbox",
        "workdir": "/tmp",
        "entrypoint": PYTHON,
    }
    arguments = [f"--host=unix://{address}", f"--config={NO_FOLDER}", "run", "--interactive", "--read-only"]
    arguments += ["--no-healthcheck", *(f"--{name}={value}" for name, value in options.items())]
    arguments += ["--security-opt=no-new-privileges", f"--security-opt=seccomp={profile}"]
    arguments += [f"--ulimit={name}={value}" for name, value in asked.ulimits.items()]
    arguments += [f"--env={name}={value}" for name, value in asked.environment.items()]
    arguments += [f"--mount={_mount(bind)}" for bind in asked.binds]
    arguments += [] if asked.gpu is None else [f"--gpus=device={asked.gpu}"]
    return [*arguments, asked.image, *command]


def find_differences(asked: Container, found: object) -> list[str]:
    """Compare a container, as the engine describes it, with what was asked for; [] is good.

    An engine drops some limits with no more than a warning where its kernel cannot keep them.
    """
    problems = [
        f"{path} is {look(found, path)!r}"
        for path, wanted in _expected(asked).items()
        if (look(found, path) or None) != (wanted or None)
    ]
    if _mounts(found) != sorted((str(bind.source), str(bind.inside), "False") for bind in asked.binds):
        problems.append("other paths are mounted")
    if not asked.ulimits.items() <= _ulimits(found).items():
        problems.append(f"the limits of processes are {_ulimits(found)}")
    requests = look(found, "HostConfig.DeviceRequests")
    devices = [look(request, "DeviceIDs") for request in requests] if isinstance(requests, list) else []
    if devices != ([] if asked.gpu is None else [[str(asked.gpu)]]):
        problems.append(f"the GPUs are {devices}")
    return problems + _security_problems(asked, found)


def _expected(asked: Container) -> dict[str, object]:
    """Say what the engine must describe; what is false, empty or zero may also be absent."""
    return {
        "Image": asked.image,
        "Config.User": f"{asked.uid}:{asked.uid}",
        "HostConfig.Runtime": asked.runtime,
        "HostConfig.NetworkMode": "none",
        "HostConfig.ReadonlyRootfs": True,
        "HostConfig.Privileged": False,
        "HostConfig.CapAdd": None,
        "HostConfig.CapDrop": ["ALL"],
        "HostConfig.Memory": asked.limits.memory_mb * MIB,
        "HostConfig.MemorySwap": asked.limits.memory_mb * MIB,
        "HostConfig.PidsLimit": asked.pids,
        "HostConfig.NanoCpus": asked.limits.cpu_threads * 10**9,
        "HostConfig.OomKillDisable": False,
        "HostConfig.ShmSize": asked.limits.shm_mb * MIB,
        "HostConfig.Tmpfs": {"/tmp": asked.tmpfs},
        "HostConfig.IpcMode": "private",
        "HostConfig.PidMode": "",
        "HostConfig.UTSMode": "",
        "HostConfig.UsernsMode": "",
        "HostConfig.Devices": [],
        "HostConfig.LogConfig.Type": "none",
    }


def _mounts(found: object) -> list[tuple[str, ...]]:
    listed = look(found, "Mounts")
    rows = [row for row in listed if look(row, "Type") != "tmpfs"] if isinstance(listed, list) else []
    return sorted(tuple(str(look(row, name)) for name in ("Source", "Destination", "RW")) for row in rows)


def _ulimits(found: object) -> dict[object, object]:
    listed = look(found, "HostConfig.Ulimits")
    rows = listed if isinstance(listed, list) else []
    return {look(row, "Name"): look(row, "Hard") for row in rows if look(row, "Hard") == look(row, "Soft")}


def _security_problems(asked: Container, found: object) -> list[str]:
    listed = look(found, "HostConfig.SecurityOpt")
    options = [str(option) for option in listed] if isinstance(listed, list) else []
    profiles = [option.removeprefix("seccomp=") for option in options if option.startswith("seccomp=")]
    problems = []
    if not {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"} & set(options):
        problems.append("new privileges are possible")
    if len(profiles) != 1 or _parsed(profiles[0]) != json.loads(asked.profile):
        problems.append("another profile of system calls is used")
    return problems


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _mount(bind: Bind) -> str:
    text = f"type=bind,src={bind.source},dst={bind.inside},readonly"
    if text.count(",") != 3 or '"' in text:
        raise ValueError(f"a path with a comma or a quotation mark cannot be shown: {bind.source}")
    return text
