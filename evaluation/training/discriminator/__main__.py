"""The command line `python -m evaluation.training.discriminator`."""

import sys
from pathlib import Path

import click
import torch

from evaluation.cli import run
from evaluation.errors import EvaluationError
from evaluation.metrics.adversarial import SMALLEST_SIDE, LossForm
from evaluation.metrics.discriminator_ensemble import EnsembleCard
from evaluation.training.discriminator.pictures import Collection, read_pictures
from evaluation.training.discriminator.train import Recipe, train_ensemble

FOLDER = click.Path(path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--art", required=True, type=FOLDER, help="Folder of real art.")
@click.option("--photos", required=True, type=FOLDER, help="Folder of photographs.")
@click.option("--fakes", required=True, type=FOLDER, help="Folder of outputs of the baselines.")
@click.option("--out", required=True, type=FOLDER, help="Folder for weights, checkpoints and card.")
@click.option("--steps", type=click.IntRange(min=1), default=3000, show_default=True, help="For each member.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--loss", type=click.Choice([form.value for form in LossForm]), default="lsgan", show_default=True
)
@click.option("--members", type=click.IntRange(min=1), default=3, show_default=True, help="Discriminators.")
@click.option("--width", type=click.IntRange(min=1), default=64, show_default=True, help="Channels at first.")
@click.option("--spectral-norm", is_flag=True, help="In place of instance normalization.")
@click.option("--size", type=click.IntRange(min=SMALLEST_SIDE), default=256, show_default=True)
@click.option("--crop", type=click.IntRange(min=SMALLEST_SIDE), default=128, show_default=True)
@click.option("--batch", type=click.IntRange(min=2), default=16, show_default=True)
def cli(
    *,
    art: Path,
    photos: Path,
    fakes: Path,
    out: Path,
    steps: int,
    seed: int,
    device: str,
    loss: LossForm,
    members: int,
    width: int,
    spectral_norm: bool,
    size: int,
    crop: int,
    batch: int,
) -> None:
    """Train discriminators that tell art from photos and outputs; a run that was stopped goes on.

    SIZE is the side in pixels at which outputs will be judged. Keep the result private.
    """
    recipe = Recipe(
        form=LossForm(loss),
        width=width,
        spectral_norm=spectral_norm,
        size=size,
        crop=crop,
        batch=batch,
        seed=seed,
    )
    _check(crop, size, device)
    pictures = Collection(*(read_pictures(folder, size) for folder in (art, photos, fakes)))
    with click.progressbar(length=members * steps, label="steps", file=sys.stderr) as bar:
        card = train_ensemble(
            pictures, recipe, out, steps=steps, members=members, device=device, report=bar.update
        )
    _print(card)


def _print(card: EnsembleCard) -> None:
    for member in card.members:
        parts = f"{member.auc_photos:.3f} against photos, {member.auc_fakes:.3f} against outputs"
        click.echo(f"{member.file}: held-out AUC {member.auc:.3f} ({parts})")
        if member.art_anchor <= member.photo_anchor:
            click.echo(
                f"{member.file} does not tell art from photos: give it more steps or pictures.", err=True
            )


def _check(crop: int, size: int, device: str) -> None:
    if crop > size:
        raise EvaluationError(f"Crops of {crop} pixels do not fit into pictures of {size}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise EvaluationError("This machine has no CUDA device.", fix="Use --device cpu.")


if __name__ == "__main__":
    run(cli)
