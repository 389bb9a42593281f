"""Training of reference discriminators on drawn pictures: it learns, it resumes to equal weights, it explains."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from evaluation.errors import EvaluationError, InvalidImage, InvalidTensor
from evaluation.metrics.adversarial import LossForm
from evaluation.metrics.discriminator_ensemble import load_ensemble
from evaluation.training.discriminator.__main__ import cli
from evaluation.training.discriminator.pictures import Collection, read_pictures
from evaluation.training.discriminator.train import Recipe, rank_auc, train_ensemble

RECIPE = Recipe(width=8, size=64, crop=48, batch=4, rate=1e-3)


def draw(kind: str, seed: int) -> Image.Image:
    """Art is striped, photos are smooth, outputs are photos with grain."""
    generator = np.random.default_rng(seed)
    clouds = Image.fromarray(generator.integers(60, 196, (4, 4, 3), dtype=np.uint8)).resize(
        (64, 64), Image.Resampling.BICUBIC
    )
    picture = np.asarray(clouds, dtype=np.float64)
    if kind == "art":
        picture = picture + 50 * np.sign(np.sin(np.arange(64) * 0.9 + generator.random() * 6))[:, None, None]
    if kind == "fakes":
        picture = picture + generator.normal(0, 20, picture.shape)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for k, kind in enumerate(("art", "photos", "fakes")):
        (root / kind / "nested").mkdir(parents=True)
        for number in range(20):
            draw(kind, 100 * k + number).save(
                root / kind / ("nested" if number % 2 else ".") / f"{number}.png"
            )
    return root


@pytest.fixture(scope="module")
def pictures(folder: Path) -> Collection:
    return Collection(*(read_pictures(folder / kind, 64) for kind in ("art", "photos", "fakes")))


@pytest.mark.parametrize("form", list(LossForm))
def test_an_easy_task_is_learned(pictures: Collection, tmp_path: Path, form: LossForm) -> None:
    recipe = Recipe(form=form, width=8, size=64, crop=48, batch=4, rate=1e-3)
    card = train_ensemble(pictures, recipe, tmp_path, steps=30, members=1)
    (member,) = card.members
    assert member.auc > 0.9
    assert member.art_anchor > member.photo_anchor
    ensemble = load_ensemble(tmp_path)
    art = ensemble.score(pictures.art.held_out.float() / 255)
    photos = ensemble.score(pictures.photos.held_out.float() / 255)
    assert art.mean() > photos.mean() + 0.5
    assert ensemble.card == card


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_a_run_in_two_parts_ends_with_the_weights_of_one_run(
    pictures: Collection, tmp_path: Path, spectral_norm: bool
) -> None:
    recipe = Recipe(width=4, spectral_norm=spectral_norm, size=64, crop=32, batch=2)
    train_ensemble(pictures, recipe, tmp_path / "one", steps=20, members=2)
    done: list[int] = []
    for steps in (5, 20):
        train_ensemble(pictures, recipe, tmp_path / "two", steps=steps, members=2, report=done.append)
    for name in ("member-1.safetensors", "member-2.safetensors", "card.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert sum(done) == 2 * 5 + 2 * 20
    assert (tmp_path / "one" / "member-1.safetensors").read_bytes() != (
        tmp_path / "one" / "member-2.safetensors"
    ).read_bytes()


def test_checkpoints_of_another_run_are_refused(pictures: Collection, tmp_path: Path) -> None:
    train_ensemble(pictures, RECIPE, tmp_path, steps=2, members=1)
    with pytest.raises(EvaluationError, match="width"):
        train_ensemble(
            pictures, Recipe(width=4, size=64, crop=48, batch=4, rate=1e-3), tmp_path, steps=3, members=1
        )
    with pytest.raises(EvaluationError, match="2 steps already"):
        train_ensemble(pictures, RECIPE, tmp_path, steps=1, members=1)


def test_training_that_diverges_stops(pictures: Collection, tmp_path: Path) -> None:
    with pytest.raises(InvalidTensor):
        train_ensemble(
            pictures, Recipe(width=4, size=64, crop=32, batch=2, rate=1e30), tmp_path, steps=9, members=1
        )


def test_one_fifth_is_held_out_and_no_picture_stands_on_both_sides(folder: Path, tmp_path: Path) -> None:
    for number in range(20):
        data = (folder / "art" / ("nested" if number % 2 else ".") / f"{number}.png").read_bytes()
        (tmp_path / f"{number}.png").write_bytes(data)
        (tmp_path / f"again-{number}.png").write_bytes(data)
    once, twice = read_pictures(folder / "art", 64), read_pictures(tmp_path, 64)
    assert (len(once.train), len(once.held_out)) == (16, 4)
    assert torch.equal(once.held_out, twice.held_out)
    assert torch.equal(once.train, twice.train)


def test_pictures_of_the_right_size_are_not_resampled(folder: Path) -> None:
    found = read_pictures(folder / "art", 64)
    stack = torch.cat([found.train, found.held_out])
    drawn = torch.from_numpy(np.array(draw("art", 3))).permute(2, 0, 1)
    assert (stack == drawn).all(dim=3).all(dim=2).all(dim=1).sum() == 1
    assert read_pictures(folder / "art", 32).train.shape == (16, 3, 32, 32)


def test_batches_depend_on_their_seed_alone(pictures: Collection) -> None:
    real, fake = pictures.batch(4, 32, seed=(1, 2))
    again = pictures.batch(4, 32, seed=(1, 2))
    assert torch.equal(real, again[0])
    assert torch.equal(fake, again[1])
    assert not torch.equal(real, pictures.batch(4, 32, seed=(1, 3))[0])
    assert real.shape == fake.shape == (4, 3, 32, 32)
    assert 0 <= real.min() < real.max() <= 1


def test_auc_counts_pairs_in_the_right_order_and_halves_ties() -> None:
    real, fake = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 2.0])
    assert rank_auc(real, fake) == pytest.approx((1 + 0 + 1 + 0.5 + 1 + 1) / 6)
    assert rank_auc(fake, real) == pytest.approx(1 - rank_auc(real, fake))


def test_folders_that_are_missing_or_nearly_empty_or_broken_are_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(EvaluationError, match="no folder"):
        read_pictures(tmp_path / "nowhere", 64)
    (tmp_path / "few").mkdir()
    with pytest.raises(EvaluationError, match="0 different pictures"):
        read_pictures(tmp_path / "few", 64)
    for number in range(6):
        draw("art", 1).save(tmp_path / "few" / f"{number}.png")
    with pytest.raises(EvaluationError, match="1 different pictures"):
        read_pictures(tmp_path / "few", 64)
    for number in range(6):
        draw("art", number).save(tmp_path / "few" / f"{number}.png")
    (tmp_path / "few" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(InvalidImage, match=r"broken\.jpg"):
        read_pictures(tmp_path / "few", 64)


def test_the_command_says_that_a_discriminator_learned_nothing(folder: Path, tmp_path: Path) -> None:
    """Art and photos from one folder: both anchors are the same number."""
    same = ["--art", str(folder / "photos")]
    result = CliRunner().invoke(cli, arguments(folder, tmp_path, *same))
    assert result.exit_code == 0, result.output
    assert "member-1.safetensors does not tell art from photos" in result.output


def arguments(folder: Path, out: Path, *more: str) -> list[str]:
    folders = [part for kind in ("art", "photos", "fakes") for part in (f"--{kind}", str(folder / kind))]
    small = ["--width", "4", "--size", "64", "--crop", "32", "--batch", "2", "--members", "1", "--steps", "2"]
    return [*folders, "--out", str(out), *small, *more]


def test_the_command_writes_weights_and_a_card(folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, arguments(folder, tmp_path / "out", "--loss", "bce", "--seed", "7"))
    assert result.exit_code == 0, result.output
    assert "held-out AUC" in result.output
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["form"] == "bce"
    assert card["recipe"]["seed"] == 7
    assert card["recipe"]["art_held_out"] == 4
    assert card["members"][0]["steps"] == 2
    assert load_ensemble(tmp_path / "out").loss(torch.rand(1, 3, 64, 64)).item() > 0


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--crop", "128"), "do not fit"), (("--photos", "nowhere"), "no folder"), (("--loss", "wgan"), "wgan")],
)
def test_the_command_says_what_is_wrong(
    folder: Path, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    result = CliRunner().invoke(cli, arguments(folder, tmp_path, *more))
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)
    assert isinstance(result.exception, EvaluationError | SystemExit)
