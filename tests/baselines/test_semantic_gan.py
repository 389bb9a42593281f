"""Semantic transfer: regions of content and style correspond, and each is compared with its own counterpart."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from baselines.baseline import BACKBONES
from baselines.methods.semantic_gan import RegionDiscriminator, SemanticGAN, region_gram_loss
from baselines.networks.semantic_gan import (
    EPSILON,
    FLOOR,
    LONGEST,
    REGIONS,
    Model,
    denoise,
    distances,
    limit,
    memberships,
    moments,
    positions,
    spread,
)
from baselines.training.losses import gram_loss
from evaluation.backbones import tiny_vgg
from tests.baselines.learning import fixed_batch, new_method


def semantic_gan() -> SemanticGAN:
    method = new_method("semantic_gan")
    assert isinstance(method, SemanticGAN)
    return method


def random_shares(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).mul(3).softmax(dim=1)


def one_region(shares: Tensor, number: int) -> Tensor:
    """Return shares of the same shape that give everything to one region."""
    only = torch.zeros_like(shares)
    only[:, number] = 1
    return only


def test_shares_of_a_position_add_up_to_one_in_pictures_of_any_size() -> None:
    generator, batch = semantic_gan().generator, fixed_batch()
    style = torch.rand(2, 3, 29, 37)
    with torch.inference_mode():
        shares = generator.assign(generator.look(batch.content), generator.look(style))
    assert [tuple(share.shape) for share in shares] == [(2, REGIONS, 8, 8), (2, REGIONS, 8, 10)]
    for share in shares:
        assert float(share.min()) >= 0
        torch.testing.assert_close(share.sum(dim=1), torch.ones_like(share[:, 0]))


def test_dark_finds_dark_and_light_finds_light_wherever_they_are() -> None:
    content, style = torch.full((1, 3, 64, 64), 0.1), torch.full((1, 3, 64, 96), 0.9)
    content[..., 32:] = 0.9  # light on the right
    style[:, :, 32:] = 0.1  # dark below
    generator = semantic_gan().generator
    with torch.inference_mode():
        ours, theirs = generator.assign(generator.look(content), generator.look(style))
    dark, light = ours[0, :, 8, 4], ours[0, :, 8, 12]
    torch.testing.assert_close(theirs[0, :, 12, 12], dark, rtol=0, atol=0.1)
    torch.testing.assert_close(theirs[0, :, 4, 12], light, rtol=0, atol=0.1)
    assert (dark - light).abs().sum() > 1


def test_positions_are_standardized_and_distances_agree_with_a_loop() -> None:
    points = positions(torch.rand(2, 5, 6, 7) * 9 + 3)
    torch.testing.assert_close(points.mean(dim=1), torch.zeros(2, 5), rtol=0, atol=1e-4)
    torch.testing.assert_close(points.std(dim=1, correction=0), torch.ones(2, 5), rtol=1e-2, atol=0)
    centers = torch.randn(2, 3, 5)
    found, share = distances(points, centers), memberships(points, centers)
    for k in range(3):
        expected = (points[1, 20] - centers[1, k]).square().mean()
        torch.testing.assert_close(found[1, 20, k], expected, rtol=1e-4, atol=1e-5)
    assert share[1, 20].argmax() == found[1, 20].argmin()


def test_moments_of_regions_agree_with_a_loop() -> None:
    maps, shares = torch.randn(2, 3, 6, 5) + 4, random_shares(2, REGIONS, 6, 5)
    means, deviations = moments(maps, shares)
    for k in range(REGIONS):
        weight = (shares[1, k] + FLOOR) / (shares[1, k] + FLOOR).sum()
        mean = (weight * maps[1, 2]).sum()
        variance = (weight * (maps[1, 2] - mean).square()).sum() + EPSILON
        torch.testing.assert_close(means[1, k, 2], mean, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(deviations[1, k, 2], variance.sqrt(), rtol=1e-3, atol=1e-4)


def test_a_missing_region_has_the_moments_of_the_whole_picture() -> None:
    maps = torch.randn(1, 3, 20, 20) + 2
    means, deviations = moments(maps, one_region(torch.zeros(1, REGIONS, 20, 20), 0))
    for k in range(1, REGIONS):
        torch.testing.assert_close(means[0, k], maps.mean(dim=(0, 2, 3)))
        expected = (maps.var(dim=(0, 2, 3), correction=0) + EPSILON).sqrt()
        torch.testing.assert_close(deviations[0, k], expected, rtol=1e-4, atol=1e-4)


def test_values_of_regions_are_spread_by_their_shares() -> None:
    values, shares = torch.randn(2, REGIONS, 3), random_shares(2, REGIONS, 4, 5)
    expected = torch.einsum("nkc,nkhw->nchw", values, shares)
    torch.testing.assert_close(spread(values, shares), expected)


def test_the_guided_gram_loss_agrees_with_a_loop_and_knows_equal_pictures() -> None:
    maps, other = torch.rand(1, 4, 6, 6), torch.rand(1, 4, 6, 6)
    shares = [random_shares(1, REGIONS, 6, 6, seed=seed) for seed in (1, 2)]

    def gram(features: Tensor, share: Tensor) -> Tensor:
        weight = (share + FLOOR) / (share + FLOOR).sum()
        return torch.einsum("hw,ihw,jhw->ij", weight, features, features)

    expected = sum(
        shares[0][0, k].mean()
        * (gram(maps[0], shares[0][0, k]) - gram(other[0], shares[1][0, k])).square().mean()
        for k in range(REGIONS)
    )
    found = region_gram_loss(({"r11": maps}, {"r11": other}), shares)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)
    assert region_gram_loss(({"r11": maps}, {"r11": maps}), [shares[0], shares[0]]) == 0


def test_with_one_region_the_guided_gram_loss_is_the_plain_one() -> None:
    batch, method = fixed_batch(), semantic_gan()
    made, wanted = method.features(batch.content), method.features(batch.style)
    everything = one_region(torch.zeros(2, REGIONS, 12, 12), 2)
    found = region_gram_loss((made, wanted), [everything, everything])
    torch.testing.assert_close(found, gram_loss(made, wanted), rtol=1e-3, atol=1e-6)


def test_the_discriminator_mixes_the_logits_of_regions() -> None:
    torch.manual_seed(0)
    judge, images, shares = (
        RegionDiscriminator().eval(),
        torch.rand(2, 3, 32, 32),
        random_shares(2, REGIONS, 4, 4),
    )
    with torch.inference_mode():
        parts = [judge(images, one_region(shares, k)) * shares[:, k : k + 1] for k in range(REGIONS)]
        torch.testing.assert_close(judge(images, shares), torch.stack(parts).sum(dim=0))
        assert not torch.allclose(judge(images, one_region(shares, 0)), judge(images, one_region(shares, 1)))


def test_the_encoder_is_the_start_of_the_shipped_network_and_stays_so() -> None:
    encoder, images = semantic_gan().generator.encoder, fixed_batch().style
    network = tiny_vgg.build(load_file(BACKBONES / tiny_vgg.WEIGHTS_FILE))
    for maps, expected in zip(encoder(images), network(images).values(), strict=False):
        torch.testing.assert_close(maps, expected)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_denoising_removes_small_noise_and_keeps_edges() -> None:
    clean = torch.full((1, 3, 32, 32), 0.2)
    clean[..., 16:] = 0.8
    assert torch.allclose(denoise(clean), clean, atol=1e-5)
    noisy = clean + 0.02 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    assert (denoise(noisy) - clean).std() < 0.6 * (noisy - clean).std()


def test_large_pictures_are_shrunk_and_scaled_back(tmp_path: Path, picture: Any) -> None:
    save_file(semantic_gan().generator.state_dict(), tmp_path / "weights.safetensors")
    (tmp_path / "settings.json").write_text(json.dumps({"strength": 1.0}))
    stylized = Model(str(tmp_path), "cpu").stylize(picture(60, LONGEST + 37, seed=1), picture(40, 50, seed=2))
    assert (stylized.shape, stylized.dtype) == ((60, LONGEST + 37, 3), np.uint8)


def test_only_sides_above_the_limit_are_shrunk() -> None:
    small, large = torch.rand(1, 3, 20, LONGEST), torch.rand(1, 3, 100, 2 * LONGEST)
    assert limit(small).equal(small)
    assert limit(large).shape == (1, 3, 50, LONGEST)
