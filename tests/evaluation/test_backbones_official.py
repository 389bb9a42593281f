"""The official backbones: their pins, where their weights come from, what they refuse, what they return."""

import hashlib
import importlib
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from evaluation.backbones.registry import Backbone, backbone_digest, backbone_names, load_backbone
from evaluation.backbones.weight_files import CATALOG, WeightFile
from evaluation.errors import InvalidSuite, InvalidTensor, WeightsCorrupt, WeightsMissing

HAS_TIMM = find_spec("timm") is not None
needs_timm = pytest.mark.skipif(not HAS_TIMM, reason="timm is not installed, which only DINO needs")
OFFICIAL = tuple(name for name in CATALOG if HAS_TIMM or name != "dino-vits8")
MAPS = tuple(name for name in OFFICIAL if name not in ("inception-2015-12-05", "dino-vits8"))
SMALL = "lpips-squeeze-0.1"
SHAPES = {
    "vgg19-imagenet1k-v1": {
        "relu1_1": (64, 64),
        "relu2_1": (128, 32),
        "relu3_1": (256, 16),
        "relu4_1": (512, 8),
        "relu4_2": (512, 8),
        "relu5_1": (512, 4),
    },
    "lpips-alex-0.1": {
        "relu1": (64, 15),
        "relu2": (192, 7),
        "relu3": (384, 3),
        "relu4": (256, 3),
        "relu5": (256, 3),
    },
    "lpips-vgg-0.1": {
        "relu1_2": (64, 64),
        "relu2_2": (128, 32),
        "relu3_3": (256, 16),
        "relu4_3": (512, 8),
        "relu5_3": (512, 4),
    },
    "lpips-squeeze-0.1": {
        "relu1": (64, 31),
        "relu2": (128, 15),
        "relu3": (256, 7),
        "relu4": (384, 3),
        "relu5": (384, 3),
        "relu6": (512, 3),
        "relu7": (512, 3),
    },
}


def pictures(n: int, side: int = 64) -> torch.Tensor:
    """Seeded 8-bit pictures as floats."""
    levels = torch.randint(0, 256, (n, 3, side, side), generator=torch.Generator().manual_seed(n))
    return levels.float() / 255


