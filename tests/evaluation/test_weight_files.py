"""Weight files: found, checked, added and fetched whole or not at all, and never run."""

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3
from torchvision.models import AlexNet_Weights, SqueezeNet1_1_Weights, VGG16_Weights, VGG19_Weights

from evaluation.backbones.weight_files import (
    CATALOG,
    WeightFile,
    add,
    default_folder,
    fetch,
    find,
    read_state,
    read_weights,
    seeded_state,
    verify,
    weight_file,
)
from evaluation.errors import WeightsCorrupt, WeightsMissing

STATE = {"features.0.weight": torch.arange(12.0).view(3, 4), "features.0.bias": torch.zeros(3)}


@pytest.fixture(autouse=True)
def torch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Torch's own folder of downloads, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A folder that `published` is fetched from."""
    (tmp_path / "server").mkdir()
    return tmp_path / "server"


@pytest.fixture
def published(server: Path) -> WeightFile:
    """A weight file as somebody else would have published it."""
    path = server / "net-0123.pth"
    torch.save(STATE, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return WeightFile("net-1", path.name, digest, path.as_uri(), "CC0-1.0", path.stat().st_size)


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_the_catalog_agrees_with_the_libraries_that_publish_the_files() -> None:
    assert [file.name for file in CATALOG.values()] == list(CATALOG)
    assert CATALOG["vgg19-imagenet1k-v1"].url == VGG19_Weights.IMAGENET1K_V1.url
    assert CATALOG["lpips-vgg-0.1"].url == VGG16_Weights.IMAGENET1K_V1.url
    assert CATALOG["lpips-alex-0.1"].url == AlexNet_Weights.IMAGENET1K_V1.url
    assert CATALOG["lpips-squeeze-0.1"].url == SqueezeNet1_1_Weights.IMAGENET1K_V1.url
    assert CATALOG["inception-2015-12-05"].url == URL_INCEPTION_V3
    timm = pytest.importorskip("timm")
    config = timm.get_pretrained_cfg("vit_small_patch8_224.dino")
    assert config is not None
    assert CATALOG["dino-vits8"].url == config.url


@pytest.mark.parametrize("file", CATALOG.values(), ids=lambda file: file.name)
def test_sums_begin_as_the_published_names_say(file: WeightFile) -> None:
    assert file.url.endswith("/" + file.file_name)
    assert len(file.sha256) == 64
    stem = Path(file.file_name).stem
    if file.name != "dino-vits8":  # the only publisher who puts no digits into the name
        assert file.sha256.startswith(stem.rpartition("-")[2])


def test_the_given_folder_comes_before_torchs_own(
    published: WeightFile, tmp_path: Path, torch_folder: Path
) -> None:
    assert default_folder() == torch_folder
    assert find(published, tmp_path) is None
    torch_folder.mkdir(parents=True)
    (torch_folder / published.file_name).touch()
    assert find(published, tmp_path) == find(published) == torch_folder / published.file_name
    (tmp_path / published.file_name).touch()
    assert find(published, tmp_path) == tmp_path / published.file_name


def test_a_right_file_is_read(published: WeightFile, server: Path) -> None:
    state = read_weights(published, server)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def test_the_old_form_of_torch_save_is_read(tmp_path: Path) -> None:
    """The files of torchvision date from before torch.save wrote zip files."""
    path = tmp_path / "old.pth"
    torch.save(STATE, path, _use_new_zipfile_serialization=False)
    state = read_state(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert torch.equal(state["features.0.weight"], STATE["features.0.weight"])


def test_a_changed_byte_is_noticed_and_both_sums_are_named(published: WeightFile, server: Path) -> None:
    path = server / published.file_name
    verify(path, published.sha256)
    spoil(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    for check in (lambda: verify(path, published.sha256), lambda: read_weights(published, server)):
        with pytest.raises(WeightsCorrupt, match=f"{found}.*{published.sha256}"):
            check()


class Trap:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.marker,)


def test_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    marker, path = tmp_path / "marker", tmp_path / "trap.pth"
    torch.save({"features.0.weight": Trap(marker)}, path)
    with pytest.raises(pickle.UnpicklingError):
        read_state(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert not marker.exists()


def test_a_missing_file_says_how_to_get_it(published: WeightFile, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="net-0123.pth") as caught:
        read_weights(published, tmp_path)
    assert "python -m evaluation weights fetch net-1" in caught.value.fix
    assert "python -m evaluation weights add FILE" in caught.value.fix
    with pytest.raises(WeightsMissing, match="Known names: vgg19-imagenet1k-v1"):
        weight_file("vgg-99")


def test_a_renamed_copy_is_added_under_its_published_name(
    published: WeightFile, server: Path, tmp_path: Path, torch_folder: Path
) -> None:
    renamed = (server / published.file_name).rename(server / "download(1)")
    catalog = {published.name: published}
    assert add(renamed, tmp_path / "new", catalog=catalog) == tmp_path / "new" / published.file_name
    assert add(renamed, catalog=catalog) == torch_folder / published.file_name
    assert read_weights(published).keys() == STATE.keys()
    assert renamed.exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == [published.file_name]


def test_a_wrong_file_is_not_added(published: WeightFile, server: Path, tmp_path: Path) -> None:
    path = server / published.file_name
    spoil(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    catalog = {published.name: published}
    with pytest.raises(WeightsCorrupt, match=f"{found}, published is {published.sha256}"):
        add(path, tmp_path / "new", catalog=catalog)
    with pytest.raises(WeightsCorrupt, match=f"{found}, which is none .* net-0123.pth"):
        add(path.rename(server / "other"), tmp_path / "new", catalog=catalog)
    with pytest.raises(WeightsMissing, match="no file"):
        add(path, tmp_path / "new", catalog=catalog)
    assert not list((tmp_path / "new").iterdir())


def test_a_file_is_fetched_once(
    published: WeightFile, tmp_path: Path, torch_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fetch(published) == torch_folder / published.file_name
    assert "100%" in capfd.readouterr().err
    unreachable = replace(published, url=(tmp_path / "nothing").as_uri())
    assert fetch(unreachable) == torch_folder / published.file_name
    spoil(torch_folder / published.file_name)
    fetch(published)
    verify(torch_folder / published.file_name, published.sha256)


def test_fetching_without_a_network_says_what_to_do(published: WeightFile, tmp_path: Path) -> None:
    unreachable = replace(published, url="http://127.0.0.1:9/net-0123.pth")
    with pytest.raises(WeightsMissing, match="http://127.0.0.1:9/net-0123.pth") as caught:
        fetch(unreachable, tmp_path / "new")
    assert "weights add FILE" in caught.value.fix
    assert not list((tmp_path / "new").iterdir())


def test_an_address_that_delivers_something_else_leaves_nothing(
    published: WeightFile, server: Path, tmp_path: Path
) -> None:
    spoil(server / published.file_name)
    with pytest.raises(WeightsCorrupt, match=published.sha256):
        fetch(published, tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())


def test_seeded_weights_repeat_and_keep_activations_at_one_scale() -> None:
    layers = [nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.ReLU()) for _ in range(8)]
    network = nn.Sequential(*layers, nn.BatchNorm2d(64)).eval()
    state = seeded_state(network, 3)
    again, other = seeded_state(network, 3), seeded_state(network, 4)
    assert all(torch.equal(state[name], again[name]) for name in state)
    assert not torch.equal(state["0.0.weight"], other["0.0.weight"])
    network.load_state_dict(state)
    with torch.inference_mode():
        maps = network(torch.randn(1, 64, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert 0.5 < float(maps.square().mean()) < 2
