"""What a bubblewrap sandbox must see of one NVIDIA GPU, and nothing of the others."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.obstacles import unavailable
from workers.sandbox.surroundings import PATH

CONTROL_NODES = ("nvidiactl", "nvidia-uvm")
OPTIONAL_NODES = ("nvidia-uvm-tools",)
NEEDED_LIBRARY = "libcuda.so.1"
LIBRARIES = (
    NEEDED_LIBRARY,
    "libnvidia-ml.so.1",
    "libnvidia-ptxjitcompiler.so.1",
    "libnvidia-nvvm.so.4",
    "libnvidia-nvvm70.so.4",
    "libnvidia-gpucomp.so",
)


@dataclass(frozen=True)
class Gpu:
    """Device nodes that are bound with their rights, paths that are bound read-only, the driver's version."""

    nodes: tuple[Path, ...]
    paths: tuple[Path, ...]
    version: str

    @property
    def options(self) -> list[str]:
        """Return bubblewrap's options: `--bind` would show device nodes that cannot be used."""
        shown = [option for node in self.nodes for option in ("--dev-bind", str(node), str(node))]
        return shown + [option for path in self.paths for option in ("--ro-bind", str(path), str(path))]


def find_gpu(index: int, root: Path = Path("/"), libraries: Sequence[Path] | None = None) -> Gpu:
    """Find the GPU that the driver calls /dev/nvidia`index`.

    Args:
        index: its minor device number.
        root: where /dev, /proc and /sys lie.
        libraries: the driver's libraries; asked of the linker by default.

    Raises:
        SandboxUnavailable: a part of the driver is missing.
    """
    names = (*CONTROL_NODES, f"nvidia{index}")
    missing = [name for name in names if not (root / "dev" / name).exists()]
    if missing:
        raise unavailable("NO_GPU_NODE", node=f"/dev/{missing[0]}")
    nodes = [*names, *(name for name in OPTIONAL_NODES if (root / "dev" / name).exists())]
    libraries = _find_libraries() if libraries is None else libraries
    found = [*_kernel_paths(_bus_address(index, root), root), *(_outside_usr(libraries))]
    return Gpu(tuple(Path("/dev") / name for name in nodes), tuple(found), _version(root))


def _bus_address(index: int, root: Path) -> str:
    """Return the PCI address of a GPU, which is the name of its folder in /proc."""
    for file in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        fields = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
        if fields.get("Device Minor", "").strip() == str(index):
            return file.parent.name
    raise unavailable("UNKNOWN_GPU", index=index)


def _kernel_paths(address: str, root: Path) -> list[Path]:
    """List the parts of /sys that the driver's library reads: its modules, this GPU, the memory nodes."""
    device = root / "sys/bus/pci/devices" / address
    if not device.exists():
        raise unavailable("NO_PCI_DEVICE", address=address)
    paths = [*sorted((root / "sys/module").glob("nvidia*")), root / "sys/bus/pci/devices"]
    paths += [device.resolve(), root / "sys/devices/system/node"]
    return [Path("/") / path.relative_to(root.resolve()) for path in map(_absolute, paths) if path.exists()]


def _absolute(path: Path) -> Path:
    return path.parent.resolve() / path.name


def _find_libraries() -> list[Path]:
    listed = subprocess.run(
        ["ldconfig", "-p"], capture_output=True, text=True, env={"PATH": PATH}, check=False
    ).stdout
    rows = (line.strip().split(" ", 1) for line in listed.splitlines() if "=>" in line)
    return [Path(rest.split("=> ")[1]) for name, rest in rows if name in LIBRARIES]


def _outside_usr(libraries: Sequence[Path]) -> list[Path]:
    """Return those that the sandbox does not show anyway."""
    if not any(path.name == NEEDED_LIBRARY for path in libraries):
        raise unavailable("NO_GPU_LIBRARY", library=NEEDED_LIBRARY)
    shown = ("/usr/", "/lib/", "/lib64/")
    return [path for path in libraries if not str(path).startswith(shown)]


def _version(root: Path) -> str:
    file = root / "sys/module/nvidia/version"
    return file.read_text().strip() if file.exists() else "unknown"
