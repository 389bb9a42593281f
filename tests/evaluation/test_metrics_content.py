"""The content loss: identity, value by hand, scaling, damage, refusals."""

import pytest
import torch

from evaluation.errors import InvalidTensor
from evaluation.metrics.content import content_loss, content_loss_sum


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
    for function in (content_loss, content_loss_sum):
        with pytest.raises(InvalidTensor):
            function(stylized, features())
