"""Where numbers were made: when, with which software, on which device."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import torch

_LIBRARIES = ("torch", "numpy", "pillow", "scipy")


def describe_machine(device: str) -> dict[str, str]:
    """Return time, software and device as titled sentences; no paths, no names of people or machines."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return {
        "Made at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Software": f"{_own_version()}; Python {platform.python_version()}, {libraries}",
        "Device": _device_text(device),
    }


def _own_version() -> str:
    try:
        return f"pastiche-platform {version('pastiche-platform')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "pastiche-platform, not installed"


def _device_text(device: str) -> str:
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} of {os.cpu_count()} threads"
