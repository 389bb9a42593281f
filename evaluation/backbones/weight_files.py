"""The published weight files of the official backbones: where they come from, and that they are the right ones.

Nothing is downloaded unless somebody asks for it. The sha256 sums were taken from public records, several
independent ones for each file, all of which begin with the digits that the publisher put into the file name; for
DINO, whose file name has none, two records were found.
"""

import hashlib
import io
import math
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from evaluation.errors import WeightsCorrupt, WeightsMissing

_TORCHVISION = "https://download.pytorch.org/models/"
_BSD = "BSD-3-Clause (torchvision; trained on ImageNet)"


@dataclass(frozen=True)
class WeightFile:
    """A published file; `name` is the backbone that it belongs to, `size` its length in bytes."""

    name: str
    file_name: str
    sha256: str
    url: str
    license: str
    size: int


CATALOG: Mapping[str, WeightFile] = {
    file.name: file
    for file in (
        WeightFile(
            name="vgg19-imagenet1k-v1",
            file_name="vgg19-dcbb9e9d.pth",
            sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            url=_TORCHVISION + "vgg19-dcbb9e9d.pth",
            license=_BSD,
            size=574_673_361,
        ),
        WeightFile(
            name="lpips-alex-0.1",
            file_name="alexnet-owt-7be5be79.pth",
            sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
            url=_TORCHVISION + "alexnet-owt-7be5be79.pth",
            license=_BSD,
            size=244_408_911,
        ),
        WeightFile(
            name="lpips-vgg-0.1",
            file_name="vgg16-397923af.pth",
            sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            url=_TORCHVISION + "vgg16-397923af.pth",
            license=_BSD,
            size=553_433_881,
        ),
        WeightFile(
            name="lpips-squeeze-0.1",
            file_name="squeezenet1_1-b8a52dc0.pth",
            sha256="b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
            url=_TORCHVISION + "squeezenet1_1-b8a52dc0.pth",
            license=_BSD,
            size=4_958_839,
        ),
        WeightFile(
            name="inception-2015-12-05",
            file_name="weights-inception-2015-12-05-6726825d.pth",
            sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
            "weights-inception-2015-12-05-6726825d.pth",
            license="Apache-2.0 (TensorFlow models)",
            size=95_628_359,
        ),
        WeightFile(
            name="dino-vits8",
            file_name="dino_deitsmall8_pretrain.pth",
            sha256="55c8b267f479b614ec20858947ce361ba804846c193e20be74263a096bb6d75e",
            url="https://dl.fbaipublicfiles.com/dino/dino_deitsmall8_pretrain/dino_deitsmall8_pretrain.pth",
            license="Apache-2.0 (DINO)",
            size=86_728_949,
        ),
    )
}


def weight_file(name: str, catalog: Mapping[str, WeightFile] = CATALOG) -> WeightFile:
    """Return the entry of a backbone.

    Raises:
        WeightsMissing: no backbone of this name has a weight file.
    """
    if name not in catalog:
        raise WeightsMissing(
            f"There is no weight file for {name!r}.", fix=f"Known names: {', '.join(catalog)}."
        )
    return catalog[name]


def default_folder() -> Path:
    """Return where torch keeps its downloads, e.g. ``~/.cache/torch/hub/checkpoints``."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def find(file: WeightFile, weights_dir: Path | None = None) -> Path | None:
    """Return the path of a file in `weights_dir`, else in torch's own folder, else None; nothing is verified."""
    folders = [folder for folder in (weights_dir, default_folder()) if folder is not None]
    return next((path for folder in folders if (path := folder / file.file_name).is_file()), None)


def verify(path: Path, sha256: str) -> None:
    """Check that a file is the published one.

    Raises:
        WeightsCorrupt: it has another sha256.
    """
    with path.open("rb") as stream:
        _check_digest(path, _digest(stream), sha256)


