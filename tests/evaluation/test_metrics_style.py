"""Gram and mean/deviation losses: against naive loops, under permutations, under damage, refusals."""

import numpy as np
import pytest
import torch

from evaluation.errors import InvalidTensor
from evaluation.metrics.style import gram_loss, mean_std_loss, style_statistics


def features(seed: int = 0, shape: tuple[int, ...] = (1, 4, 5, 6)) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive_gram_loss(ours: np.ndarray, theirs: np.ndarray) -> float:
    """E_l as printed by Gatys et al. for one layer of equal sizes: plain loops over channels and positions."""
    channels, positions = ours.shape
    total = 0.0
    for i in range(channels):
        for j in range(channels):
            g = sum(ours[i, k] * ours[j, k] for k in range(positions))
            a = sum(theirs[i, k] * theirs[j, k] for k in range(positions))
            total += (g - a) ** 2
    return total / (4 * channels**2 * positions**2)


def test_gram_loss_equals_the_printed_formula_by_naive_loops() -> None:
    ours, theirs = features(0), features(1)
    expected = naive_gram_loss(ours.double().view(4, 30).numpy(), theirs.double().view(4, 30).numpy())
    result = gram_loss([style_statistics(ours)], [style_statistics(theirs)])
    assert result.tolist() == pytest.approx([expected], rel=1e-9)


def test_layers_are_weighted() -> None:
    ours, theirs = (
        [style_statistics(features(k)) for k in (0, 1)],
        [style_statistics(features(k)) for k in (2, 3)],
    )
    first, second = (gram_loss([o], [t]).item() for o, t in zip(ours, theirs, strict=True))
    assert gram_loss(ours, theirs).item() == pytest.approx((first + second) / 2)
    assert gram_loss(ours, theirs, [3.0, 0.5]).item() == pytest.approx(3 * first + second / 2)


def test_statistics_equal_those_of_torch_and_numpy() -> None:
    layer = features(0, (2, 7, 60, 50))
    statistics, flat = style_statistics(layer), layer.double().flatten(2)
    torch.testing.assert_close(statistics.mean, flat.mean(dim=2), rtol=1e-12, atol=0)
    std = (flat.var(dim=2, unbiased=True) + 1e-5).sqrt()
    torch.testing.assert_close(statistics.std, std, rtol=1e-10, atol=0)
    torch.testing.assert_close(statistics.gram, flat @ flat.transpose(1, 2) / 3000, rtol=1e-12, atol=0)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_single_precision_costs_about_a_millionth(memory_format: torch.memory_format) -> None:
    layer = 30 + features(0, (1, 16, 256, 256)).contiguous(
        memory_format=memory_format
    )  # small variance, large mean
    exact, single = style_statistics(layer), style_statistics(layer.float())
    for ours, theirs in ((single.gram, exact.gram), (single.mean, exact.mean), (single.std, exact.std)):
        torch.testing.assert_close(ours, theirs, rtol=3e-6, atol=0)


def test_mean_std_loss_by_hand() -> None:
    ours, theirs = features(0).double().view(4, 30).numpy(), features(1).double().view(4, 30).numpy()

    def deviation(x: np.ndarray) -> np.ndarray:
        return np.sqrt(x.var(axis=1, ddof=1) + 1e-5)

    expected = ((ours.mean(1) - theirs.mean(1)) ** 2).mean() + (
        (deviation(ours) - deviation(theirs)) ** 2
    ).mean()
    result = mean_std_loss([style_statistics(features(0))], [style_statistics(features(1))])
    assert result.tolist() == pytest.approx([expected], rel=1e-9)


def test_permuting_positions_changes_nothing() -> None:
    layer = features(0, (1, 4, 20, 20))
    order = torch.randperm(400, generator=torch.Generator().manual_seed(3))
    shuffled = style_statistics(layer.flatten(2)[:, :, order].view(1, 4, 20, 20))
    assert gram_loss([shuffled], [style_statistics(layer)]).item() < 1e-20
    assert mean_std_loss([shuffled], [style_statistics(layer)]).item() < 1e-20


def test_permuting_the_channels_of_one_side_changes_both() -> None:
    """A "Gram matrix" of the flattened map is 1 x 1 and would not notice."""
    layer = features(0) * torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1, 1)
    turned = style_statistics(layer.roll(1, dims=1))
    assert gram_loss([turned], [style_statistics(layer)]).item() > 0.01
    assert mean_std_loss([turned], [style_statistics(layer)]).item() > 0.01


def test_gram_sees_how_channels_go_together_and_mean_std_does_not() -> None:
    layer = features(0, (1, 2, 10, 10))
    apart = layer.clone()
    apart[:, 1] = layer[:, 1].flip(2)
    assert mean_std_loss([style_statistics(apart)], [style_statistics(layer)]).item() < 1e-20
    assert gram_loss([style_statistics(apart)], [style_statistics(layer)]).item() > 1e-8


def test_images_of_different_sizes_compare() -> None:
    small, tiled = features(0), features(0).repeat(1, 1, 2, 2)
    assert gram_loss([style_statistics(small)], [style_statistics(tiled)]).item() < 1e-20


@pytest.mark.parametrize("loss", [gram_loss, mean_std_loss])
def test_identity_symmetry_and_damage(loss) -> None:  # type: ignore[no-untyped-def]
    style, other = features(0), features(1)
    mixes = [style_statistics(style + k * (other * 2 - style)) for k in (0.0, 0.3, 0.6, 1.0)]
    losses = [loss([mix], [mixes[0]]).item() for mix in mixes]
    assert losses[0] == 0
    assert losses == sorted(losses)
    assert losses[1] < losses[3]
    assert loss([mixes[0]], [mixes[3]]).item() == losses[3]


def test_a_batch_equals_single_calls() -> None:
    ours, theirs = features(0, (3, 4, 9, 9)), features(1, (3, 4, 9, 9))
    for loss in (gram_loss, mean_std_loss):
        batch = loss([style_statistics(ours)], [style_statistics(theirs)]).tolist()
        singles = [
            loss([style_statistics(ours[k : k + 1])], [style_statistics(theirs[k : k + 1])]).item()
            for k in range(3)
        ]
        assert batch == pytest.approx(singles, rel=1e-9)


def test_half_precision_features_are_summed_in_double() -> None:
    layer = features(0, (1, 4, 64, 64))
    exact, half = style_statistics(layer), style_statistics(layer.half())
    assert half.gram.dtype == half.mean.dtype == half.std.dtype == torch.float64
    torch.testing.assert_close(half.gram, exact.gram, rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    "layer",
    [
        features(0, (4, 5, 6)),
        features(0, (1, 4, 1, 1)),
        torch.zeros(1, 4, 5, 6, dtype=torch.int64),
        features() * torch.nan,
    ],
    ids=["dimensions", "one position", "dtype", "nan"],
)
def test_wrong_features_are_refused(layer: torch.Tensor) -> None:
    with pytest.raises(InvalidTensor):
        style_statistics(layer)


def test_layers_and_channels_must_match() -> None:
    one, wide = style_statistics(features()), style_statistics(features(0, (1, 5, 5, 6)))
    for loss in (gram_loss, mean_std_loss):
        for ours, theirs in (([one], [one, one]), ([], []), ([one], [wide])):
            with pytest.raises(InvalidTensor):
                loss(ours, theirs)
    with pytest.raises(InvalidTensor):
        gram_loss([one], [one], [0.5, 0.5])
