"""The backbone tiny-vgg-1: shapes, taps, batches, the shipped file and its card."""

import hashlib
import re
from io import BytesIO
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load

from evaluation.backbones import tiny_vgg
from evaluation.backbones.tiny_vgg import BLOCKS, CONTENT_TAP, TAPS, TinyVGG, build
from evaluation.weights import check_safetensors

FOLDER = Path(tiny_vgg.__file__).parent
WEIGHTS = FOLDER / tiny_vgg.WEIGHTS_FILE
CARD = FOLDER / "tiny-vgg-1.md"
MAX_BYTES = 4_000_000


@pytest.fixture(scope="module")
def network() -> TinyVGG:
    return build(load(WEIGHTS.read_bytes()))


def images(count: int = 2, height: int = 64, width: int = 64) -> torch.Tensor:
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, (height, width), mode="bilinear")


def test_taps_have_falling_resolution_and_are_rectified(network: TinyVGG) -> None:
    taps = network(images(2, 70, 45))
    assert tuple(taps) == TAPS
    assert CONTENT_TAP in TAPS
    for k, (tap, (channels, _)) in enumerate(zip(TAPS, BLOCKS, strict=True)):
        assert taps[tap].shape == (2, channels, 70 // 2**k, 45 // 2**k)
        assert taps[tap].min() == 0 < taps[tap].max()


def test_nothing_later_changes_a_tap(network: TinyVGG) -> None:
    taps, layers = network(images()), iter(network.layers)
    maps = (images() - network.mean) / network.deviation
    for tap, (_, count) in zip(TAPS, BLOCKS, strict=True):
        for k in range(count):
            maps = next(layers)(maps).clamp_min(0)
            if k == 0:
                torch.testing.assert_close(taps[tap], maps, rtol=1e-5, atol=1e-5)
        maps = F.max_pool2d(maps, 2)


def test_equal_pictures_give_equal_bits(network: TinyVGG) -> None:
    first, second = network(images()), network(images())
    assert all(torch.equal(first[tap], second[tap]) for tap in TAPS)


def test_a_batch_equals_single_pictures(network: TinyVGG) -> None:
    batch = network(images(3))
    for k in range(3):
        single = network(images(3)[k : k + 1])
        for tap in TAPS:
            torch.testing.assert_close(batch[tap][k : k + 1], single[tap], rtol=1e-4, atol=1e-5)


def test_gradients_reach_the_picture(network: TinyVGG) -> None:
    picture = images(1).requires_grad_(True)
    for tap in TAPS:
        (gradient,) = torch.autograd.grad(network(picture)[tap].sum(), picture)
        assert gradient.abs().sum() > 0


def test_gram_matrices_of_all_taps_are_of_one_size(network: TinyVGG) -> None:
    """Losses on Gram matrices are means over entries: no tap may drown the others."""
    for tap, maps in network(images(8, 128, 128)).items():
        flat = maps.flatten(2)
        gram = flat @ flat.transpose(1, 2) / flat.shape[2]
        assert 0.1 < gram.square().mean().sqrt() < 10, tap


def test_the_shipped_file_is_small_well_formed_and_finite() -> None:
    data = WEIGHTS.read_bytes()
    assert len(data) <= MAX_BYTES
    check_safetensors(BytesIO(data), len(data))
    assert all(bool(torch.isfinite(tensor).all()) for tensor in load(data).values())


def test_the_card_names_the_shipped_file() -> None:
    card = CARD.read_text(encoding="utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", card)[0] == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    parameters = sum(parameter.numel() for parameter in TinyVGG().parameters())
    assert f"{parameters:,}" in card


def test_half_precision_is_widened_and_missing_weights_are_refused() -> None:
    state = load(WEIGHTS.read_bytes())
    halves = build({name: tensor.half() for name, tensor in state.items()})
    assert all(parameter.dtype == torch.float32 for parameter in halves.parameters())
    assert not any(parameter.requires_grad for parameter in halves.parameters())
    with pytest.raises(RuntimeError, match="Missing"):
        build({name: state[name] for name in list(state)[1:]})
