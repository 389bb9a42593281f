"""CycleGAN: the losses are those of the paper, and the pool gives old pictures back."""

import torch
from torch import Tensor

from baselines.methods.cyclegan import CYCLE, IDENTITY, CycleGAN, ImagePool
from tests.baselines.learning import fixed_batch, new_method


def cyclegan() -> CycleGAN:
    method = new_method("cyclegan")
    assert isinstance(method, CycleGAN)
    return method


def numbered(first: int, count: int) -> Tensor:
    """Return pictures of 2 x 2 pixels whose value is their number."""
    return torch.arange(first, first + count).float().view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def distance(first: Tensor, second: Tensor) -> float:
    return (first - second).abs().mean().item()


def test_losses_of_the_generators_are_those_of_the_equations() -> None:
    method, batch = cyclegan(), fixed_batch()
    losses = method.generator_losses(batch)
    x, y = batch.content, batch.style
    with torch.no_grad():
        made_art, made_photo = method.generator(x, y), method.back(y, x)
        cycle = distance(method.back(made_art, x), x) + distance(method.generator(made_photo, y), y)
        identity = distance(method.generator(y, y), y) + distance(method.back(x, x), x)
        judged = method.judge_of_art(made_art), method.judge_of_photos(made_photo)
    expected = {
        "adversarial": sum((logits - 1).square().mean().item() for logits in judged),
        "cycle": CYCLE * cycle,
        "identity": IDENTITY * identity,
    }
    for name, value in expected.items():
        torch.testing.assert_close(losses[name].item(), value, rtol=1e-4, atol=1e-6)


def test_discriminators_learn_that_their_own_side_is_real() -> None:
    method, batch = cyclegan(), fixed_batch()
    method.generator_losses(batch)
    loss = method.discriminator_losses(batch)["discriminator"].item()  # the pools are empty: fresh pictures
    with torch.no_grad():
        x, y = batch.content, batch.style
        sides = (
            (method.judge_of_art, y, method.generator(x, y)),
            (method.judge_of_photos, x, method.back(y, x)),
        )
        expected = sum(
            ((judge(real) - 1).square().mean() + judge(made).square().mean()).item() / 2
            for judge, real, made in sides
        )
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-6)


def test_every_network_has_its_turn_and_only_one() -> None:
    method = cyclegan()
    moved = [id(p) for turn in method.turns() for p in turn.parameters]
    assert len(moved) == len(set(moved))
    assert set(moved) == {id(p) for p in method.parameters()}


def test_the_style_image_makes_no_difference() -> None:
    method, batch = cyclegan(), fixed_batch()
    with torch.inference_mode():
        first = method.generator(batch.content, batch.style)
        assert torch.equal(first, method.generator(batch.content, batch.content, 0.3))


def test_a_pool_with_room_gives_back_what_comes_in() -> None:
    pool = ImagePool(2, capacity=5)
    assert torch.equal(pool.exchange(numbered(0, 3)), numbered(0, 3))
    assert pool.count == 3
    assert torch.equal(pool.images[:3], numbered(0, 3))


def test_a_full_pool_gives_old_pictures_back_half_of_the_time_and_loses_none() -> None:
    torch.manual_seed(0)
    pool = ImagePool(2, capacity=20)
    given = [pool.exchange(numbered(first, 4))[:, 0, 0, 0] for first in range(0, 400, 4)]
    came_back = torch.cat(given[5:])
    fresh = torch.arange(20, 400).float()
    assert 0.4 < (came_back == fresh).float().mean() < 0.6
    assert bool((came_back <= fresh).all())
    kept = pool.images[:, 0, 0, 0]
    assert len(kept.unique()) == 20
    # what was in the pool when it was full came back once more than it came in, or is still there
    everything = torch.cat([came_back, kept]).sort().values
    assert torch.equal(everything, torch.arange(400).float())


def test_a_pool_goes_on_from_its_saved_state() -> None:
    pool, other = ImagePool(2, capacity=4), ImagePool(2, capacity=4)
    pool.exchange(numbered(0, 4))
    other.load_state_dict(pool.state_dict())
    results = []
    for one in (pool, other):
        torch.manual_seed(7)
        results.append(one.exchange(numbered(10, 6)))
    assert torch.equal(*results)
    assert torch.equal(pool.images, other.images)
