"""Adversarial losses by their formulas, the patch discriminator's shape, the anchored score, loading an ensemble."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evaluation.backbones.patch_discriminator import PatchDiscriminator, build_discriminator
from evaluation.errors import InvalidTensor, WeightsCorrupt, WeightsMissing
from evaluation.images import read_rgb
from evaluation.metrics.adversarial import (
    LossForm,
    adversarial_score,
    discriminator_losses,
    generator_loss,
    patch_logits,
    r1_penalty,
)
from evaluation.metrics.discriminator_ensemble import EnsembleCard, MemberCard, load_ensemble
from evaluation.pairs import read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite


def logits(seed: int, n: int = 3) -> Tensor:
    return 3 * torch.randn(n, 1, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def images(n: int = 2, side: int = 64, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_least_squares_losses_by_their_formula() -> None:
    real, fake = logits(0).numpy(), logits(1, n=2).numpy()
    found = discriminator_losses(logits(0), logits(1, n=2), LossForm.LSGAN)
    expected = ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
    assert found.discriminator.item() == pytest.approx(expected, rel=1e-12)
    assert found.generator.item() == pytest.approx(((fake - 1) ** 2).mean() / 2, rel=1e-12)


def test_cross_entropy_losses_by_their_formula() -> None:
    real, fake = logits(0).numpy(), logits(1, n=2).numpy()
    found = discriminator_losses(logits(0), logits(1, n=2), LossForm.CROSS_ENTROPY)
    expected = -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean()
    assert found.discriminator.item() == pytest.approx(expected, rel=1e-9)
    assert found.generator.item() == pytest.approx(-np.log(sigmoid(fake)).mean(), rel=1e-9)


def test_cross_entropy_stays_exact_where_the_sigmoid_is_flat() -> None:
    found = discriminator_losses(
        torch.full((1, 1, 1, 1), -200.0), torch.full((1, 1, 1, 1), 200.0), LossForm("bce")
    )
    assert found.discriminator.item() == pytest.approx(400)
    assert found.generator.item() == 0


@pytest.mark.parametrize("form", list(LossForm))
def test_the_players_pull_the_logits_of_outputs_in_opposite_directions(form: LossForm) -> None:
    undecided = torch.full((1, 1, 2, 2), 0.5, requires_grad=True)
    losses = discriminator_losses(logits(0), undecided, form)
    (for_generator,) = torch.autograd.grad(losses.generator, undecided)
    (for_discriminator,) = torch.autograd.grad(losses.discriminator, undecided)
    assert (for_generator < 0).all()
    assert (for_discriminator > 0).all()


def test_the_generator_loss_of_a_batch_is_the_mean_over_pictures() -> None:
    fake = logits(1)
    for form in LossForm:
        each = generator_loss(fake, form)
        assert each.shape == (3,)
        assert each[1].item() == generator_loss(fake[1:2], form).item()
        assert each.mean().item() == pytest.approx(
            discriminator_losses(logits(0), fake, form).generator.item()
        )


@pytest.mark.parametrize("bad", [logits(0)[0], logits(0).long(), logits(0) * torch.nan, logits(0)[:0]])
def test_wrong_logits_are_refused(bad: Tensor) -> None:
    for form in LossForm:
        for pair in ((bad, logits(0)), (logits(0), bad)):
            with pytest.raises(InvalidTensor):
                discriminator_losses(*pair, form)


def test_the_discriminator_sees_70_pixels_and_no_more() -> None:
    # without normalization over the picture: that one sees everything, by a single number for each channel
    network = build_discriminator(4, spectral_norm=True, seed=0).eval()
    picture = images(1, 256).requires_grad_()
    output = network(picture)
    assert output.shape == (1, 1, 30, 30)
    (gradient,) = torch.autograd.grad(output[0, 0, 15, 15], picture)
    rows = (gradient[0].abs().sum(dim=(0, 2)) > 0).nonzero().flatten()
    assert (rows.min().item(), rows.max().item() - rows.min().item() + 1) == (15 * 8 - 23, 70)


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_a_batch_equals_single_pictures_and_seeds_decide_the_weights(spectral_norm: bool) -> None:
    state = torch.random.get_rng_state()
    network = build_discriminator(4, spectral_norm=spectral_norm, seed=1).eval()
    assert torch.equal(torch.random.get_rng_state(), state)
    batch = network(images(3))
    singles = torch.cat([network(picture[None]) for picture in images(3)])
    torch.testing.assert_close(batch, singles)
    torch.testing.assert_close(
        build_discriminator(4, spectral_norm=spectral_norm, seed=1).eval()(images(3)), batch
    )
    other = build_discriminator(4, spectral_norm=spectral_norm, seed=2).eval()(images(3))
    assert (other - batch).abs().max() > 0.001


@pytest.mark.parametrize(
    "bad",
    [images() + 1, images() * torch.nan, images().double(), images()[:, :2], images()[0], images(side=31)],
    ids=["range", "nan", "dtype", "channels", "dimensions", "size"],
)
def test_wrong_pictures_are_refused(bad: Tensor) -> None:
    with pytest.raises(InvalidTensor):
        patch_logits(build_discriminator(4, seed=0), bad)


class _Linear(torch.nn.Module):
    """A discriminator with the same gradient everywhere: 2 for each of the pixels, over 16 patches."""

    def forward(self, pictures: Tensor) -> Tensor:
        return 2 * pictures.sum(dim=(1, 2, 3)).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def test_the_penalty_is_the_squared_gradient_of_the_mean_logit() -> None:
    assert r1_penalty(_Linear(), images(3, 32)).item() == pytest.approx(4 * 3 * 32 * 32)
    network = build_discriminator(4, seed=0)
    r1_penalty(network, images()).backward()
    assert all(
        parameter.grad is not None for name, parameter in network.named_parameters() if "4.bias" not in name
    )


@given(photo=st.floats(-5, 5), gap=st.floats(0.1, 5), place=st.floats(-2, 3))
@settings(deadline=None, max_examples=40)
def test_the_score_runs_from_photo_to_art_and_is_clipped(photo: float, gap: float, place: float) -> None:
    output = torch.tensor([photo + place * gap], dtype=torch.float64)
    found = adversarial_score(output, photo, photo + gap)
    assert found.item() == pytest.approx(min(max(place, 0.0), 1.0), abs=1e-9)


@pytest.mark.parametrize(("photo", "art"), [(1.0, 1.0), (1.0, 0.5), (0.0, float("nan"))])
def test_anchors_in_the_wrong_order_are_refused(photo: float, art: float) -> None:
    with pytest.raises(InvalidTensor, match="anchor"):
        adversarial_score(torch.tensor([0.5]), photo, art)


@pytest.mark.parametrize(
    "bad", [torch.tensor([torch.nan]), torch.tensor([1]), torch.tensor(0.5), torch.empty(0)]
)
def test_wrong_output_logits_are_refused(bad: Tensor) -> None:
    with pytest.raises(InvalidTensor):
        adversarial_score(bad, 0.0, 1.0)


def write_ensemble(folder: Path, *, spectral_norm: bool = False) -> list[PatchDiscriminator]:
    networks, members = [], []
    for number in (1, 2, 3):
        network = build_discriminator(4, spectral_norm=spectral_norm, seed=number).eval()
        data = safetensors.torch.save(network.state_dict())
        (folder / f"member-{number}.safetensors").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        members.append(
            MemberCard(f"member-{number}.safetensors", digest, -1.0, 1.0, 0.9, 0.9, 0.9, 10, number)
        )
        networks.append(network)
    card = EnsembleCard("lsgan", 4, spectral_norm, {"batch": 16}, tuple(members))
    (folder / "card.json").write_text(card.to_json())
    return networks


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_an_ensemble_averages_the_anchored_scores_and_losses_of_its_members(
    tmp_path: Path, spectral_norm: bool
) -> None:
    networks = write_ensemble(tmp_path, spectral_norm=spectral_norm)
    ensemble = load_ensemble(tmp_path)
    with torch.no_grad():
        maps = [network(images()) for network in networks]
    scores = torch.stack([(m.mean(dim=(1, 2, 3)).double() + 1) / 2 for m in maps]).clamp(0, 1).mean(dim=0)
    torch.testing.assert_close(ensemble.score(images()), scores)
    losses = torch.stack([((m - 1) ** 2 / 2).mean(dim=(1, 2, 3)) for m in maps]).mean(dim=0)
    torch.testing.assert_close(ensemble.loss(images()), losses.double())
    assert ensemble.card.recipe == {"batch": 16}
    assert len(ensemble.digest) == 64


def test_the_digest_stands_for_card_and_weights(tmp_path: Path) -> None:
    write_ensemble(tmp_path)
    before = load_ensemble(tmp_path).digest
    fields = json.loads((tmp_path / "card.json").read_text())
    fields["members"][0]["art_anchor"] = 2.0
    (tmp_path / "card.json").write_text(json.dumps(fields))
    assert load_ensemble(tmp_path).digest != before


def test_a_missing_card_or_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"card\.json"):
        load_ensemble(tmp_path)
    write_ensemble(tmp_path)
    (tmp_path / "member-2.safetensors").unlink()
    with pytest.raises(WeightsMissing, match="member-2"):
        load_ensemble(tmp_path)


def test_a_changed_member_is_refused(tmp_path: Path) -> None:
    write_ensemble(tmp_path)
    (tmp_path / "member-2.safetensors").write_bytes((tmp_path / "member-1.safetensors").read_bytes())
    with pytest.raises(WeightsCorrupt, match="member-2"):
        load_ensemble(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("members", []),
        ("form", "wgan"),
        ("schema", 2),
        ("extra", 1),
        ("width", 8),
        ("members", [{"file": "x"}]),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, key: str, value: object) -> None:
    write_ensemble(tmp_path)
    fields = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(fields | {key: value}))
    with pytest.raises(WeightsCorrupt):
        load_ensemble(tmp_path)


def test_a_report_names_the_private_ensemble_and_the_total_loss_counts_it(
    dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    write_ensemble(tmp_path)
    suite = replace(suite, columns=("content_loss_sum", "total_loss"), loss_weights=(0.5, 2.0, 3.0))
    scorer = Scorer(suite, read_pairs(dataset, "hidden"), discriminators=tmp_path)
    pair = scorer.pairs[0]
    score = scorer.score_pair(pair.id, read_rgb(pair.style))
    values = score.values
    assert 0 <= values["adversarial"] <= 1
    expected = 0.5 * values["content_loss_sum"] + 2 * values["gram"] + 3 * values["adversarial_loss"]
    assert values["total_loss"] == pytest.approx(expected)
    ids = {row.metric: row.id for row in scorer.build_report([score]).rows}
    assert ids["adversarial"] == f"adversarial@discriminators:{load_ensemble(tmp_path).digest[:12]}"
