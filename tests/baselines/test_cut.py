"""CUT: the contrastive loss is that of the paper, on the right patches, and teaches one side only."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.methods.cut import CUT, TEMPERATURE, at_places, patch_contrast
from baselines.networks.cut import TAPS
from tests.baselines.learning import SIDE, fixed_batch, new_method


def cut() -> CUT:
    method = new_method("cut")
    assert isinstance(method, CUT)
    return method


def directions(*shape: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_the_contrast_agrees_with_a_loop_over_patches() -> None:
    queries, keys = directions(2, 5, 8, seed=1), directions(2, 5, 8, seed=2)
    for image in range(2):
        total = 0.0
        for p in range(5):
            likeness = [math.exp(float(queries[image, p] @ keys[image, k]) / TEMPERATURE) for k in range(5)]
            total -= math.log(likeness[p] / sum(likeness)) / 5
        torch.testing.assert_close(patch_contrast(queries, keys)[image].item(), total, rtol=1e-4, atol=1e-5)


def test_patches_that_look_alike_cannot_be_told_apart() -> None:
    same = directions(1, 1, 8, seed=1).expand(1, 64, 8)
    torch.testing.assert_close(patch_contrast(same, same).item(), math.log(64))


def test_patches_at_right_angles_are_recognized() -> None:
    keys = torch.eye(32)[None]
    assert patch_contrast(keys, keys).item() < 1e-4
    assert patch_contrast(keys.flip(1), keys).item() > 10


def test_other_pictures_of_the_batch_are_no_negatives() -> None:
    queries, keys = directions(2, 6, 8, seed=1), directions(2, 6, 8, seed=2)
    alone = patch_contrast(queries[:1], keys[:1])
    torch.testing.assert_close(patch_contrast(queries, keys)[:1], alone)


def test_positions_are_picked_row_by_row() -> None:
    maps = torch.arange(12).float().view(1, 1, 3, 4)
    assert at_places(maps, torch.tensor([0, 5, 11])).flatten().tolist() == [0, 5, 11]


def test_taps_have_the_channels_that_the_heads_expect() -> None:
    method = cut()
    with torch.inference_mode():
        taps = method.generator.encode(fixed_batch().content)
        unit = method.heads([at_places(tap, torch.arange(9)) for tap in taps])
    assert tuple(tap.shape[1] for tap in taps) == TAPS
    assert [tap.shape[2] for tap in taps] == [SIDE, SIDE, SIDE // 2, SIDE // 4, SIDE // 4, SIDE // 4]
    assert all(torch.allclose(rows.norm(dim=2), torch.ones(2, 9)) for rows in unit)


def test_a_picture_in_its_place_contrasts_less_than_one_that_is_mirrored() -> None:
    method, batch = cut(), fixed_batch()
    with torch.inference_mode():
        taps, mirrored = (method.generator.encode(c) for c in (batch.content, batch.content.flip(3)))
        torch.manual_seed(0)
        kept = method._contrast(taps, taps)
        torch.manual_seed(0)
        lost = method._contrast(taps, mirrored)
    assert bool((kept < 0.7 * lost).all())


def test_the_discriminator_learns_that_art_is_real() -> None:
    method, batch = cut(), fixed_batch()
    method.generator_losses(batch)
    loss = method.discriminator_losses(batch)["discriminator"].item()
    with torch.no_grad():
        made = method.discriminator(method.generator(batch.content, batch.style))
        expected = ((method.discriminator(batch.style) - 1).square().mean() + made.square().mean()).item() / 2
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-6)


def test_the_style_image_makes_no_difference() -> None:
    method, batch = cut(), fixed_batch()
    with torch.inference_mode():
        first = method.generator(batch.content, batch.style)
        assert torch.equal(first, method.generator(batch.content, batch.content, 0.3))
