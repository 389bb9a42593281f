"""Read and write the student's weights."""

from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor

from evaluation.backbones.tiny_vgg import TinyVGG, build
from evaluation.files import write_atomic


def load_student(path: Path) -> TinyVGG:
    """Load a trained network from a .safetensors file."""
    return build(load(path.read_bytes()))


def save_student(state: dict[str, Tensor], path: Path) -> None:
    """Write a state dict as fp32 .safetensors, whole or not at all."""
    write_atomic(path, save({name: tensor.detach().float().contiguous() for name, tensor in state.items()}))