@pytest.fixture(scope="module")
def backbones() -> dict[str, Backbone]:
    """Every official backbone with random weights."""
    return {name: load_backbone(name, random_seed=1) for name in OFFICIAL}


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, WeightFile]:
    """A catalog in which a seeded state is what was published for SMALL; the file lies in `tmp_path`."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    state = load_backbone(SMALL, random_seed=5).network.state_dict()
    path = tmp_path / CATALOG[SMALL].file_name
    torch.save(dict(state) | {"classifier.1.bias": torch.zeros(1000)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {SMALL: replace(CATALOG[SMALL], sha256=digest)}


def test_every_official_backbone_is_registered_with_a_pin(backbones: dict[str, Backbone]) -> None:
    assert set(OFFICIAL) < set(backbone_names())
    pins = {backbone_digest(name) for name in backbone_names()}
    assert len(pins) == len(backbone_names())
    assert all(len(pin) == 64 for pin in pins)
    with pytest.raises(InvalidSuite, match="vgg-99"):
        backbone_digest("vgg-99")


def test_pins_are_known_without_loading_what_computes() -> None:
    code = (
        "import sys; from evaluation.backbones.registry import backbone_digest;"
        "backbone_digest('vgg19-imagenet1k-v1');"
        "print([m for m in ('torchvision', 'torch_fidelity', 'timm', 'lpips') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_changed_definition_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {"vgg19-imagenet1k-v1": "vgg19", "inception-2015-12-05": "inception", "dino-vits8": "dino"}
    module = importlib.import_module(f"evaluation.backbones.{modules.get(name, 'lpips_nets')}")
    monkeypatch.setattr(module, "ARITHMETIC", "something else")
    with pytest.raises(InvalidSuite, match="was changed"):
        load_backbone(name, random_seed=0)


def test_random_weights_never_pass_for_published_ones(backbones: dict[str, Backbone]) -> None:
    for name, backbone in backbones.items():
        assert backbone.digest == hashlib.sha256(f"random weights, seed 1, {name}".encode()).hexdigest()
        assert backbone.digest != backbone_digest(name)
    other = load_backbone(SMALL, random_seed=2)
    assert other.digest != backbones[SMALL].digest
    assert not torch.equal(
        other.extract(pictures(1))["relu1"], backbones[SMALL].extract(pictures(1))["relu1"]
    )


def test_without_its_file_a_backbone_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in OFFICIAL:
        with pytest.raises(WeightsMissing, match=CATALOG[name].file_name) as caught:
            load_backbone(name, weights_dir=tmp_path)
        assert f"python -m evaluation weights fetch {name}" in caught.value.fix


def test_weights_come_from_the_published_file(published: dict[str, WeightFile], tmp_path: Path) -> None:
    loaded = load_backbone(SMALL, weights_dir=tmp_path, catalog=published)
    seeded = load_backbone(SMALL, random_seed=5)
    images = pictures(2)
    for name, tap in loaded.extract(images).items():
        assert torch.equal(tap, seeded.extract(images)[name])
    assert loaded.digest not in (seeded.digest, backbone_digest(SMALL))


def test_another_file_under_the_published_name_is_refused(
    published: dict[str, WeightFile], tmp_path: Path
) -> None:
    assert (tmp_path / CATALOG[SMALL].file_name).exists()
    with pytest.raises(WeightsCorrupt, match=f"published is {CATALOG[SMALL].sha256}"):
        load_backbone(SMALL, weights_dir=tmp_path)


def test_a_file_with_a_missing_layer_is_refused(published: dict[str, WeightFile], tmp_path: Path) -> None:
    path = tmp_path / CATALOG[SMALL].file_name
    state = torch.load(path, weights_only=True)
    del state["features.3.squeeze.weight"]
    torch.save(state, path)
    catalog = {SMALL: replace(published[SMALL], sha256=hashlib.sha256(path.read_bytes()).hexdigest())}
    with pytest.raises(RuntimeError, match="features.3.squeeze.weight"):
        load_backbone(SMALL, weights_dir=tmp_path, catalog=catalog)


@pytest.mark.parametrize("module", ["timm", "lpips", "torch_fidelity"])
def test_a_package_that_is_not_installed_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, ours = {
        "timm": ("dino-vits8", "dino"),
        "lpips": ("lpips-alex-0.1", "lpips_nets"),
        "torch_fidelity": ("inception-2015-12-05", "inception"),
    }[module]
    for loaded in [each for each in sys.modules if each.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.delitem(sys.modules, f"evaluation.backbones.{ours}", raising=False)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "site-packages" not in p])
    importlib.invalidate_caches()
    with pytest.raises(InvalidSuite, match=f"{name} needs the package {module}"):
        load_backbone(name, random_seed=0)


@pytest.mark.parametrize("name", MAPS)
def test_taps_have_the_shapes_of_the_network(name: str, backbones: dict[str, Backbone]) -> None:
    backbone = backbones[name]
    taps = backbone.extract(pictures(2))
    expected = {tap: (2, channels, side, side) for tap, (channels, side) in SHAPES[name].items()}
    assert {tap: tuple(maps.shape) for tap, maps in taps.items()} == expected
    assert set(backbone.taps) | {backbone.content_tap} == taps.keys()
    assert list(backbone.taps) == [tap for tap in taps if tap in backbone.taps]
    assert all(float(maps.min()) == 0 for maps in taps.values())


def test_whole_picture_features_have_their_sizes(backbones: dict[str, Backbone]) -> None:
    features = backbones["inception-2015-12-05"].extract(pictures(2, 40))
    assert {name: tuple(tensor.shape) for name, tensor in features.items()} == {"pool3": (2, 2048)}


@needs_timm
def test_dino_gives_a_key_for_each_patch_and_the_whole(backbones: dict[str, Backbone]) -> None:
    keys = backbones["dino-vits8"].extract(pictures(1, 256))
    assert {name: tuple(tensor.shape) for name, tensor in keys.items()} == {"keys": (1, 785, 384)}


def test_only_lpips_has_heads_and_they_are_not_negative(backbones: dict[str, Backbone]) -> None:
    for name, backbone in backbones.items():
        if name.startswith("lpips"):
            channels = [SHAPES[name][tap][0] for tap in backbone.taps]
            assert [tuple(head.shape) for head in backbone.heads] == [(1, c, 1, 1) for c in channels]
            assert all(float(head.min()) >= 0 for head in backbone.heads)
        else:
            assert backbone.heads == ()


@pytest.mark.parametrize("name", OFFICIAL)
def test_networks_are_frozen_and_single_precision(name: str, backbones: dict[str, Backbone]) -> None:
    backbone = backbones[name]
    assert not backbone.network.training
    assert not any(parameter.requires_grad for parameter in backbone.network.parameters())
    assert {p.dtype for p in backbone.network.parameters()} == {torch.float32}
    assert {p.device.type for p in backbone.network.parameters()} == {"cpu"}


def test_loading_turns_tf32_off() -> None:
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = True
    load_backbone(SMALL, random_seed=0)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize(
    "images",
    [
        torch.rand(3, 64, 64),
        torch.rand(1, 1, 64, 64),
        torch.rand(1, 3, 64, 64).double(),
        torch.zeros(1, 3, 64, 64, dtype=torch.uint8),
        torch.zeros(0, 3, 64, 64),
        torch.full((1, 3, 64, 64), float("nan")),
        torch.full((1, 3, 64, 64), 1.001),
        torch.full((1, 3, 64, 64), -0.001),
        torch.rand(1, 3, 16, 64),
    ],
    ids=["3-d", "gray", "double", "bytes", "empty", "nan", "above", "below", "small"],
)
def test_other_tensors_than_pictures_are_refused(
    images: torch.Tensor, backbones: dict[str, Backbone]
) -> None:
    with pytest.raises(InvalidTensor, match=SMALL):
        backbones[SMALL].extract(images)


@pytest.mark.parametrize("name", MAPS)
def test_the_smallest_side_is_the_smallest_that_works(name: str, backbones: dict[str, Backbone]) -> None:
    backbone = backbones[name]
    backbone.extract(pictures(1, backbone.min_side))
    with pytest.raises(InvalidTensor, match=f"sides of {backbone.min_side} pixels"):
        backbone.extract(pictures(1, backbone.min_side - 1))
    with pytest.raises(RuntimeError):
        backbone.network(pictures(1, backbone.min_side - 1))


def test_inception_refuses_values_between_the_levels_of_a_byte(backbones: dict[str, Backbone]) -> None:
    every_level = (torch.arange(768) % 256).view(1, 3, 16, 16).float() / 255
    backbones["inception-2015-12-05"].extract(every_level)
    with pytest.raises(InvalidTensor, match="multiples of 1/255"):
        backbones["inception-2015-12-05"].extract(torch.full((1, 3, 16, 16), 0.5))


@needs_timm
def test_dino_refuses_oblong_pictures(backbones: dict[str, Backbone]) -> None:
    with pytest.raises(InvalidTensor, match="square"):
        backbones["dino-vits8"].extract(torch.rand(1, 3, 32, 48))


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_batch_gives_exactly_what_single_pictures_give(name: str, backbones: dict[str, Backbone]) -> None:
    images = pictures(2)
    together = backbones[name].extract(images)
    for tap, alone in backbones[name].extract(images[1:]).items():
        assert torch.equal(together[tap][1:], alone)
        assert (alone.dtype, alone.requires_grad) == (torch.float32, False)
