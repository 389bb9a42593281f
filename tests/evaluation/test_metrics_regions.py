"""Region Gram matrices: naive loops, pooling and erosion of masks, matched regions, leakage, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.metrics.regions import pool_masks, region_gram_loss, region_grams, region_leakage
from evaluation.metrics.style import gram_loss, style_statistics


def features(seed: int = 0, shape: tuple[int, ...] = (1, 4, 8, 8)) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def halves(n: int = 1, side: int = 8) -> torch.Tensor:
    """Two regions: left and right."""
    masks = torch.zeros(n, 2, side, side)
    masks[:, 0, :, : side // 2] = 1
    masks[:, 1, :, side // 2 :] = 1
    return masks


def two_styles(left: int, right: int) -> torch.Tensor:
    """A layer whose left half has the statistics of one seed and whose right half has those of another."""
    scales = torch.tensor([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], [2.0, 2.0, 2.0, 2.0]])
    layer = features(left * 7 + right)
    side = torch.cat(
        [scales[left][:, None].expand(4, 4), scales[right][:, None].expand(4, 4)], dim=1
    )  # (4, 8)
    return layer * side[None, :, None, :]


def test_region_grams_equal_naive_loops() -> None:
    layer, masks = features(0, (1, 3, 4, 5)).double(), features(1, (1, 2, 4, 5)).double()
    result = region_grams(layer, masks)
    for r in range(2):
        weight = sum(masks[0, r, y, x].item() ** 2 for y in range(4) for x in range(5))
        for i in range(3):
            for j in range(3):
                total = sum(
                    (layer[0, i, y, x] * masks[0, r, y, x] * layer[0, j, y, x] * masks[0, r, y, x]).item()
                    for y in range(4)
                    for x in range(5)
                )
                assert result[0, r, i, j].item() == pytest.approx(total / weight, rel=1e-12)


def test_one_region_of_everything_is_the_plain_gram_loss() -> None:
    ours, theirs, whole = features(0), features(1), torch.ones(1, 1, 8, 8)
    regional = region_gram_loss([region_grams(ours, whole)], [region_grams(theirs, whole)])
    plain = gram_loss([style_statistics(ours)], [style_statistics(theirs)])
    assert regional.item() == pytest.approx(plain.item(), rel=1e-6)


def test_regions_of_different_sizes_compare() -> None:
    layer = features().repeat(1, 1, 1, 2)  # the right half repeats the left
    small, large = torch.zeros(1, 1, 8, 16), torch.ones(1, 1, 8, 16)
    small[:, :, :, :8] = 1
    torch.testing.assert_close(region_grams(layer, small), region_grams(layer, large))


def test_what_lies_outside_a_region_does_not_count() -> None:
    layer = features()
    changed = layer.clone()
    changed[:, :, :, 4:] = 5
    grams, other = region_grams(layer, halves()), region_grams(changed, halves())
    assert torch.equal(grams[:, 0], other[:, 0])
    assert not torch.equal(grams[:, 1], other[:, 1])


def test_masks_are_pooled_and_then_eroded_away_from_each_other_but_not_from_the_border() -> None:
    pooled = pool_masks(halves(side=16), (8, 8), erosion=1)
    assert pooled[0, 0, 0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert pooled[0, 1, 7].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert pool_masks(halves(side=16), (8, 8), erosion=0)[0, 0, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert pool_masks(halves(side=6), (3, 3), erosion=0)[0, 0, 0].tolist() == [1, 0.5, 0]


def test_the_right_styles_in_the_right_regions_lose_nothing_and_swapped_ones_do() -> None:
    style = [region_grams(two_styles(0, 1), halves())]
    swapped = [region_grams(two_styles(1, 0), halves())]
    assert region_gram_loss(style, style).item() == 0
    assert region_gram_loss(swapped, style).item() > 0.1
    assert region_leakage(style, style).item() > 0
    assert region_leakage(swapped, style).item() < 0


def test_leakage_grows_smoother_as_one_style_covers_both_regions() -> None:
    """From styles in place, over one style everywhere, to swapped styles: the margin falls throughout."""
    style = [region_grams(two_styles(0, 1), halves())]
    clean, swapped = two_styles(0, 1), two_styles(1, 0)
    margins = [
        region_leakage([region_grams(clean + k * (swapped - clean), halves())], style).item()
        for k in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert margins == sorted(margins, reverse=True)


def test_leakage_by_hand_takes_the_nearest_wrong_region() -> None:
    style = torch.tensor([0.0, 2.0, 6.0]).view(1, 3, 1, 1)
    stylized = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    # right: 1, 0, 9; nearest wrong: 1 (region 1), 4 (region 0), 1 (region 1); a quarter of each
    assert region_leakage([stylized], [style]).item() == pytest.approx((0 + 4 - 8) / 4 / 3)
    assert region_gram_loss([stylized], [style]).item() == pytest.approx((1 + 0 + 9) / 4)


def test_layers_are_averaged_and_a_batch_equals_single_calls() -> None:
    ours = [region_grams(features(k, (3, 4, 8, 8)), halves(3)) for k in (0, 1)]
    theirs = [region_grams(features(k, (3, 4, 8, 8)), halves(3)) for k in (2, 3)]
    for measure in (region_gram_loss, region_leakage):
        batch = measure(ours, theirs)
        assert batch.shape == (3,)
        singles = [
            measure([o[k : k + 1] for o in ours], [t[k : k + 1] for t in theirs]).item() for k in range(3)
        ]
        assert batch.tolist() == pytest.approx(singles, rel=1e-9)
    mean = sum(region_gram_loss([o], [t]) for o, t in zip(ours, theirs, strict=True)) / 2
    torch.testing.assert_close(region_gram_loss(ours, theirs), mean)


@given(seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_shuffling_positions_inside_a_region_changes_nothing(seed: int) -> None:
    layer = features(seed)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(32))
    shuffled = layer.clone()
    shuffled[:, :, :, :4] = layer[:, :, :, :4].reshape(1, 4, 32)[:, :, order].view(1, 4, 8, 4)
    torch.testing.assert_close(region_grams(shuffled, halves()), region_grams(layer, halves()))


def test_a_region_of_which_nothing_is_left_is_named() -> None:
    masks = halves(2)
    masks[1, 0] = 0
    with pytest.raises(InvalidTensor, match="region 0 of image 1"):
        region_grams(features(0, (2, 4, 8, 8)), masks)


@pytest.mark.parametrize(
    ("layer", "masks"),
    [
        (features(), halves(side=4)),
        (features(), halves(2)),
        (features()[0], halves()),
        (features() * torch.nan, halves()),
        (features(), halves() * torch.nan),
        (features(), halves().long()),
    ],
    ids=["size", "batch", "dimensions", "nan", "nan mask", "dtype"],
)
def test_wrong_layers_and_masks_are_refused(layer: torch.Tensor, masks: torch.Tensor) -> None:
    with pytest.raises(InvalidTensor):
        region_grams(layer, masks)


@pytest.mark.parametrize("bad", [2.0, -0.1, torch.nan])
def test_masks_outside_their_range_are_refused(bad: float) -> None:
    masks = halves()
    masks[0, 0, 0, 0] = bad
    with pytest.raises(InvalidTensor):
        pool_masks(masks, (4, 4))


def test_layers_larger_than_the_masks_and_unequal_layers_are_refused() -> None:
    with pytest.raises(InvalidTensor):
        pool_masks(halves(), (16, 8))
    with pytest.raises(InvalidTensor):
        pool_masks(halves(), (4, 4), erosion=-1)
    grams = region_grams(features(), halves())
    for measure in (region_gram_loss, region_leakage):
        for ours, theirs in (
            ([grams], [grams, grams]),
            ([], []),
            ([grams], [grams[:, :1]]),
            ([grams[0]], [grams[0]]),
        ):
            with pytest.raises(InvalidTensor):
                measure(ours, theirs)
    with pytest.raises(InvalidTensor, match="two regions"):
        region_leakage([grams[:, :1]], [grams[:, :1]])
