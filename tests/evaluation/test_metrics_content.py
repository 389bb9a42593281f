"""The content losses: identity, value by hand, scaling, damage, what each forgets, refusals."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InvalidTensor
from evaluation.metrics.content import content_loss, content_loss_sum, instance_normalized_content_loss

LOSSES = [content_loss, content_loss_sum, instance_normalized_content_loss]


def features(seed: int = 0, shape: tuple[int, ...] = (2, 5, 6, 7)) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_equal_features_have_no_loss() -> None:
    assert content_loss(features(), features()).tolist() == [0.0, 0.0]


def test_both_forms_equal_the_printed_formulas() -> None:
    ours, theirs = features(0), features(1)
    squares = ((ours.double() - theirs.double()) ** 2).flatten(1)
    torch.testing.assert_close(content_loss(ours, theirs), squares.mean(dim=1), rtol=1e-6, atol=0)
    torch.testing.assert_close(content_loss_sum(ours, theirs), squares.sum(dim=1) / 2, rtol=1e-6, atol=0)


def test_it_is_symmetric_and_grows_with_damage() -> None:
    content, noise = features(0), features(1) - 0.5
    losses = [content_loss(content + k * noise, content)[0].item() for k in range(4)]
    assert losses == sorted(losses)
    assert losses[0] < losses[1]
    assert torch.equal(content_loss(content, noise), content_loss(noise, content))


def test_moving_a_position_changes_it() -> None:
    content = features()
    assert float(content_loss(content.flip(3), content).min()) > 0.01


def test_a_batch_equals_single_calls() -> None:
    batch = content_loss(features(0), features(1))
    singles = [content_loss(features(0)[k : k + 1], features(1)[k : k + 1])[0].item() for k in range(2)]
    assert batch.tolist() == pytest.approx(singles, rel=1e-9)


@pytest.mark.parametrize(
    "stylized",
    [
        features(0, (2, 5, 6, 8)),
        features(0, (5, 6, 7)),
        features(0, (2, 5, 0, 7)),
        torch.zeros(2, 5, 6, 7, dtype=torch.uint8),
        torch.full((2, 5, 6, 7), torch.nan),
        torch.full((2, 5, 6, 7), torch.inf),
    ],
    ids=["size", "dimensions", "empty", "dtype", "nan", "infinity"],
)
def test_wrong_tensors_are_refused(stylized: torch.Tensor) -> None:
    for function in LOSSES:
        for pair in ((stylized, features()), (features(), stylized)):
            with pytest.raises(InvalidTensor):
                function(*pair)


@settings(deadline=None, max_examples=10)
@given(
    seed=st.integers(0, 2**31),
    channels=st.integers(1, 9),
    height=st.integers(2, 12),
    width=st.integers(1, 12),
)
def test_every_loss_is_a_symmetric_distance_image_by_image(
    seed: int, channels: int, height: int, width: int
) -> None:
    ours, theirs = features(seed, (2, 3, channels, height, width))
    for loss in LOSSES:
        values = loss(ours, theirs)
        assert values.dtype == torch.float64
        assert (values > 0).all()
        assert loss(ours, ours).tolist() == [0.0, 0.0, 0.0]
        assert torch.equal(values, loss(theirs, ours))
        singles = [loss(ours[k : k + 1], theirs[k : k + 1]).item() for k in range(3)]
        assert values.tolist() == pytest.approx(singles, rel=1e-6)


def test_the_normalized_loss_forgets_scale_and_offset_of_channels_but_not_places() -> None:
    content = features()
    gains = torch.tensor([2.0, 9.0, 0.5, 1.0, 30.0]).view(1, 5, 1, 1)
    assert instance_normalized_content_loss(content * gains + gains, content).max().item() < 1e-6
    assert instance_normalized_content_loss(content.flip(3), content).min().item() > 0.5
    assert content_loss(content * gains + gains, content).min().item() > 1


def test_the_normalized_loss_has_its_known_marks() -> None:
    content, other = features(0, (1, 5, 64, 64)), features(1, (1, 5, 64, 64))
    assert instance_normalized_content_loss(1 - content, content).item() == pytest.approx(4, rel=1e-3)
    assert instance_normalized_content_loss(other, content).item() == pytest.approx(2, rel=0.05)
    flat = torch.full_like(content, 0.3)
    assert instance_normalized_content_loss(flat, flat + 0.1).item() < 1e-9
    with pytest.raises(InvalidTensor, match="two positions"):
        instance_normalized_content_loss(features(0, (1, 5, 1, 1)), features(1, (1, 5, 1, 1)))
