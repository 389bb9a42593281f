"""The official backbones against the libraries that they come from, on equal seeded weights.

Tolerances are relative to the largest value of a tap: convolutions in single precision, added up in another order,
differ by some 3e-6 at most after sixteen layers.
"""

import io
from collections.abc import Iterator

import lpips
import pytest
import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchvision.models import vgg19

from evaluation.backbones.registry import Backbone, load_backbone
from evaluation.backbones.tapped_layers import TappedLayers
from evaluation.metrics.perceptual import unit_normalize

VGG_INDEX = {"relu1_1": 1, "relu2_1": 6, "relu3_1": 11, "relu4_1": 20, "relu4_2": 22, "relu5_1": 29}
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def pictures(n: int, side: int = 64, seed: int = 0) -> Tensor:
    levels = torch.randint(0, 256, (n, 3, side, side), generator=torch.Generator().manual_seed(seed))
    return levels.float() / 255


def gap(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.fixture(scope="module", autouse=True)
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def vgg() -> Backbone:
    return load_backbone("vgg19-imagenet1k-v1", random_seed=3)


def hooked_taps(features: nn.Sequential, images: Tensor) -> dict[str, Tensor]:
    """Run torchvision's layers and copy what the hooks see, before the next layer can touch it."""
    taps = {}
    for name, index in VGG_INDEX.items():
        features[index].register_forward_hook(lambda _, __, out, name=name: taps.update({name: out.clone()}))
    features(images)
    return taps


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_vgg19_taps_are_torchvisions(vgg: Backbone, dtype: torch.dtype) -> None:
    with torch.device("meta"):
        features = vgg19(init_weights=False).features
    state = {name.removeprefix("features."): weight for name, weight in vgg.network.state_dict().items()}
    features.load_state_dict(state, strict=False, assign=True)
    features = features[:30].to(memory_format=torch.contiguous_format).to(dtype)
    images = pictures(1)
    theirs = hooked_taps(features, ((images - MEAN) / STD).to(dtype))
    ours = vgg.extract(images)
    assert ours.keys() == theirs.keys()
    for name, tap in ours.items():
        assert tap.dtype == torch.float32
        assert gap(tap.to(dtype), theirs[name]) < 5e-6


def test_no_later_layer_writes_over_a_tap() -> None:
    """A convolution's output in front of an in-place ReLU keeps its negative values, and a tap of a ReLU its own."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)
    layers = nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))
    images = pictures(1, 16)
    taps = TappedLayers(layers, {0: "conv1", 1: "relu1", 2: "conv2", 3: "relu2"})(images)
    expected = {"conv1": first((images - MEAN) / STD)}
    expected["relu1"] = expected["conv1"].clamp_min(0)
    expected["conv2"] = second(expected["relu1"])
    expected["relu2"] = expected["conv2"].clamp_min(0)
    assert float(expected["conv1"].min()) < 0
    assert float(expected["conv2"].min()) < 0
    for name, tap in taps.items():
        assert float(tap.min()) == pytest.approx(float(expected[name].min()), rel=1e-5)
        assert gap(tap, expected[name]) < 1e-6


def test_taps_of_vgg19_share_no_memory(vgg: Backbone) -> None:
    """Metrics may normalize a tap in place; the others must stay as they are."""
    taps = vgg.extract(pictures(1, 32))
    kept = {name: tap.clone() for name, tap in taps.items()}
    for name in taps:
        taps[name].zero_()
        for other in [each for each in taps if each > name]:
            assert torch.equal(taps[other], kept[other])


@pytest.mark.filterwarnings("ignore:The parameter 'pretrained' is deprecated:UserWarning")
@pytest.mark.filterwarnings("ignore:Arguments other than a weight enum:UserWarning")
@pytest.mark.parametrize("net", ["alex", "vgg", "squeeze"])
def test_lpips_is_that_of_its_authors(net: str) -> None:
    ours = load_backbone(f"lpips-{net}-0.1", random_seed=7)
    theirs = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    state = ours.network.state_dict()
    theirs.net.load_state_dict(
        {name: state["features." + name.partition(".")[2]] for name in theirs.net.state_dict()}
    )
    stylized, content = pictures(2, seed=1), pictures(2, seed=2)
    distances = torch.zeros(2)
    taps = ours.extract(stylized), ours.extract(content)
    for tap, head in zip(ours.taps, ours.heads, strict=True):
        squares = (unit_normalize(taps[0][tap]) - unit_normalize(taps[1][tap])).square()
        distances += (squares * head).sum(dim=1).mean(dim=(1, 2))
    expected = theirs(stylized, content, normalize=True).flatten()
    torch.testing.assert_close(distances, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(theirs(2 * stylized - 1, 2 * content - 1).flatten(), expected)
    # the mistake that is made most often: [0, 1] where [-1, 1] was expected
    assert float((theirs(stylized, content).flatten() / expected - 1).abs().min()) > 0.1


def test_inception_features_are_torch_fidelitys() -> None:
    ours = load_backbone("inception-2015-12-05", random_seed=11)
    file = io.BytesIO()
    torch.save(ours.network.state_dict(), file)
    file.seek(0)
    theirs = FeatureExtractorInceptionV3("reference", ["2048"], feature_extractor_weights_path=file)
    for side in (64, 320):  # both are resized to 299
        images = pictures(1, side)
        (expected,) = theirs((images * 255).round().to(torch.uint8))
        assert expected.shape == (1, 2048)
        assert gap(ours.extract(images)["pool3"], expected) < 5e-6


def test_dino_keys_are_those_of_timms_network() -> None:
    ours = load_backbone("dino-vits8", random_seed=13)
    with torch.device("meta"):
        theirs = timm.create_model("vit_small_patch8_224.dino", pretrained=False).eval()
    theirs.load_state_dict(ours.network.state_dict(), assign=True)
    seen: list[Tensor] = []
    theirs.blocks[11].attn.qkv.register_forward_hook(lambda _, __, out: seen.append(out))
    images = pictures(1, 256)
    resized = F.interpolate(images, size=(224, 224), mode="bilinear", antialias=True, align_corners=False)
    theirs((resized - MEAN) / STD)
    heads = seen[0].view(1, 785, 3, 6, 64)[:, :, 1]  # (N, T, heads, D / heads)
    assert gap(ours.extract(images)["keys"], heads.flatten(2)) < 5e-6


@pytest.mark.parametrize("name", ["vgg19-imagenet1k-v1", "lpips-alex-0.1"])
def test_a_whole_batch_through_the_network_gives_what_single_pictures_give(name: str) -> None:
    """On a GPU, `extract` hands the network whole batches."""
    backbone = load_backbone(name, random_seed=17)
    images = pictures(4)
    together, alone = backbone.network(images), backbone.extract(images)
    for tap in together:
        assert gap(together[tap], alone[tap]) < 5e-6
