"""What a sandbox sees of a GPU, on a made-up machine with two of them; no test here has touched a real one."""

from pathlib import Path

import pytest

from evaluation.errors import SandboxUnavailable
from evaluation.generation.driver import Limits
from evaluation.manifest import parse_manifest
from tests.attacks.builders import manifest
from tests.workers.sandboxes import SLOT, sandbox
from workers.sandbox import canary
from workers.sandbox.arguments import bubblewrap_arguments
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.sandbox.gpu import find_gpu
from workers.sandbox.seccomp import build_filter
from workers.sandbox.surroundings import device_for

__all__ = ["sandbox"]
LIBRARIES = [Path("/usr/lib/libcuda.so.1"), Path("/opt/nvidia/libnvidia-ml.so.1")]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The files of a machine with two GPUs, of which the second has the lower address."""
    for name in ("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1", "nvidia-modeset"):
        write(tmp_path / "dev" / name)
    for minor, address in ((0, "0000:81:00.0"), (1, "0000:17:00.0")):
        text = f"Model: \t\t NVIDIA\nBus Location: \t {address}\nDevice Minor: \t {minor}\n"
        write(tmp_path / "proc/driver/nvidia/gpus" / address / "information", text)
        device = tmp_path / "sys/devices/pci0000:00" / address
        write(device / "vendor")
        (tmp_path / "sys/bus/pci/devices").mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/bus/pci/devices" / address).symlink_to(device)
    write(tmp_path / "sys/module/nvidia/version", "570.86.10\n")
    write(tmp_path / "sys/module/nvidia_uvm/refcnt")
    write(tmp_path / "sys/devices/system/node/online")
    return tmp_path


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_only_the_assigned_gpu_is_shown(machine: Path) -> None:
    gpu = find_gpu(1, machine, LIBRARIES)
    assert [str(node) for node in gpu.nodes] == ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia1"]
    assert [str(path) for path in gpu.paths] == [
        "/sys/module/nvidia",
        "/sys/module/nvidia_uvm",
        "/sys/bus/pci/devices",
        "/sys/devices/pci0000:00/0000:17:00.0",
        "/sys/devices/system/node",
        "/opt/nvidia/libnvidia-ml.so.1",
    ]
    assert gpu.version == "570.86.10"


def test_nodes_keep_their_rights_and_the_rest_is_read_only(machine: Path) -> None:
    gpu = find_gpu(0, machine, LIBRARIES)
    made = bubblewrap_arguments([], {}, Limits(), {}, gpu.options)
    bound = {made[n + 1] for n, option in enumerate(made) if option == "--dev-bind"}
    assert bound == {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0"}
    assert made.index("--dev") < made.index("--dev-bind") < made.index("--remount-ro")
    assert "--bind" not in made
    assert "/sys/devices/pci0000:00/0000:17:00.0" not in made


@pytest.mark.parametrize(
    ("index", "gone", "says"),
    [
        (0, "dev/nvidiactl", "no /dev/nvidiactl"),
        (0, "dev/nvidia-uvm", "no /dev/nvidia-uvm"),
        (7, "dev/nvidia-modeset", "no /dev/nvidia7"),
        (1, "proc/driver/nvidia/gpus/0000:17:00.0/information", "knows no GPU 1"),
        (1, "sys/bus/pci/devices/0000:17:00.0", "no PCI device 0000:17:00.0"),
    ],
)
def test_a_missing_part_is_named(machine: Path, index: int, gone: str, says: str) -> None:
    (machine / gone).unlink()
    with pytest.raises(SandboxUnavailable, match=says) as caught:
        find_gpu(index, machine, LIBRARIES)
    assert "NVIDIA driver" in caught.value.fix


def test_a_driver_without_its_library_is_none(machine: Path) -> None:
    with pytest.raises(SandboxUnavailable, match=r"libcuda\.so\.1 is not installed"):
        find_gpu(0, machine, LIBRARIES[1:])


def test_the_filter_opens_for_a_gpu_only() -> None:
    pytest.importorskip("pyseccomp", exc_type=RuntimeError)
    assert build_filter(gpu=True) != build_filter()


def test_an_archive_that_wants_no_gpu_gets_the_processor() -> None:
    wants = parse_manifest(manifest(device="cuda"))
    assert device_for(wants, 3) == "cuda"
    assert device_for(wants, None) == "cpu"
    assert device_for(parse_manifest(manifest()), 3) == "cpu"


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
def test_a_worker_for_a_gpu_that_is_not_there_has_no_sandbox() -> None:
    with pytest.raises(SandboxUnavailable, match="no /dev/nvidiactl"):
        BubblewrapDriver(slot=SLOT, gpu=0)


@pytest.mark.sandbox
@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
def test_a_gpu_that_cannot_be_used_inside_is_found_out(sandbox: BubblewrapDriver) -> None:
    sandbox.gpu = 0
    with pytest.raises(SandboxUnavailable, match="The GPU cannot be used inside"):
        canary.try_out(sandbox)