def read_state(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read a state dict of torch.save, on the CPU, after checking its sha256; no code in it is ever run.

    Raises:
        WeightsCorrupt: it has another sha256.
    """
    with path.open("rb") as stream:  # opened once, so that what is read is what was checked
        _check_digest(path, _digest(stream), sha256)
        stream.seek(0)
        return dict(torch.load(stream, map_location="cpu", weights_only=True))


def read_weights(file: WeightFile, weights_dir: Path | None = None) -> dict[str, Tensor]:
    """Find, check and read a weight file.

    Raises:
        WeightsMissing: it is in neither folder.
        WeightsCorrupt: it is another file than the published one.
    """
    path = find(file, weights_dir)
    if path is None:
        raise WeightsMissing(
            f"The weight file {file.file_name} of {file.name} is not in {weights_dir or default_folder()}.",
            fix=f"Get it with `python -m evaluation weights fetch {file.name}`, or add a copy of it with "
            "`python -m evaluation weights add FILE`.",
        )
    return read_state(path, file.sha256)


def seeded_state(network: nn.Module, seed: int) -> dict[str, Tensor]:
    """Draw weights for a network, on the CPU: the same for the same seed, and good for nothing but measuring time.

    Weights are normal with variance 2 / fan-in, which keeps rectified activations at one scale (He et al. 2015,
    equation 10); scales and running variances are 1, all other vectors 0.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in network.state_dict().items():
        if tensor.ndim > 1:
            spread = math.sqrt(2 / math.prod(tensor.shape[1:]))
            state[name] = torch.randn(tensor.shape, generator=generator) * spread
        else:
            make = torch.ones if name.endswith(("weight", "running_var")) else torch.zeros
            state[name] = make(tensor.shape, dtype=tensor.dtype)
    return state


def add(path: Path, folder: Path | None = None, *, catalog: Mapping[str, WeightFile] = CATALOG) -> Path:
    """Copy a weight file into `folder` (default: torch's own) under its published name, and return the copy.

    The file is recognized by its content, whatever it is called; readers never see a part of the copy.

    Raises:
        WeightsMissing: there is no such file.
        WeightsCorrupt: it is none of the published files.
    """
    if not path.is_file():
        raise WeightsMissing(f"There is no file {path}.")
    folder = folder or default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f".{secrets.token_hex(8)}.tmp"
    try:
        shutil.copyfile(path, copy)
        with copy.open("rb") as stream:
            file = _recognize(path, _digest(stream), catalog)
        os.replace(copy, folder / file.file_name)
    finally:
        copy.unlink(missing_ok=True)
    return folder / file.file_name


def fetch(file: WeightFile, folder: Path | None = None) -> Path:
    """Download a weight file into `folder` (default: torch's own) with a progress bar, and return its path.

    A file that is there already and is the right one is kept; a wrong one is replaced.

    Raises:
        WeightsMissing: it cannot be downloaded.
        WeightsCorrupt: the address delivers another file.
    """
    folder = folder or default_folder()
    path = folder / file.file_name
    try:
        verify(path, file.sha256)
    except (FileNotFoundError, WeightsCorrupt):
        _download(file, path)
    return path


def _download(file: WeightFile, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(file.url, str(path), hash_prefix=file.sha256)
    except OSError as error:
        raise WeightsMissing(
            f"{file.url} could not be downloaded: {error}.",
            fix="Download it on another machine and add it with `python -m evaluation weights add FILE`.",
        ) from error
    except RuntimeError as error:  # how torch reports another sha256; it has removed the file
        raise WeightsCorrupt(f"{file.url} delivered another file: {error}.") from error


def _recognize(path: Path, digest: str, catalog: Mapping[str, WeightFile]) -> WeightFile:
    for file in catalog.values():
        if file.sha256 == digest:
            return file
    for file in catalog.values():
        if file.file_name == path.name:
            _check_digest(path, digest, file.sha256)
    known = ", ".join(f"{file.file_name} ({file.sha256[:12]})" for file in catalog.values())
    raise WeightsCorrupt(f"{path} has sha256 {digest}, which is none of the published files: {known}.")


def _digest(stream: io.BufferedReader) -> str:
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_digest(path: Path, digest: str, sha256: str) -> None:
    if digest != sha256:
        raise WeightsCorrupt(
            f"{path} has sha256 {digest}, published is {sha256}.",
            fix="It may be an incomplete download: remove it and get it again.",
        )
